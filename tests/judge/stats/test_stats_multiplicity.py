from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binom

from mlci.judge.stats.multiplicity import holm, tarone_holm, tarone_kept
from mlci.judge.stats.paired import mcnemar_mid_p, smallest_mid_p

TABLES = st.lists(st.tuples(st.integers(0, 25), st.integers(0, 25)), min_size=1, max_size=30)
ALPHA = st.sampled_from([0.01, 0.05, 0.1])


def _tests(tables):
    gained, lost = np.array(tables).T
    return mcnemar_mid_p(gained, lost), smallest_mid_p(gained, lost)


def test_three_binomial_tests_as_in_the_r_package_mhtdiscrete():
    # Its example: K = 3, single-step adjusted p .1054688, .0468750, .1228800. The step-down keeps the first step and
    # multiplies the others by 2 and 1.
    p = [binom.cdf(1, 8, 0.5), binom.cdf(1, 5, 0.75), binom.cdf(1, 6, 0.6)]
    smallest = [binom.pmf(0, 8, 0.5), binom.pmf(0, 5, 0.75), binom.pmf(0, 6, 0.6)]
    assert 3 * np.array(p) == pytest.approx([0.1054688, 0.0468750, 0.1228800], abs=1e-7)
    seen = tarone_holm(p, smallest, 0.05)
    assert seen.kept.all()
    assert seen.adjusted == pytest.approx([0.0703125, 0.0468750, 0.0703125])
    assert seen.rejected.tolist() == [False, True, False]
    assert seen.threshold == pytest.approx([0.025, 0.05 / 3, 0.025])


def test_tests_that_cannot_reject_cost_the_others_nothing():
    # One slice with 10 discordant rows, all lost (.5^11 = .00049), among 199 with at most three (p at least .0625).
    gained, lost = np.array([0] + [1] * 199), np.array([10] + [2] * 199)
    p, smallest = mcnemar_mid_p(gained, lost), smallest_mid_p(gained, lost)
    assert p[0] * 200 > 0.05
    assert not holm(p, 0.05).rejected.any()
    seen = tarone_holm(p, smallest, 0.05)
    assert seen.rejected.tolist() == [True] + [False] * 199
    assert seen.adjusted[0] == p[0]
    assert seen.threshold[0] == 0.05
    assert (seen.threshold[1:] == 0).all()


def test_the_least_k_is_taken():
    # <= .05: 4 tests; <= .025: 3; <= .0167: 2, which is at most 3.
    assert tarone_kept([0.001, 0.016, 0.02, 0.04, 0.3], 0.05).tolist() == [True, True, False, False, False]


def test_no_test_at_all_rejects_nothing():
    assert tarone_holm([], [], 0.05).rejected.size == 0


def test_holm_as_everybody_computes_it():
    seen = holm([0.01, 0.04, 0.03, 0.005], 0.05)
    assert seen.adjusted == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert seen.rejected.tolist() == [True, False, False, True]


@given(TABLES, ALPHA)
def test_never_more_than_the_uncorrected_tests_and_never_less_than_bonferroni(tables, alpha):
    p, smallest = _tests(tables)
    seen = tarone_holm(p, smallest, alpha)
    assert not (seen.rejected & (p > alpha)).any()
    assert (seen.adjusted >= p).all()
    assert seen.rejected[p <= alpha / p.size].all()


@given(TABLES, ALPHA)
def test_rejections_thresholds_and_adjusted_p_agree(tables, alpha):
    p, smallest = _tests(tables)
    seen = tarone_holm(p, smallest, alpha)
    clear = np.abs(p - seen.threshold) > 1e-12
    assert (seen.rejected == (p <= seen.threshold))[clear].all()
    assert (seen.rejected == (seen.adjusted <= alpha)).all()
    assert not (seen.rejected & ~seen.kept).any()


@given(TABLES, ALPHA, st.randoms(use_true_random=False))
def test_the_order_of_the_tests_does_not_matter(tables, alpha, random):
    p, smallest = _tests(tables)
    order = list(range(p.size))
    random.shuffle(order)
    seen, turned = tarone_holm(p, smallest, alpha), tarone_holm(p[order], smallest[order], alpha)
    for ours, theirs in zip(seen, turned, strict=True):
        assert (ours[order] == theirs).all()


@given(TABLES, ALPHA, st.data())
def test_a_smaller_p_loses_no_rejection(tables, alpha, data):
    p, smallest = _tests(tables)
    at = data.draw(st.integers(0, p.size - 1))
    assume(p[at] > smallest[at])
    lower = p.copy()
    lower[at] = data.draw(st.floats(float(smallest[at]), float(p[at])))
    assert (tarone_holm(lower, smallest, alpha).rejected >= tarone_holm(p, smallest, alpha).rejected).all()
