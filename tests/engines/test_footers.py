"""What Parquet's footers prove of floats, asked of files that were written by two writers."""

import math

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlci.edges.duck import session
from mlci.edges.duck_measure import read_footer
from mlci.edges.tables import find_table, open_table
from mlci.flows.data_engine import opened
from mlci.measure.data.footers import proven
from mlci.measure.data.plan import plan
from mlci.nouns.aggregate import Count, Number
from mlci.nouns.condition import Outside
from mlci.nouns.engine import Engine

NAN, INF = math.nan, math.inf
VALUES = {
    "plain": [0.5, 2.0, None, -1.0],
    "nan first": [NAN, 0.5, 2.0],
    "nan last": [0.5, 2.0, NAN],
    "nan only": [NAN, NAN],
    "nothing": [None, None],
    "infinite": [0.5, INF, -INF],
    "zeros": [-0.0, 0.0],
    "largest": [1.7976931348623157e308, -1.7976931348623157e308],
}
RANGES = [
    (0, 1),
    (-1, 2),
    (-1.0, 1.9999999999999998),
    (None, 2),
    (0.5, None),
    (None, None),
    (0, 0),
    (-(10**400), 10**400),
]


@pytest.mark.parametrize("writer", ["pyarrow", "duckdb"])
@pytest.mark.parametrize("width", ["DOUBLE", "FLOAT"])
@pytest.mark.parametrize("name", VALUES)
def test_a_range_that_the_footer_proves_holds(tmp_path, writer, width, name):
    column = pa.array(VALUES[name], pa.float64() if width == "DOUBLE" else pa.float32())
    rows = pa.table({"x": column})
    if writer == "pyarrow":
        # Three groups of rows: of each one statistics of its own.
        pq.write_table(rows, tmp_path / "t.parquet", row_group_size=1)
    else:
        duckdb.from_arrow(rows).write_parquet(str(tmp_path / "t.parquet"))
    files = find_table(tmp_path, "t.parquet")
    asked = [Count(what=Outside(column="x", low=low, high=high)) for low, high in RANGES[:-1]]
    with session(Engine(), reads=files.reads) as connection:
        schema = open_table(connection, files, "t")
        known = proven(asked, read_footer(connection, files, schema), schema)
        for aggregate in asked:
            query = plan([aggregate], schema).queries[0]
            counted = connection.execute(query.sql).fetchone()[0]
            assert known.values.get(aggregate, {(): counted}) == {(): counted}
        if (name, width) == ("plain", "DOUBLE"):
            assert known.values[asked[1]] == {(): 0}
            assert asked[0] not in known.values
        if width == "FLOAT":
            assert not known.values


@pytest.mark.parametrize(
    ("values", "finite", "mean", "total"),
    [
        ([0.5, None, 0.25], True, 0.375, 0.75),
        ([0.5, NAN, 0.25], False, 0.375, 0.75),
        ([0.5, INF], False, INF, INF),
        ([INF, -INF, 0.5], False, NAN, NAN),
        ([1.5e308, 1.5e308, -1.5e308], False, None, None),
        ([1e16, 1.0, -1e16, 1.0], True, None, None),
        ([None], False, None, None),
    ],
)
def test_what_is_known_to_be_finite_is_added_up_without_a_second_look(tmp_path, values, finite, mean, total):
    duckdb.from_arrow(pa.table({"x": pa.array(values, pa.float64())})).write_parquet(str(tmp_path / "t.parquet"))
    files = find_table(tmp_path, "t.parquet")
    asked = [Number(column="x", what="mean"), Number(column="x", what="sum")]
    with session(Engine(threads=1), reads=files.reads) as connection:
        table = opened(connection, files, "t", 10**8)
        assert table.schema.finite == (("x",) if finite else ())
        found = [table.ask(asked).values[each][()] for each in asked]
        table.engine = table.engine.told(table.schema.model_copy(update={"finite": ()}))
        again = [table.ask(asked).values[each][()] for each in asked]
    assert repr(found) == repr(again)
    if mean is not None:
        assert repr(found) == repr([mean, total])
