"""Every word of the policy about data: one table that keeps it, one that breaks it."""

from __future__ import annotations

import duckdb
import pytest

COLUMN = [
    ("type", "(1), (2)", {"type": "integer"}, "(1.5), (2)", None),
    ("type", "('a')", {"type": "string"}, "(1)", None),
    ("type", "(1.5::DOUBLE)", {"type": "float"}, "('a')", None),
    ("type", "(1::DECIMAL(9,2))", {"type": "number"}, "(true)", None),
    ("type", "(true)", {"type": "boolean"}, "(1)", None),
    ("type", "(TIMESTAMP '2025-01-01')", {"type": "timestamp"}, "(DATE '2025-01-01')", None),
    ("type", "(TIMESTAMPTZ '2025-01-01 00:00:00+02')", {"type": "timestamp"}, "('2025-01-01')", None),
    ("type", "(DATE '2025-01-01')", {"type": "date"}, "(TIMESTAMP '2025-01-01')", None),
    ("missing", "(1), (2), (3), (NULL)", {"missing": "25%"}, "(1), (2), (NULL)", 1),
    ("missing", "(1)", {"missing": "0%"}, "(1), (NULL), (NULL)", 2),
    ("unique", "('a'), ('b'), (NULL), (NULL)", {"unique": True}, "('a'), ('b'), ('a'), ('a')", 2),
    ("range", "(1), (10), (NULL)", {"range": [1, 10]}, "(0), (1), (10), (11)", 2),
    ("range", "(-5), (10)", {"range": [None, 10]}, "(11)", 1),
    ("range", "(0.1::FLOAT), (0.3::FLOAT)", {"range": [0.1, 0.3]}, "(0.30001::FLOAT)", 1),
    ("range", "(0.1), (0.3)", {"range": [0.1, 0.3]}, "(0.31), (0.09)", 2),
    (
        "range",
        "(TIMESTAMP '2013-01-01'), (TIMESTAMP '2013-12-31 23:59:59')",
        {"range": ["2013-01-01", "2013-12-31"]},
        "(TIMESTAMP '2014-01-01'), (TIMESTAMP '2012-12-31 23:59:59')",
        2,
    ),
    ("range", "(DATE '2013-12-31')", {"range": ["2013-01-01", "2013-12-31"]}, "(DATE '2014-01-01')", 1),
    ("range", "('b')", {"range": ["a", "c"]}, "('d')", 1),
    ("range", "(1), (2), (3), (99)", {"range": [1, 10], "tolerance": "25%"}, "(1), (99), (98)", 2),
    ("allowed", "('a'), ('b'), (NULL)", {"allowed": ["a", "b"]}, "('c'), ('a'), ('')", 2),
    ("allowed", "(1), (2)", {"allowed": [1, 2]}, "(3)", 1),
    ("allowed", "(1.5::DOUBLE), ('nan'::DOUBLE)", {"allowed": [1.5]}, "(2::DOUBLE)", 1),
    ("allowed", "(true)", {"allowed": [True]}, "(false)", 1),
    ("allowed", "('x1'), ('x299')", {"allowed": [f"x{i}" for i in range(300)]}, "('x300'), (NULL)", 1),
    ("pattern", "('AB1'), (NULL)", {"pattern": "[A-Z]{2}\\d"}, "('AB1x'), ('xAB1'), ('AB1\n')", 3),
    ("length", "('ab'), ('äöü')", {"length": [2, 3]}, "('a'), ('abcd')", 2),
    ("length", "('ab')", {"length": 2}, "('abc')", 1),
    ("mean", "(1), (2), (NULL)", {"mean": [1.5, 1.5]}, "(1), (3)", None),
    ("mean", "(1::DOUBLE), ('nan'::DOUBLE)", {"mean": [1, 1]}, "(1::DOUBLE), ('inf'::DOUBLE)", None),
    ("sum", "(1), (2)", {"sum": 3}, "(1), (3)", None),
    ("std", "(1.0::DOUBLE), (3.0::DOUBLE)", {"std": [1.41, 1.42]}, "(1.0::DOUBLE), (4.0::DOUBLE)", None),
    ("median", "(1), (2), (3), (4)", {"median": [2, 2]}, "(1), (3), (4)", None),
    ("quantiles.0.9", "(1), (9), (5)", {"quantiles": {0.9: "<= 9"}}, "(1), (10)", None),
    ("share.a", "('a'), ('b')", {"share": {"a": ">= 50%"}}, "('a'), ('b'), ('c')", None),
    ("share.true", "(true), (false)", {"share": {True: [0.4, 0.6]}}, "(false)", None),
    ("share.3", "(3), (4)", {"share": {3: 0.5}}, "(4)", None),
]


@pytest.mark.parametrize(("word", "good", "entry", "bad", "count"), COLUMN)
def test_a_column_keeps_its_word_or_breaks_it(outcome, project, word, good, entry, bad, count):
    assert outcome(good, entry, word) == "pass"
    assert outcome(bad, entry, word) == "fail"
    finding = project.column(entry, word)
    assert finding.blocks
    assert finding.mend
    assert str(finding.place) == "params.yaml:5"
    if count is not None:
        assert finding.data.count == count
        assert len(finding.data.examples.rows) >= count


@pytest.mark.parametrize(("rows", "expected"), [(">= 3", "pass"), ("> 3", "fail"), ([3, 5], "pass"), (2, "fail")])
def test_row_count(project, rows, expected):
    project.values("(1), (2), (3)")
    assert project.find({"rows": rows}, "rows").outcome == expected


@pytest.mark.parametrize(
    ("within", "as_of", "expected"),
    [("1d", None, "fail"), ("3d", None, "pass"), ("1d", "2025-12-31", "pass"), ("1h", "2025-12-30T01:00", "pass")],
)
def test_freshness(project, within, as_of, expected):
    project.values("(TIMESTAMP '2025-12-30'), (NULL), (TIMESTAMP '2025-01-01')")
    fresh = {"column": "x", "within": within, **({"as_of": as_of} if as_of else {})}
    for scope in ({}, {"where": "x > TIMESTAMP '2000-01-01'"}):  # from the footer, and by a scan
        assert project.find({"fresh": {**fresh, **scope}}, "fresh").outcome == expected


def test_freshness_says_how_old(project):
    project.values("(DATE '2025-12-02')")
    finding = project.find({"fresh": {"column": "x", "within": "7d"}}, "fresh")
    assert "30 days before 2026-01-01 00:00 UTC; the policy allows 7 days" in finding.message


def test_a_time_zone_is_not_lost(project):
    project.values("(TIMESTAMPTZ '2025-12-31 23:00:00-05')")
    for scope in ({}, {"where": "x IS NOT NULL"}):
        finding = project.find({"fresh": {"column": "x", "within": "1h", **scope}}, "fresh")
        assert finding.data.measured == "2026-01-01 04:00 UTC"


def test_unique_over_several_columns(project):
    project.values("(1, 'a'), (1, 'b'), (NULL, 'a'), (NULL, 'a')", "x, y")
    assert project.find({"unique": ["x", "y"]}, "unique.x+y").outcome == "pass"
    finding = project.find({"unique": [{"columns": "y", "tolerance": "49%"}]}, "unique.y")
    assert (finding.outcome, finding.data.count, finding.data.rows) == ("fail", 2, 4)
    assert [row[:1] for row in finding.data.examples.rows] == [("a",), ("a",), ("a",)]


def test_rules(project):
    project.values("(1, 2), (3, 2), (NULL, 2)", "x, y")
    rule = {"rules": {"in order": "x < y"}}
    finding = project.find(rule, "rules.in order")
    assert (finding.outcome, finding.data.count, finding.data.rows) == ("fail", 1, 3)
    assert finding.data.examples.rows == (("3", "2"),)
    strict = {"rules": {"in order": {"sql": "x < y", "nulls": False}}}
    assert project.find(strict, "rules.in order").data.count == 2
    lenient = {"rules": {"in order": {"sql": "x < y -- a comment", "tolerance": "34%"}}}
    assert project.find(lenient, "rules.in order").outcome == "pass"


def test_overlap(project):
    project.values("(1, 'a'), (2, 'b'), (3, 'c'), (3, 'c')", "id, y")
    project.values("(3, 'c'), (3, 'd')", "id, y", "train.parquet")
    finding = project.find({"overlap": {"with": "train.parquet", "key": ["id", "y"]}}, "overlap")
    assert (finding.outcome, finding.data.count, finding.data.rows) == ("fail", 2, 4)
    assert finding.data.examples.rows[0] == ("3", "c")
    assert (
        project.find({"overlap": {"with": "train.parquet", "key": "id", "limit": "50%"}}, "overlap").outcome == "pass"
    )
    finding = project.find({"overlap": {"with": "train.parquet", "key": "nope"}}, "overlap")
    assert finding.outcome == "fail"
    assert "no column `nope`" in finding.message


def test_label_conflicts(project):
    project.values("(1, 'a', true), (1, 'a', false), (2, NULL, true), (2, NULL, true), (3, 'a', NULL)", "f, g, y")
    finding = project.find({"conflicts": {"label": "y"}}, "conflicts")
    assert (finding.outcome, finding.data.count, finding.data.rows) == ("fail", 2, 5)
    assert len(finding.data.examples.rows) == 2
    assert project.find({"conflicts": {"label": "y", "limit": "40%"}}, "conflicts").outcome == "pass"
    assert project.find({"conflicts": {"label": "y", "features": ["g"]}}, "conflicts").data.count == 3


def test_new_categories(project):
    project.values("('a'), ('b'), ('c'), (NULL)")
    project.values("('a'), ('b')", name="ref.parquet")
    table = {"columns": {"x": {"new": "30%"}}, "drift": {"reference": "ref.parquet", "level": "info"}}
    finding = project.find(table, "x.new")
    assert (finding.outcome, finding.data.count, finding.data.rows) == ("fail", 1, 3)
    assert finding.data.examples.rows == (("c",),)


def test_a_column_that_is_not_there_is_found_with_a_hint(project):
    project.values("(1)", "distance")
    finding = project.find({"columns": {"Distanse": {"missing": "0%"}}}, "Distanse")
    assert finding.blocks
    assert "no column `Distanse`; did you mean `distance`?" in finding.message
    optional = {"columns": {"y": {"optional": True, "missing": 0}}}
    assert [f.check for f in project.check(optional).findings] == ["data.t.rows"]


def test_star_means_every_column_that_has_no_word_of_its_own(project):
    project.values("(NULL, NULL, 1)", "x, y, z")
    columns = {"*": {"missing": "0%"}, "x": {"missing": {"limit": "100%", "level": "info"}}}
    found = {finding.check: finding.outcome for finding in project.check({"columns": columns}).findings}
    assert found == {
        "data.t.rows": "pass",
        "data.t.x.missing": "pass",
        "data.t.y.missing": "fail",
        "data.t.z.missing": "pass",
    }


def test_levels_are_inherited_from_the_nearest(project):
    project.values("(NULL)")
    table = {
        "level": "info",
        "columns": {"x": {"level": "warn", "missing": {"limit": 0, "level": "block"}, "allowed": [1]}},
    }
    levels = {finding.check: finding.level for finding in project.check(table).findings}
    assert levels == {"data.t.rows": "info", "data.t.x.missing": "block", "data.t.x.allowed": "warn"}


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_all_formats_say_the_same(project, name):
    project.write(
        "SELECT range AS id, CASE WHEN range % 16 > 0 THEN range / 2.0::DOUBLE END AS x FROM range(1600)", name
    )
    columns = {"id": {"type": "integer", "unique": True}, "x": {"type": "float", "missing": "5%", "range": [0, 799]}}
    found = {finding.check: finding.message for finding in project.check({"columns": columns}, path=name).findings}
    assert found["data.t.x.missing"] == "6.25 % of `x` are missing (100 of 1,600 rows); the policy allows 5 %."
    assert (
        found["data.t.x.range"] == "0.0667 % of `x` lie outside [0, 799] (1 of 1,500 values); the policy allows none."
    )


def test_rows_that_break_a_check_can_be_saved(project, tmp_path):
    project.values("(1, 'a'), (2, 'b'), (1, 'c')", "x, y")
    result = project.check({"columns": {"x": {"unique": True, "range": [2, 3]}}}, rows_to=tmp_path / "rows")
    assert [file.rsplit("/", 1)[-1] for file in result.saved] == ["t.x.unique.parquet", "t.x.range.parquet"]
    for file in result.saved:
        assert duckdb.sql(f"FROM '{file}'").fetchall() == [(1, "a"), (1, "c")]
