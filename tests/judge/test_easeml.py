from __future__ import annotations

import pytest

from mlci.judge.easeml import Clause, bennett, hoeffding, parse, rows_of

TABLE = [
    (0.01, 0.1, 404, 1_340, 1_753, 5_496),
    (0.01, 0.05, 1_615, 5_358, 7_012, 21_984),
    (0.0001, 0.05, 2_536, 6_279, 10_696, 25_668),
    (0.0001, 0.01, 63_381, 156_956, 267_385, 641_684),
]


@pytest.mark.parametrize(("risk", "eps", "one", "one_full", "two", "two_full"), TABLE)
def test_rows_of_the_published_table(risk, eps, one, one_full, two, two_full):
    n, difference = parse(f"n > 0.8 +/- {eps}"), parse(f"n - o > 0.02 +/- {eps}")
    assert abs(rows_of(n, risk, steps=32) - one) <= 1
    assert abs(rows_of(n, risk, steps=32, adaptivity="full") - one_full) <= 1
    assert abs(rows_of(difference, risk, steps=32) - two) <= 1
    assert abs(rows_of(difference, risk, steps=32, adaptivity="full") - two_full) <= 1


def test_few_changed_predictions_need_fewer_rows():
    assert abs(bennett(0.01, 1e-4, 0.1, steps=32).rows - 29_047) <= 1
    assert abs(bennett(0.01, 1e-4, 0.1, steps=32, adaptivity="full").rows - 67_705) <= 1
    assert abs(bennett(0.01, 1e-4, 0.1, steps=32).labels_per_commit - 2_188) <= 1


def test_clauses_share_the_risk_and_the_strictest_decides():
    both = parse("n - o > 0.02 +/- 0.01 /\\ d < 0.1 +/- 0.01")
    assert both[1] == Clause({"d": 1.0}, 0.1, 0.01)
    assert rows_of(both, 0.01) == hoeffding(0.01, 0.01, variables=2, clauses=2)
    assert rows_of(both, 0.01) == rows_of(both[:1], 0.005)


def test_factors_scale_the_range():
    assert rows_of(parse("2 * n > 1 +/- 0.1"), 0.01) == hoeffding(0.1, 0.01, scope=2)
    assert rows_of(parse("n - 1.1*o > 0 +/- 0.05"), 0.01) > rows_of(parse("n - o > 0 +/- 0.05"), 0.01)


@pytest.mark.parametrize(
    "condition",
    ["", "n", "n > 0.8", "n - x > 0 +/- 0.1", "n n > 0 +/- 0.1", "n - o > 0 +/- 0", "n - n > 0 +/- 0.1", "> 1 +/- 1"],
)
def test_what_is_no_condition_is_refused(condition):
    with pytest.raises(ValueError, match=r"needed here|no sum|always 0"):
        parse(condition)
