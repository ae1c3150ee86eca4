"""What the judge says of data, and the answers that a policy gets where the table lacks what it speaks of."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mlci.judge.data import judge_data
from mlci.judge.data_words import moment, number, percent, slice_name, span
from mlci.nouns.aggregate import Answers, Count
from mlci.nouns.base import Place
from mlci.nouns.data_check import DataCheck, NumberOf, RankCounts, RankOf
from mlci.nouns.scalars import Bound


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (number(0.123456), "0.1235"),
        (number(12_345_678.0), "12,345,678"),
        (number(float("nan")), "not a number"),
        (number(float("-inf")), "infinite"),
        (number(5.00001, Bound.model_validate("<= 5")), "5.00001"),
        (number(1e-20, Bound.model_validate("<= 0")), "1e-20"),
        (percent(0.062), "6.2 %"),
        (percent(0.05001, 0.05), "5.001 %"),
        (percent(0.05, 0.05), "5 %"),
        (span(90), "90 seconds"),
        (span(300), "5 minutes"),
        (span(7_200), "2 hours"),
        (span(200_000), "2.315 days"),
        (moment(0), "1970-01-01 00:00 UTC"),
        (moment(1e20), "a time beyond the calendar"),
        (slice_name(("a", "b"), ("x", None)), "a = x, b is missing"),
        (slice_name((), ()), None),
    ],
)
def test_numbers_in_words(said, words):
    assert said == words


def test_what_nobody_measured_does_not_pass():
    check = DataCheck(
        id="data.t.rows",
        title="rows",
        level="block",
        place=Place(file="params.yaml"),
        table="t",
        word="rows",
        reading=NumberOf(value=Count(), limit=Bound.model_validate(">= 1"), name="the number of rows", counts=True),
    )
    (judged,) = judge_data([check], Answers())
    assert judged.finding.outcome == "not_measured"
    assert judged.finding.blocks


def test_a_rank_test_knows_its_side():
    reading = RankOf(
        quantile=0.5, column="x", under=Count(), upto=Count(), of=Count(), limit=Bound(low=1, high=2), name="the median"
    )
    assert reading.side(RankCounts(under=5, upto=9, rows=10)) == "below"
    assert reading.side(RankCounts(under=4, upto=5, rows=10)) == "inside"
    assert reading.side(RankCounts(under=4, upto=4, rows=10)) == "above"


ABSENT = {
    "fresh": {"fresh": {"column": "nope", "within": "1d"}},
    "unique.x+nope": {"unique": ["x", "nope"]},
    "conflicts": {"conflicts": {"label": "nope"}},
    "overlap": {"overlap": {"with": "t.parquet", "key": "nope"}},
}


@pytest.mark.parametrize("check", ABSENT)
def test_a_column_that_a_promise_speaks_of_must_be_there(project, check):
    project.values("(1, 2)", "x, y")
    finding = project.find(ABSENT[check], check)
    assert finding.outcome == "fail"
    assert "has no column `nope`" in finding.message


def test_an_overlap_needs_the_key_in_the_other_table_too(project):
    project.values("(1)")
    project.values("(1)", "y", "other.parquet")
    finding = project.find({"overlap": {"with": "other.parquet", "key": "x"}}, "overlap")
    assert finding.outcome == "not_measured"
    assert "other.parquet has no column `x`" in finding.message


def test_conflicts_need_features(project):
    project.values("(1)", "y")
    assert project.find({"conflicts": {"label": "y"}}, "conflicts").outcome == "not_measured"


@pytest.mark.parametrize(
    ("fresh", "outcome", "words"),
    [
        ({"as_of": "yesterday"}, "not_measured", "`as_of` is no date or time: yesterday"),
        ({"within": "90s"}, "fail", "the policy allows 90 seconds"),
        ({"within": "12h"}, "fail", "the policy allows 12 hours"),
        ({"within": "30min"}, "fail", "the policy allows 30 minutes"),
        ({"as_of": "2025-12-30"}, "pass", "after 2025-12-30 00:00 UTC, which it is seen from"),
    ],
)
def test_freshness_in_words(project, fresh, outcome, words):
    project.values("(TIMESTAMP '2025-12-31')")
    finding = project.find(
        {"fresh": {"column": "x", "within": "1h", **fresh}}, "fresh", now=datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert finding.outcome == outcome
    assert words in finding.message


@pytest.mark.parametrize(
    ("values", "entry", "word", "outcome"),
    [
        ("(1)", {"allowed": ["a", "b"]}, "allowed", "fail"),
        ("(1)", {"allowed": ["1", "b"]}, "allowed", "pass"),
        ("(1)", {"share": {"a": "<= 0%"}}, "share.a", "pass"),
        ("(1.5::FLOAT)", {"share": {1.5: 1}}, "share.1.5", "pass"),
        ("('a')", {"length": [None, None]}, "length", None),
        ("('a')", {"length": "> 0"}, "length", "pass"),
        ("('')", {"length": "> 0"}, "length", "fail"),
        ("('abc')", {"length": "< 3"}, "length", "fail"),
        ("(5)", {"range": [None, None]}, "range", "pass"),
        ("([5])", {"range": [1, 2]}, "range", "not_measured"),
        ("(DATE '2025-01-02')", {"allowed": ["2025-01-02"]}, "allowed", "pass"),
        ("(5)", {"median": "< 5"}, "median", "fail"),
        ("(5)", {"median": "> 5"}, "median", "fail"),
        ("(5)", {"median": ">= 5"}, "median", "pass"),
        ("(1), (2)", {"missing": [0.1, 0.2]}, "missing", "fail"),
        ("(1), (1)", {"unique": False}, "unique", None),
    ],
)
def test_odd_corners_of_the_vocabulary(project, values, entry, word, outcome):
    project.values(values)
    if outcome is None:
        with pytest.raises((ValueError, AssertionError)):
            project.column(entry, word)
    else:
        assert project.column(entry, word).outcome == outcome


def test_a_failed_quantile_of_slices_is_told_with_its_value(project):
    project.values("('a', 1), ('a', 2), ('a', 3), ('b', 9), ('b', 9)", "g, x")
    found = project.check({"columns": {"x": {"median": {"limit": "<= 1", "by": "g"}}}}).findings[1:]
    assert [(finding.data.slice, finding.data.measured) for finding in found] == [("g = a", 2), ("g = b", 9)]
    assert found[0].message == "The median of `x` is 2 (of 3 values, 33.3 % at most 1); the policy wants <= 1."


def test_a_quantile_is_told_by_counts_where_memory_is_short(project, monkeypatch):
    monkeypatch.setattr("mlci.flows.check_data._BYTES_A_VALUE", 10**9)
    project.write("SELECT range AS x FROM range(100_000)")
    finding = project.column({"median": "<= 10"}, "median")
    assert finding.message == (
        "The median of `x` is told by counts: of 100,000 values, 0.011 % at most 10; the policy wants <= 10."
    )
