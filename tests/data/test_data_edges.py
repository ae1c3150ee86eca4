"""Values, types and names on which checks of data are known to go wrong."""

from __future__ import annotations

import pytest

NAMES = [
    'a "quoted" one',
    "semi;colon",
    "it's",
    "drop table t; --",
    "größe ✈",
    "select",
    "a.b",
    "x\ny",
    "key",
    "n",
    "k0",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_can_be_any_text(project, name):
    quoted = '"' + name.replace('"', '""') + '"'
    for file in ("t.parquet", "t.csv"):
        project.write(f"SELECT CASE WHEN range < 8 THEN range % 4 END AS {quoted}, 'JFK' AS other FROM range(10)", file)
        entry = {"missing": "10%", "unique": True, "range": [0, 2], "allowed": [1, 2], "mean": [0, 1], "median": [0, 1]}
        table = {
            "columns": {name: {**entry, "share": {1: [0, 1]}}},
            "unique": [[name]],
            "conflicts": {"label": "other", "features": [name]},
            "overlap": {"with": file, "key": [name]},
            "fresh": {"column": name, "within": "1d"},
            "drift": {"reference": file},
        }
        outcomes = {finding.check: finding.outcome for finding in project.check(table, path=file).findings}
        prefix = f"data.t.{name}."
        assert outcomes == {
            "data.t.rows": "pass",
            "data.t.fresh": "not_measured",
            f"{prefix}missing": "fail",
            f"{prefix}unique": "fail",
            f"{prefix}range": "fail",
            f"{prefix}allowed": "fail",
            f"{prefix}mean": "fail",
            f"{prefix}median": "pass",
            f"{prefix}share.1": "pass",
            f"data.t.unique.{name}": "fail",
            "data.t.overlap": "fail",
            "data.t.conflicts": "pass",
            f"data.t.drift.{name}": "pass",
            "data.t.drift.other": "pass",
        }


def test_nan_is_missing_and_infinities_are_in_no_range(project):
    project.values("('nan'::DOUBLE), ('inf'::DOUBLE), ('-inf'::DOUBLE), (1::DOUBLE), (NULL)")
    columns = {"x": {"missing": "0%", "range": [None, None], "median": [1, 1], "mean": [0, 2], "std": [0, 9]}}
    found = {f.check.rsplit(".", 1)[-1]: f for f in project.check({"columns": columns}).findings}
    assert (found["missing"].data.count, found["missing"].data.rows) == (2, 5)
    assert (found["range"].data.count, found["range"].data.rows) == (2, 3)
    assert found["median"].outcome == "pass"
    # The mean of both infinities is no number, and the spread of infinities is infinite: both are in no range.
    assert found["mean"].outcome == "fail"
    assert "standard deviation of `x` is infinite" in found["std"].message


def test_single_precision_is_compared_as_it_was_written(project):
    project.values("(0.1::FLOAT), (0.7::FLOAT), ('inf'::FLOAT)")
    columns = {"x": {"allowed": [0.1, 0.7], "range": [0.1, 0.7]}}
    found = {
        f.check.rsplit(".", 1)[-1]: f.data.count for f in project.check({"columns": columns}).findings if f.data.count
    }
    assert found == {"allowed": 1, "range": 1}


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
def test_an_empty_table_does_not_pass(project, name):
    project.write("SELECT 1 AS x, TIMESTAMP '2025-01-01' AS y WHERE false", name)
    columns = {"x": {"missing": "5%", "unique": True, "allowed": [1], "share": {1: 0.5}}}
    table = {"columns": columns, "rules": {"r": "x IS NOT NULL"}, "drift": {"reference": name, "columns": ["x"]}}
    outcomes = {finding.check: finding.outcome for finding in project.check(table, path=name).findings}
    assert outcomes.pop("data.t.rows") == "fail"
    assert set(outcomes.values()) == {"not_measured"}
    assert len(outcomes) == 6


def test_a_column_without_values_has_nothing_to_check(project):
    project.write("SELECT CAST(NULL AS DOUBLE) AS x FROM range(5)")
    columns = {"x": {"missing": "100%", "range": [0, 1], "mean": [0, 1], "median": [0, 1], "unique": True}}
    outcomes = {f.check.rsplit(".", 1)[-1]: f for f in project.check({"columns": columns}).findings}
    assert outcomes["missing"].outcome == "pass"
    for word in ("range", "mean", "median", "unique"):
        assert outcomes[word].outcome == "not_measured"
        assert outcomes[word].blocks
        assert "There are no values to check" in outcomes[word].message


@pytest.mark.parametrize(
    ("values", "entry", "count"),
    [
        ("(0.1::DECIMAL(5,2)), (0.3::DECIMAL(5,2)), (0.31::DECIMAL(5,2))", {"range": [0.1, 0.3]}, 1),
        ("(9223372036854775807), (9223372036854775806)", {"range": [None, 9223372036854775806]}, 1),
        ("(170141183460469231731687303715884105727::HUGEINT)", {"range": [0, 10]}, 1),
        ("(18446744073709551615::UBIGINT), (18446744073709551615::UBIGINT)", {"unique": True}, 1),
        ("(9007199254740993), (9007199254740992)", {"allowed": [9007199254740992]}, 1),
        ("('infinity'::TIMESTAMP), (TIMESTAMP '2020-01-01')", {"range": ["2000-01-01", None]}, 1),
        ("(TIMESTAMPTZ '2025-01-01 01:00:00+02'), (TIMESTAMPTZ '2025-01-01')", {"range": ["2025-01-01", None]}, 1),
        ("(0.0::DOUBLE), (-0.0::DOUBLE), (1.0::DOUBLE)", {"unique": True}, 1),
        ("('a'), ('A'), ('a ')", {"unique": True}, 0),
        ("('\u00e9'), ('e\u0301')", {"length": 1}, 1),
        ("(''), (NULL)", {"allowed": ["a"]}, 1),
        ("(true), (NULL), (false)", {"allowed": ["true"]}, 1),
        ("([1, 2]), (NULL)", {"missing": "0%"}, 1),
        ("([1, 2]), ([1, 2])", {"unique": True}, 1),
        ("(5::TINYINT), (6::TINYINT)", {"range": [-1000, 5.5]}, 1),
    ],
)
def test_types_at_their_limits(project, values, entry, count):
    project.values(values)
    (word,) = entry
    assert project.column(entry, word).data.count == count


@pytest.mark.parametrize(
    ("values", "entry", "why"),
    [
        ("('a')", {"mean": [0, 1]}, "holds text (VARCHAR), and `mean` needs numbers"),
        ("(true)", {"median": [0, 1]}, "holds true and false (BOOLEAN), and `median` needs numbers"),
        ("(1)", {"pattern": "a"}, "holds integers (INTEGER), and `pattern` needs text"),
        ("(1)", {"length": 1}, "`length` needs text"),
        ("('a')", {"range": [0, 1]}, "`range` needs ends that are text in quotes"),
        ("(1)", {"range": ["a", "b"]}, "`range` needs ends that are numbers"),
        ("(DATE '2025-01-01')", {"range": ["soon", None]}, "`range` needs ends such as 2013-12-31"),
        ("([1])", {"allowed": [1]}, "`allowed` needs plain values"),
        ("(true)", {"range": [0, 1]}, "`range` needs numbers, timestamps, dates or texts"),
        ("('a')", {"new": 0}, "nothing is known of the values of `x` in the reference"),
    ],
)
def test_a_question_that_a_type_does_not_allow_is_not_measured_and_blocks(project, values, entry, why):
    project.values(values)
    (word,) = entry
    finding = project.column(entry, word)
    assert finding.outcome == "not_measured"
    assert finding.blocks
    assert finding.mend
    assert why in finding.message


def test_one_check_that_cannot_be_computed_does_not_hide_the_others(project):
    project.values("('1', 2), ('x', 1)", "x, y")
    rules = {"casts": "x::INTEGER > 0", "holds": "y > 0", "fails": "y > 1"}
    found = {f.check.rsplit(".", 1)[-1]: f for f in project.check({"rules": rules}).findings}
    assert found["casts"].outcome == "not_measured"
    assert "Could not convert string 'x'" in found["casts"].message
    assert found["holds"].outcome == "pass"
    assert found["fails"].outcome == "fail"


def test_ids_with_leading_zeros_stay_texts(project):
    (project.root / "t.csv").write_text("id,n\n007,1\n7,2\n07,3\n", encoding="utf-8")
    entry = {"type": "string", "unique": True, "pattern": "0*7"}
    assert {f.outcome for f in project.check({"columns": {"id": entry}}, path="t.csv").findings} == {"pass"}


def test_a_text_behind_the_sample_widens_the_type(project):
    lines = [str(number) for number in range(40_000)]
    lines[30_000] = "unknown"
    (project.root / "t.csv").write_text("x\n" + "\n".join(lines) + "\n", encoding="utf-8")
    finding = project.column({"type": "integer"}, "type", path="t.csv")
    assert finding.outcome == "fail"
    assert finding.data.measured == "VARCHAR"


def test_cells_of_examples_are_short(project):
    project.write("SELECT repeat('ä', 1000) AS x")
    finding = project.column({"length": "<= 10"}, "length")
    assert finding.data.examples.rows == (("ä" * 79 + "…",),)


def test_examples_come_in_the_order_of_the_table_and_are_at_most_ten(project):
    project.write("SELECT range AS x FROM range(300_000)")
    finding = project.column({"range": [0, 99]}, "range")
    assert [row[0] for row in finding.data.examples.rows] == [str(number) for number in range(100, 110)]


@pytest.mark.parametrize(
    ("count", "rows", "limit", "shown"),
    [(7, 1000, "0.7%", None), (5001, 100_000, "5%", "5.001 %"), (50, 100_000, "0.049%", "0.05 %")],
)
def test_a_share_beside_its_limit_shows_on_which_side_it_is(project, count, rows, limit, shown):
    project.write(f"SELECT CASE WHEN range >= {count} THEN 1 END AS x FROM range({rows})")
    finding = project.column({"missing": limit}, "missing")
    assert finding.outcome == ("pass" if shown is None else "fail")
    assert shown is None or finding.message.startswith(f"{shown} of `x` are missing")


def test_quantiles_are_exact_at_their_ranks(project):
    project.write("SELECT range + 1 AS x FROM range(100)")
    for quantile, value in ((0.07, 7), (0.29, 29), (0.57, 57), (0.5, 50), (0.95, 95), (0.999, 100)):
        held = {"quantiles": {quantile: [value, value]}}
        assert project.column(held, f"quantiles.{quantile}").outcome == "pass"
        failed = project.column({"quantiles": {quantile: f"> {value}"}}, f"quantiles.{quantile}")
        assert (failed.outcome, failed.data.measured) == ("fail", value)
