"""Predictions are joined by ranges of ids where memory does not hold them, and read once."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest

from mlci.edges import prediction_join, predictions, slices
from mlci.edges.policy_file import load_policy
from mlci.edges.prediction_rows import group_codes
from mlci.edges.predictions import PredictionFiles
from mlci.edges.slices import Cutter
from mlci.errors import MemoryLimitError, WorldError
from mlci.nouns.table_schema import TableSchema

POLICY = """\
mlci:
  model: {name: m, label: label, id: id}
  gate:
    metrics: {accuracy: {drop: 0.01}}
    test: test.parquet
    predictions: new.parquet
    slices: {by: [c]}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "params.yaml").write_text(POLICY)
    with duckdb.connect() as connection:
        # Ids in no order, with a quote, braces and letters beyond ASCII among them.
        ids = "CASE range % 4 WHEN 0 THEN 'ä' WHEN 1 THEN '''' WHEN 2 THEN '{id}' ELSE '' END || (range * 7919) % 5000"
        rows = f"SELECT {ids} AS id, range % 3 = 0 AS label, 'v' || range % 5 AS c, (range % 97) / 97 AS score"
        for name in ("test", "new", "old"):
            # The old model does not know the last row.
            last = 4_999 if name == "old" else 5_000
            connection.execute(f"COPY ({rows} FROM range({last})) TO '{tmp_path / name}.parquet'")
    return tmp_path


def test_ranges_of_ids_give_the_same_rows_in_the_same_order(folder, monkeypatch):
    policy = load_policy(folder)
    ranges = []
    real = prediction_join.id_ranges
    monkeypatch.setattr(predictions, "id_ranges", lambda *given: ranges.append(real(*given)) or ranges[-1])
    whole = PredictionFiles(folder, policy).load(folder / "old.parquet")
    monkeypatch.setattr(prediction_join, "_A_ROW", 3_000_000)
    cut = PredictionFiles(folder, policy).load(folder / "old.parquet")
    assert [len(each) for each in ranges] == [1, 8]
    assert cut.unmatched == whole.unmatched == 1
    assert list(cut.sample.ids) == list(whole.sample.ids) == sorted(whole.sample.ids, key=str.encode)
    for name in ("new", "old"):
        one, other = getattr(cut.sample, name), getattr(whole.sample, name)
        np.testing.assert_array_equal(one.score, other.score)
    for one, other in zip(cut.sample.parts[1:], whole.sample.parts[1:], strict=True):
        np.testing.assert_array_equal(one.rows, other.rows)


def test_the_candidate_alone_is_read_again_only_where_it_is_other_rows(folder, monkeypatch):
    reads = []
    real = predictions.read_rows
    monkeypatch.setattr(predictions, "read_rows", lambda *given: reads.append(1) or real(*given))
    files = PredictionFiles(folder, load_policy(folder))
    files.load(folder / "old.parquet")
    assert files.load().sample.size == 5_000
    assert len(reads) == 2
    files.load(folder / "new.parquet")
    alone = files.load()
    assert (alone.sample.size, alone.sample.old, len(reads)) == (5_000, None, 3)
    files.load(trained_on=[np.zeros(1, dtype=np.uint64)])
    assert len(reads) == 4


def test_ids_that_come_twice_are_told(folder):
    with duckdb.connect() as connection:
        twice = f"SELECT * FROM '{folder / 'new.parquet'}' UNION ALL (SELECT * FROM '{folder / 'new.parquet'}' LIMIT 3)"
        connection.execute(f"COPY ({twice}) TO '{folder / 'twice.parquet'}'")
    (folder / "twice.parquet").replace(folder / "new.parquet")
    with pytest.raises(WorldError, match="5,003 rows have only 5,000 ids"):
        PredictionFiles(folder, load_policy(folder)).check()


def test_an_engine_without_memory_says_nothing_of_the_baseline(folder):
    (folder / "params.yaml").write_text(POLICY + "  engine: {memory: 1KB}\n")
    with pytest.raises(MemoryLimitError, match=r"more memory than the limit"):
        PredictionFiles(folder, load_policy(folder)).load(folder / "old.parquet")


def test_groups_have_codes_without_gaps_and_rows_without_one_are_alone(monkeypatch):
    codes = np.random.default_rng(1).integers(-1, 40, 500) * 3
    codes[codes < 0] = -1
    alone = np.flatnonzero(codes < 0)
    wanted = codes.copy()
    wanted[alone] = 10_000 + np.arange(alone.size)
    for block in (1 << 20, 64):
        monkeypatch.setattr("mlci.nouns.sample.BLOCK", block)
        np.testing.assert_array_equal(group_codes(codes, np.empty), np.unique(wanted, return_inverse=True)[1])


@pytest.mark.parametrize(("rows", "bins"), [(1, 4), (10, 3), (1_001, 4), (4_000, 10), (997, 7)])
def test_quantiles_of_sorted_numbers_are_those_of_the_engine(monkeypatch, rows, bins):
    with duckdb.connect() as connection:
        numbers = "CASE range % 9 WHEN 0 THEN NULL WHEN 1 THEN 'nan'::DOUBLE ELSE (range * 7919) % 501 / 7 END"
        connection.execute(f"CREATE TABLE t AS SELECT {numbers} AS x FROM range(2, {rows + 2})")
        schema = TableSchema(view="t", path="t.parquet", format="parquet", columns={"x": "DOUBLE"})
        cutter = Cutter(connection, schema, None)
        wanted = cutter.quantiles("x", bins)
        monkeypatch.setattr(slices, "_SORTED_FROM", 0)
        monkeypatch.setattr(slices, "BLOCK", 64)
        assert cutter.quantiles("x", bins) == wanted
