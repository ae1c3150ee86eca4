"""The same numbers as pandas, from any values; and from footers the same as from a scan."""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from data_project import Project
from hypothesis import given, settings
from hypothesis import strategies as st

from mlci.edges import duck_keys, duck_measure
from mlci.edges.duck import session
from mlci.edges.tables import find_table
from mlci.flows.data_engine import opened
from mlci.measure.data.footers import proven
from mlci.measure.data.plan import plan
from mlci.nouns.aggregate import Answers, Count, Part, Repeats
from mlci.nouns.condition import Missing, Outside, Present
from mlci.nouns.engine import Engine

ROWS = st.lists(
    st.tuples(
        st.none() | st.floats(width=64) | st.sampled_from([0.0, 1.0, 2.5]),
        st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3),
        st.none() | st.sampled_from(["a", "b", "ä", "", "'"]),
        st.sampled_from(["p", "q"]),
    ),
    min_size=1,
    max_size=40,
)


def write(rows, file):
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (f DOUBLE, i BIGINT, s VARCHAR, g VARCHAR)")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
        connection.execute(f"COPY t TO '{file}' (FORMAT parquet, ROW_GROUP_SIZE 2048)")


def frame(rows):
    return pd.DataFrame(
        {
            "f": pd.Series([np.nan if row[0] is None else row[0] for row in rows], dtype=float),
            "i": pd.Series([row[1] for row in rows], dtype="Int64"),
            "s": pd.Series([row[2] for row in rows], dtype="string"),
            "g": [row[3] for row in rows],
        }
    )


@settings(max_examples=20, deadline=None)
@given(ROWS)
def test_counts_are_those_of_pandas(rows):
    columns = {
        "f": {"missing": "0%", "range": [0, 2], "quantiles": {0.3: [-1, 1]}, "by": []},
        "i": {"missing": "0%", "range": [0, 3], "unique": True},
        "s": {"missing": "0%", "allowed": ["a", "ä"], "pattern": "[a-z]", "length": 1, "unique": True},
    }
    with tempfile.TemporaryDirectory() as folder:
        write(rows, f"{folder}/t.parquet")
        table = {"columns": columns, "unique": [["s", "g"]], "rules": {"r": "i > 1"}}
        found = {f.check[7:]: f for f in Project(Path(folder)).check(table).findings}
    data = frame(rows)
    f, i, s = data.f, data.i, data.s
    finite = f.notna() & np.isfinite(f)
    expected = {
        "f.missing": f.isna().sum(),
        "f.range": (f.notna() & ~(finite & f.between(0, 2))).sum(),
        "i.missing": i.isna().sum(),
        "i.range": (~i.dropna().between(0, 3)).sum(),
        "i.unique": i.dropna().duplicated().sum(),
        "s.missing": s.isna().sum(),
        "s.allowed": (~s.dropna().isin(["a", "ä"])).sum(),
        "s.pattern": (~s.dropna().str.fullmatch("[a-z]")).sum(),
        "s.length": (s.dropna().str.len() != 1).sum(),
        "s.unique": s.dropna().duplicated().sum(),
        "unique.s+g": data.dropna(subset=["s"]).duplicated(["s", "g"]).sum(),
        "rules.r": (i.dropna() <= 1).sum(),
    }
    for check, count in expected.items():
        evidence = found[check].data
        if evidence.rows is None:
            assert found[check].outcome == "not_measured"
            assert count == 0
        else:
            assert evidence.count == count, check
            assert found[check].outcome == ("fail" if count else "pass")
    values = np.sort(f.dropna())
    if len(values):
        quantile = values[math.ceil(0.3 * len(values) - 1e-9) - 1]
        assert found["f.quantiles.0.3"].outcome == ("pass" if -1 <= quantile <= 1 else "fail")


@settings(max_examples=20, deadline=None)
@given(ROWS)
def test_footers_prove_what_a_scan_finds(rows):
    asked = [
        Count(),
        *(Count(what=Missing(column=name)) for name in "fisg"),
        *(Count(what=Present(columns=(name,))) for name in "fisg"),
        Count(what=Present(columns=("i", "g"))),
        Count(what=Outside(column="i", low=0, high=3)),
        Count(what=Outside(column="i", low=None, high=2**62)),
        Count(what=Outside(column="i", low=0, high=3), part=Part(where=("g = 'p'",))),
        Count(what=Missing(column="i"), part=Part(where=("g = 'p'",))),
    ]
    with tempfile.TemporaryDirectory() as folder:
        write(rows, f"{folder}/t.parquet")
        with session(Engine(threads=1)) as connection:
            table = opened(connection, find_table(Path(folder), "t.parquet"), "t", 10**8)
            assert table.footer is not None
            shown = proven(asked, table.footer, table.schema).values  # noqa: PD011 - no data frame
            scanned = duck_measure.measure(connection, plan(asked, table.schema), table.schema, rows=1, memory=10**8)
    assert Count() in shown
    assert Count(what=Missing(column="i")) in shown
    for aggregate, value in shown.items():
        assert scanned.values[aggregate] == value  # noqa: PD011 - no data frame


def test_what_footers_prove_is_not_scanned(project):
    project.write("SELECT range AS i, range / 2 AS f, TIMESTAMP '2025-12-31' AS d FROM range(100)")
    columns = {"*": {"missing": "0%"}, "i": {"range": [0, 99]}}
    table = {"columns": columns, "fresh": {"column": "d", "within": "2d"}, "rows": 100}
    told = project.check(table, explain=True).explain
    # Nothing is asked but what a footer can't say: whether a float is NaN. This one says even that.
    assert "isnan" in told or "SELECT" not in told
    assert "range" not in told
    assert "proven by the files' footers" in told


@pytest.fixture(params=["sorted", "in parts", "many suspects"])
def large(request, monkeypatch):
    """Treat small tables as large ones."""
    monkeypatch.setattr(duck_measure, "_SORTED_FROM", 0)
    if request.param == "in parts":
        monkeypatch.setattr(duck_keys, "_BYTES_A_KEY", 10**6)
    if request.param == "many suspects":
        monkeypatch.setattr(duck_keys, "MOST_SUSPECTS", 20)


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize(
    ("columns", "repeated"),
    [
        (("i",), 250),
        (("s",), 500),
        (("i", "s"), 0),
        (("i", "g"), 250),
        (("u",), 0),
        (("f",), 500),
        (("t",), 0),
        (("w",), 250),
    ],
)
def test_large_keys_are_sorted_with_the_same_answer(project, columns, repeated):
    project.write(
        "SELECT range % 750 AS i, -i AS g, 'key ' || (range % 500) AS s, range AS u, (range % 500) / 3 AS f,"
        " i * 1000003 AS w,"
        " 'id ' || range AS t FROM range(1000)"
    )
    finding = project.find({"unique": [list(columns)]}, f"unique.{'+'.join(columns)}")
    assert (finding.data.count, finding.data.rows) == (repeated, 1000)
    if repeated:
        shown = [row[: len(columns)] for row in finding.data.examples.rows]
        assert len(shown) == 10
        assert shown[0] == shown[1]


def test_a_number_is_the_same_with_any_number_of_threads(project):
    project.write("SELECT random() * 1e9 - 5e8 AS x, range AS i FROM range(500_000)")
    columns = {"x": {"mean": [0, 0], "sum": [0, 0], "std": [0, 0], "range": [0, 1], "quantiles": {0.9: [0, 0]}}}
    first, second = (project.check({"columns": columns}, engine={"threads": n}) for n in (1, 2))
    assert first == second


def test_memory_stays_within_its_limit(project):
    """A key of 60 MB of texts is told apart within a limit that does not hold it."""
    project.write("SELECT md5(range::VARCHAR) || md5((range + 1)::VARCHAR) AS x FROM range(1_000_000)")
    with session(Engine(memory=60_000_000, threads=1)) as connection:
        table = opened(connection, find_table(project.root, "t.parquet"), "t", 60_000_000)
        assert table.ask([Repeats(columns=("x",))]) == Answers(
            {Repeats(columns=("x",)): {(): 0}}, hints={Repeats(columns=("x",)): ()}
        )


def test_examples_of_a_large_table_are_the_first_broken_rows(project):
    project.write(
        "SELECT range AS id, range % 7 AS often, CASE WHEN range > 95_000 THEN -1 ELSE range END AS rare,"
        " CASE WHEN range % 9_000 = 8_999 THEN 'x' ELSE 'a' END AS seldom FROM range(100_000)"
    )
    columns = {"often": {"range": [0, 5]}, "rare": {"range": [0, None]}, "seldom": {"allowed": ["a"]}}
    found = project.check({"columns": columns, "rules": {"odd": "id % 2 = 1"}}).findings
    shown = {
        f.check[7:]: [int(row[f.data.examples.columns.index("id")]) for row in f.data.examples.rows]
        for f in found
        if f.data and f.data.examples
    }
    assert shown == {
        "often.range": list(range(6, 70, 7)),
        "rare.range": list(range(95_001, 95_011)),
        "seldom.allowed": list(range(8_999, 90_000, 9_000)),
        "rules.odd": list(range(0, 20, 2)),
    }


def test_keys_are_read_without_pandas():
    code = """import sys, duckdb
from mlci.edges.duck_keys import _streamed
(places,) = _streamed(duckdb.connect(), "SELECT range + 7 AS key FROM range(1000)", 7)
assert places.tolist() == list(range(1000))
print("pandas" in sys.modules)"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr
