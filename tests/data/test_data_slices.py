"""Conditional checks, and checks of every slice."""

from __future__ import annotations

import pytest

FLIGHTS = "('JFK', 1), ('JFK', NULL), ('LGA', 2), ('LGA', 3), (NULL, NULL), ('EWR', 4)"


@pytest.fixture
def flights(project):
    project.values(FLIGHTS, "origin, x")
    return project


def test_where_takes_only_the_rows_that_meet_it(flights):
    check = {"missing": {"limit": "0%", "where": "origin = 'JFK'"}}
    finding = flights.column(check, "missing")
    assert (finding.data.count, finding.data.rows) == (1, 2)
    assert finding.title == "x missing <= 0%, where origin = 'JFK'"
    assert flights.column({"missing": {"limit": 0, "where": "origin = 'LGA'"}}, "missing").outcome == "pass"


def test_conditions_of_table_column_and_check_hold_together(flights):
    table = {
        "where": "origin <> 'EWR'",
        "columns": {"x": {"where": "x > 1", "range": {"limit": [3, 9], "where": "x < 9"}}},
    }
    finding = flights.find(table, "x.range")
    assert (finding.data.count, finding.data.rows) == (1, 2)
    assert flights.find(table, "rows").data.measured == 4


def test_a_condition_that_no_row_meets_does_not_pass(flights):
    finding = flights.column({"missing": {"limit": 0, "where": "origin = 'SFO'"}}, "missing")
    assert finding.outcome == "not_measured"
    assert finding.blocks
    assert "where the condition holds" in finding.message


def test_every_slice_that_fails_is_a_finding(flights):
    found = flights.check({"columns": {"x": {"missing": {"limit": "40%", "by": "origin"}}}}).findings[1:]
    assert [(finding.data.slice, finding.data.count) for finding in found] == [
        ("origin = JFK", 1),
        ("origin is missing", 1),
    ]
    assert found[0].title == "x missing <= 40%, origin = JFK"
    assert found[0].data.examples.rows == ((None, "JFK"),)
    assert found[1].data.examples.rows == ((None, None),)


def test_slices_that_hold_are_one_finding(flights):
    finding = flights.column({"missing": {"limit": "50%", "by": "origin", "where": "origin IS NOT NULL"}}, "missing")
    assert finding.outcome == "pass"
    assert finding.message.startswith("Holds in all 3 slices by origin; worst origin = JFK: 50 % of `x` are missing")


def test_words_by_slice(flights):
    columns = {
        "x": {
            "by": "origin",
            "unique": True,
            "range": [1, 3],
            "mean": [1, 3],
            "median": "<= 3",
            "std": {"limit": [0, 1], "where": "origin = 'LGA'"},
            "share": {1: "<= 50%"},
        }
    }
    table = {
        "columns": columns,
        "unique": [{"columns": ["x"], "by": ["origin"]}],
        "rows": {"limit": ">= 2", "by": "origin"},
    }
    bad = {(f.check, f.data.slice) for f in flights.check(table).findings if f.outcome != "pass"}
    assert bad == {
        ("data.t.x.range", "origin = EWR"),
        ("data.t.x.mean", "origin = EWR"),
        ("data.t.x.median", "origin = EWR"),
        ("data.t.x.share.1", "origin = JFK"),
        ("data.t.rows", "origin = EWR"),
        ("data.t.rows", "origin is missing"),
    }


def test_overlap_and_conflicts_by_slice(flights):
    flights.values("(1), (4)", "x", "train.parquet")
    table = {
        "overlap": {"with": "train.parquet", "key": "x", "by": "origin", "limit": "60%"},
        "conflicts": {"label": "origin", "features": "x", "by": "origin", "limit": "60%"},
    }
    found = {(f.check, f.data.slice): f for f in flights.check(table).findings if f.outcome == "fail"}
    assert set(found) == {
        ("data.t.overlap", "origin = EWR"),
        ("data.t.conflicts", "origin is missing"),
    }
    assert found["data.t.overlap", "origin = EWR"].data.examples.rows == (("4", "EWR"),)


def test_too_many_slices_are_not_measured(project):
    project.write("SELECT range AS x FROM range(1001)")
    finding = project.column({"missing": {"limit": 0, "by": "x"}}, "missing")
    assert finding.outcome == "not_measured"
    assert "more than 1,000 values" in finding.message
    assert finding.mend


def test_a_column_to_split_by_must_be_there(flights):
    finding = flights.column({"missing": {"limit": 0, "by": "orign"}}, "missing")
    assert finding.outcome == "fail"
    assert "no column `orign`; did you mean `origin`?" in finding.message
