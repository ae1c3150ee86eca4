from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from mlci.judge.stats.auc import auc_change, auc_estimate, delong, normal_p, placements, too_few_of_a_class
from mlci.nouns.change import Change, Estimate, TooFew

# Hanley and McNeil (1982), Radiology 143:29-36: 109 CT images rated 1 to 5. Their AUC is .893; Stata's manual of
# `roctab` gives .8932 with DeLong's standard error .0307 and the interval .83295 to .95339.
NORMAL, ABNORMAL = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]


def brute_force(label, *scores):
    """DeLong (1988), eq. 2 to 5, by comparing every positive with every negative."""
    psi = []
    for score in scores:
        x, y = score[label][:, None], score[~label][None, :]
        psi.append((x > y) + 0.5 * (x == y))
    by_positive = np.array([part.mean(axis=1) for part in psi])
    by_negative = np.array([part.mean(axis=0) for part in psi])
    covariance = np.cov(by_positive) / label.sum() + np.cov(by_negative) / (~label).sum()
    return by_positive.mean(axis=1), covariance


def sample(n, seed, *, levels=None):
    rng = np.random.default_rng(seed)
    label = rng.random(n) < 0.4
    signal = rng.normal(size=n) + label
    old, new = (signal + rng.normal(size=n) for _ in range(2))
    if levels:
        old, new = np.round(old * levels), np.round(new * levels)
    return label, old, new


def test_the_ct_ratings_of_hanley_and_mcneil():
    ratings = np.concatenate([np.repeat(np.arange(1.0, 6), NORMAL), np.repeat(np.arange(1.0, 6), ABNORMAL)])
    label = np.repeat([False, True], [58, 51])
    seen = delong(label, ratings)
    error = float(np.sqrt(seen.covariance[0, 0]))
    assert float(seen.values[0]) == pytest.approx(0.8932, abs=5e-5)
    assert error == pytest.approx(0.0307, abs=5e-5)
    low, high = (float(seen.values[0]) + z * error for z in (-1.959964, 1.959964))
    assert (low, high) == pytest.approx((0.83295, 0.95339), abs=5e-6)


@pytest.mark.parametrize("levels", [None, 1, 3])
@pytest.mark.parametrize("n", [20, 97, 300])
def test_fast_delong_is_delong(n, levels):
    label, old, new = sample(n, n, levels=levels)
    seen = delong(label, old, new)
    values, covariance = brute_force(label, old, new)
    assert seen.values == pytest.approx(values, abs=1e-13)
    assert seen.covariance == pytest.approx(covariance, abs=1e-14)
    assert seen.values == pytest.approx([roc_auc_score(label, old), roc_auc_score(label, new)], abs=1e-13)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=50))
def test_placements_count_the_other_class(rows):
    label, score = (np.array(column) for column in zip(*rows, strict=True))
    assume(0 < label.sum() < label.size)
    above, below = placements(label, score.astype(float))
    beaten = np.sign(score[label][:, None] - score[~label]) / 2 + 0.5
    assert above == pytest.approx(beaten.mean(axis=1))
    assert below == pytest.approx(beaten.mean(axis=0))


@given(st.integers(0, 2**32 - 1))
def test_only_the_order_of_scores_matters(seed):
    label, old, new = sample(120, seed, levels=2)
    plain, bent = delong(label, old, new), delong(label, np.exp(old), new**3)
    assert plain.values == pytest.approx(bent.values)
    assert plain.covariance == pytest.approx(bent.covariance)


def test_the_change_and_its_bounds():
    label, old, new = sample(2000, 1)
    seen = auc_change(delong(label, old, new))
    assert isinstance(seen, Change)
    values, covariance = brute_force(label, old, new)
    error = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    assert seen.change == pytest.approx(values[1] - values[0])
    assert seen.low == pytest.approx(seen.change - 1.6448536 * error)
    assert seen.high == pytest.approx(seen.change + 1.6448536 * error)
    assert np.sqrt(seen.variance / seen.n) == pytest.approx(error)
    turned = auc_change(delong(label, new, old))
    assert isinstance(turned, Change)
    assert turned.p == pytest.approx(1 - seen.p)
    assert turned.low == pytest.approx(-seen.high)


def test_the_same_scores_twice_have_not_changed():
    label, old, _ = sample(200, 2)
    seen = auc_change(delong(label, old, old))
    assert isinstance(seen, Change)
    assert (seen.change, seen.low, seen.high, seen.p) == (0, 0, 0, 0.5)


def test_an_estimate_stays_inside_the_unit_interval():
    label = np.repeat([False, True], [40, 40])
    perfect = auc_estimate(delong(label, label.astype(float)), 0.9)
    assert isinstance(perfect, Estimate)
    assert perfect.value == 1
    assert 0.9 < perfect.low < perfect.high < 1
    label, score, _ = sample(400, 3)
    usual = auc_estimate(delong(label, score), 0.6)
    assert isinstance(usual, Estimate)
    assert usual.low < usual.value < usual.high
    assert usual.p > 0.99
    assert usual.lower_bound == pytest.approx(usual.low - 0.6)


def test_a_limit_on_the_end_of_the_interval_has_the_p_of_that_bound():
    label, score, _ = sample(400, 4)
    first = auc_estimate(delong(label, score), 0.6)
    assert isinstance(first, Estimate)
    at_high = auc_estimate(delong(label, score), first.high)
    at_low = auc_estimate(delong(label, score), first.low, good="down")
    assert isinstance(at_high, Estimate)
    assert isinstance(at_low, Estimate)
    assert (at_high.p, at_low.p) == pytest.approx((0.05, 0.05))


def test_one_class_or_too_few_of_it_are_not_judged():
    few = np.repeat([False, True], [500, 29])
    assert too_few_of_a_class(few) == TooFew(what="positives", seen=29, needed=30)
    assert too_few_of_a_class(~few) == TooFew(what="negatives", seen=29, needed=30)
    with pytest.raises(ValueError, match="two rows of each class"):
        delong(np.ones(50, dtype=bool), np.arange(50.0))


def test_scores_that_are_no_numbers_are_refused():
    label, old, _ = sample(100, 5)
    old[3] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        delong(label, old)


def test_without_spread_the_sign_decides():
    assert [normal_p(gain, 0.0) for gain in (-1.0, 0.0, 1.0)] == [0, 0.5, 1]
