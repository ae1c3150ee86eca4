from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlci.judge.stats.decision import decide_change
from mlci.judge.stats.floors import clopper_pearson, count_estimate, mean_estimate, share_estimate
from mlci.nouns.change import Estimate, TooFew


def estimate(*args, **more):
    seen = share_estimate(*args, **more)
    assert isinstance(seen, Estimate)
    return seen


def test_88_of_100_against_85_percent_is_inconclusive():
    # 81.3 to 92.9 is the two-sided 90 % interval: its ends are the 95 % bounds on which the gate decides.
    seen = estimate(88, 100, 0.85)
    assert (seen.low, seen.high) == pytest.approx((0.813, 0.929), abs=5e-4)
    assert decide_change(seen, 0.0, 0.05) == "inconclusive"
    assert clopper_pearson(88, 100, lower_tail=0.025, upper_tail=0.025) == pytest.approx((0.7998, 0.9364), abs=5e-5)


def test_the_three_outcomes_of_a_floor():
    assert decide_change(estimate(880, 1000, 0.85), 0.0, 0.05) == "pass"
    assert decide_change(estimate(820, 1000, 0.85), 0.0, 0.05) == "fail"
    assert decide_change(estimate(850, 1000, 0.85), 0.0, 0.05) == "inconclusive"


def test_a_ceiling_is_a_floor_turned_round():
    floor, ceiling = estimate(88, 100, 0.85), estimate(12, 100, 0.15, good="down")
    assert (ceiling.low, ceiling.high) == pytest.approx((1 - floor.high, 1 - floor.low))
    assert ceiling.lower_bound == pytest.approx(floor.lower_bound)
    assert (ceiling.p, ceiling.smallest_p) == pytest.approx((floor.p, floor.smallest_p))
    assert ceiling.gain == pytest.approx(0.03)


@given(st.integers(0, 200), st.integers(30, 200), st.floats(0.02, 0.98))
def test_intervals_and_p_agree_with_scipy(k, n, limit):
    k = min(k, n)
    seen = estimate(k, n, limit)
    test = stats.binomtest(k, n, limit, alternative="less")
    both = stats.binomtest(k, n).proportion_ci(0.9, method="exact")
    assert (seen.low, seen.high) == pytest.approx((both.low, both.high), abs=1e-9)
    assert seen.p == pytest.approx(test.pvalue, abs=1e-9)
    assert seen.smallest_p <= seen.p * (1 + 1e-9)
    if abs(seen.p - 0.05) > 1e-9:
        assert (seen.upper_bound < 0) == (seen.p < 0.05)


def test_the_ends_of_the_scale():
    assert clopper_pearson(0, 50)[0] == 0
    assert clopper_pearson(50, 50)[1] == 1


def test_metrics_that_are_shares_are_judged_exactly():
    cells = [[800, 50], [20, 130]]
    for metric, k, n in (
        ("accuracy", 930, 1000),
        ("precision", 130, 180),
        ("recall", 130, 150),
        ("specificity", 800, 850),
    ):
        assert count_estimate(cells, metric, 0.5, np.random.default_rng(0)) == share_estimate(k, n, 0.5)


def test_a_mean_against_a_ceiling_is_students_t():
    x = np.random.default_rng(0).exponential(size=400)
    seen = mean_estimate(float(x.mean()), 400, float(x.var(ddof=1)), 1.1)
    assert isinstance(seen, Estimate)
    test = stats.ttest_1samp(x, 1.1, alternative="greater")
    assert seen.p == pytest.approx(test.pvalue)
    both = stats.ttest_1samp(x, 1.1).confidence_interval(0.9)
    assert (seen.low, seen.high) == pytest.approx((both.low, both.high))
    assert seen.lower_bound == pytest.approx(1.1 - both.high)
    assert seen.upper_bound == pytest.approx(1.1 - both.low)


def test_too_little_or_impossible():
    assert share_estimate(29, 29, 0.5) == mean_estimate(0.0, 29, 1.0, 1.0) == TooFew(what="rows", seen=29, needed=30)
    with pytest.raises(ValueError, match="between 0 and 1"):
        share_estimate(50, 100, 1.0)
    with pytest.raises(ValueError, match="NaN"):
        mean_estimate(float("nan"), 100, 1.0, 1.0)
