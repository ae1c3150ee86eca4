from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlci.judge.stats.bca import bootstrap_ratio
from mlci.judge.stats.losses import loss_change, loss_change_from_sums
from mlci.judge.stats.student import mean_test, skewness, t_suffices
from mlci.nouns.change import Change, TooFew


def losses(n, seed=0):
    rng = np.random.default_rng(seed)
    old = rng.exponential(size=n)
    return old, old + rng.normal(0.02, 0.3, size=n)


def change(old, new, seed=0, **more):
    seen = loss_change(old, new, np.random.default_rng(seed), **more)
    assert isinstance(seen, Change)
    return seen


def test_paired_t_is_scipys():
    old, new = losses(500)
    seen = change(old, new)
    assert seen.method == "paired t"
    test = stats.ttest_rel(new, old, alternative="greater")
    assert seen.p == pytest.approx(test.pvalue)
    both = stats.ttest_rel(new, old).confidence_interval(0.9)
    assert (seen.low, seen.high) == pytest.approx((both.low, both.high))


def test_sums_are_enough():
    old, new = losses(500)
    by_sums = loss_change_from_sums(old.mean(), new.mean(), 500, (new - old).var(ddof=1), skew=skewness(new - old))
    assert by_sums == change(old, new)


def test_a_gain_is_a_loss_turned_round():
    old, new = losses(500)
    loss, profit = change(old, new), change(-old, -new, good="up")
    assert (profit.low, profit.high) == pytest.approx((-loss.high, -loss.low))
    assert profit.p == pytest.approx(loss.p)
    assert profit.lower_bound == pytest.approx(loss.lower_bound)


def test_bca_is_scipys():
    x = np.random.default_rng(3).exponential(size=60) - 0.7
    ours = bootstrap_ratio(x, np.ones(60), np.random.default_rng(1))
    theirs = stats.bootstrap((x,), np.mean, method="BCa", confidence_level=0.9, n_resamples=10_000, rng=1)
    interval = theirs.confidence_interval
    assert (ours.bound(0.05), ours.bound(0.95)) == pytest.approx((interval.low, interval.high))


@pytest.mark.parametrize("level", [0.01, 0.05, 0.5, 0.95, 0.99])
def test_the_p_of_a_bound_is_its_level(level):
    x = np.random.default_rng(3).exponential(size=60)
    drawn = bootstrap_ratio(x, np.ones(60), np.random.default_rng(1))
    assert drawn.p_at_least(drawn.bound(level)) == pytest.approx(1 - level, abs=0.002)


def test_few_skewed_rows_are_bootstrapped():
    rng = np.random.default_rng(5)
    old = rng.exponential(size=200)
    new = old + rng.exponential(size=200) ** 3
    seen = change(old, new)
    assert seen.method == "BCa bootstrap"
    assert seen.p < 1e-6  # every difference is a loss
    assert seen.low < seen.change < seen.high
    assert seen.high - seen.change > seen.change - seen.low
    assert seen == change(old, new)


def test_many_skewed_rows_are_corrected_without_a_bootstrap():
    rng = np.random.default_rng(5)
    old = rng.exponential(size=2500)
    new = old + rng.lognormal(sigma=1.5, size=2500)
    seen = change(old, new)
    drawn = bootstrap_ratio(new - old, np.ones(2500), rng)
    assert seen.method == "paired t with Hall's correction"
    width = seen.high - seen.low
    assert (seen.low, seen.high) == pytest.approx((drawn.bound(0.05), drawn.bound(0.95)), abs=0.05 * width)


@pytest.mark.parametrize("skew", [-8.0, -1.0, 1e-12, 1.0, 8.0])
def test_the_corrected_p_of_a_bound_is_its_level(skew):
    low, high = mean_test(0.0, 1.0, 60, skew, alpha=0.1, beta=0.05).bounds
    assert mean_test(-low, 1.0, 60, skew, alpha=0.1, beta=0.05).p == pytest.approx(0.95)
    assert mean_test(-high, 1.0, 60, skew, alpha=0.1, beta=0.05).p == pytest.approx(0.1)


def test_batches_do_not_change_what_many_rows_give():
    top = np.random.default_rng(0).exponential(size=3000)
    drawn = bootstrap_ratio(top, np.ones(3000), np.random.default_rng(1), resamples=2000)
    assert drawn.resampled.std() == pytest.approx(top.std() / np.sqrt(3000), rel=0.05)
    assert (np.diff(drawn.resampled) >= 0).all()


def test_equal_losses_have_not_changed():
    old, _ = losses(300)
    for n in (50, 300):
        seen = change(old[:n], old[:n])
        assert (seen.change, seen.low, seen.high) == (0, 0, 0)
        assert seen.p == pytest.approx(0.5, abs=0.01)
    assert [mean_test(gain, 0.0, 99, 0.0, alpha=0.05, beta=0.05).p for gain in (-1.0, 0.0, 1.0)] == [0, 0.5, 1]


def test_when_t_is_trusted():
    assert not t_suffices(99, 0.0)
    assert t_suffices(100, 0.9)
    assert not t_suffices(100, 1.1)
    assert t_suffices(1_000_000, 99)


@given(st.lists(st.floats(-100, 100).map(lambda x: round(x, 3)), min_size=3, max_size=50))
def test_skewness_is_scipys(values):
    x = np.array(values)
    if x.std() > 1e-3:
        assert skewness(x) == pytest.approx(stats.skew(x), abs=1e-6)
    assert skewness(np.full(5, 3.0)) == 0


def test_what_is_no_number_is_refused_and_too_little_is_not_judged():
    old, new = losses(100)
    new[0] = np.inf
    with pytest.raises(ValueError, match="infinities"):
        loss_change(old, new, np.random.default_rng(0))
    with pytest.raises(ValueError, match="NaN"):
        loss_change_from_sums(1.0, 1.0, 100, np.nan)
    too_few = TooFew(what="rows", seen=29, needed=30)
    assert loss_change(old[1:30], new[1:30], np.random.default_rng(0)) == too_few
    assert loss_change_from_sums(1.0, 1.0, 29, 1.0) == too_few
