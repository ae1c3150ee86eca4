from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlci.judge.stats import power
from mlci.judge.stats.paired import mcnemar_mid_p
from mlci.judge.stats.power import Further, further_rows, smallest_drop, smallest_drop_normal


@pytest.mark.parametrize(("n", "alone", "first_of_20"), [(500, 2.4, 3.5), (2000, 1.2, 1.8), (10000, 0.6, 0.8)])
def test_smallest_drop_caught_eight_times_in_ten(n, alone, first_of_20):
    assert round(100 * smallest_drop(n, 0.05), 1) == alone
    assert round(100 * smallest_drop(n, 0.05, alpha=0.05 / 20), 1) == first_of_20


def test_the_exact_and_the_normal_answer_meet_where_one_takes_over():
    assert smallest_drop(40_000, 0.05) == pytest.approx(smallest_drop_normal(0.05, 40_001), rel=0.005)
    assert smallest_drop(1_000_000, 0.05) == smallest_drop_normal(0.05, 1_000_000)


def test_a_handful_of_rows_sees_nothing_or_only_a_disaster():
    assert smallest_drop(3, 0.0) == math.inf
    assert 0.1 < smallest_drop(30, 0.0) < 0.25


@given(st.integers(30, 3000), st.floats(0, 0.5), st.sampled_from([0.05, 0.01, 0.0025]))
def test_more_rows_see_smaller_drops(n, q, alpha):
    assert smallest_drop(4 * n, q, alpha=alpha) < smallest_drop(n, q, alpha=alpha)


@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.0025, 1e-6])
def test_the_critical_count_is_the_first_that_rejects(alpha):
    sizes = np.arange(0, 400)
    critical = power._critical_lost(sizes.astype(float), alpha)  # noqa: SLF001 - the bracket is a claim to check
    assert (critical >= sizes / 2).all()
    inside = critical <= sizes
    assert (mcnemar_mid_p((sizes - critical)[inside], critical[inside]) <= alpha).all()
    assert (mcnemar_mid_p(sizes - critical + 1, np.maximum(critical - 1, 0))[sizes > 0] > alpha).all()


def test_further_rows_and_labels_of_the_worked_example():
    further = further_rows(102 / 2000, 2000, 0.01, label_share=102 / 2000)
    assert further is not None
    assert further.rows == pytest.approx(1150, abs=10)
    assert further.labels == 59
    assert further_rows(0.05, 2000, 0.01) == Further(rows=1092, labels=1092)


def test_where_there_are_rows_enough_none_are_missing_and_where_none_help_it_says_so():
    assert further_rows(0.05, 100_000, 0.01) == Further(rows=0, labels=0)
    assert further_rows(0.05, 100, 0.0) is None


def test_a_smaller_risk_of_missing_costs_rows():
    usual, careful = (further_rows(0.05, 0, 0.01, beta=beta) for beta in (0.05, 0.05 / 50))
    assert usual is not None
    assert careful is not None
    assert careful.rows / usual.rows == pytest.approx(2.5, abs=0.1)
