"""Metrics before their labels are there: the calibration map, the estimate, and whether its interval holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlci.judge.monitor.estimate import calibrate, estimate, payoff, realised
from mlci.nouns.monitor import Estimate, Realised

METRICS = ("accuracy", "cost", "log_loss")


def drawn(rng, rows, shift=0.0):
    """Scores that promise more than they keep, and their labels."""
    logit = rng.normal(shift - 0.5, 1.5, size=rows)
    true = 1 / (1 + np.exp(-logit))
    return rng.random(rows) < true, 1 / (1 + np.exp(-1.6 * logit))


def test_map_by_hand():
    """Two bins that fall are pooled: 20 rows with 10 hits and 20 with 6 make 16 of 40."""
    score = np.repeat([0.2, 0.4, 0.9], 20)
    label = np.array([True] * 10 + [False] * 10 + [True] * 6 + [False] * 14 + [True] * 20)
    known = calibrate(label, score, bins=3)
    assert known.share == pytest.approx([0.4, 0.4, 1.0])
    found = estimate(known, "accuracy", np.array([0.3, 0.95]), payoff("accuracy", np.array([0.3, 0.95])))
    assert found.value == pytest.approx((0.6 + 1.0) / 2)
    assert found.outside == 0.5


@pytest.mark.parametrize("metric", METRICS)
def test_interval_holds_under_a_shift_of_the_inputs(metric):
    rng = np.random.default_rng(11)
    held, errors = 0, []
    for _ in range(300):
        known = calibrate(*drawn(rng, 4_000))
        label, score = drawn(rng, 1_000, shift=0.7)
        worth = payoff(metric, score, threshold=0.4, costs=(1.0, 3.0))
        found = Realised(estimate=estimate(known, metric, score, worth), value=realised(worth, label))
        held += found.held
        errors.append(found.error)
    assert 0.9 <= held / 300 <= 0.99
    assert abs(np.mean(errors)) < 0.3 * np.std(errors)


def test_raw_scores_would_be_wrong_where_the_map_is_right():
    rng = np.random.default_rng(12)
    known = calibrate(*drawn(rng, 20_000))
    label, score = drawn(rng, 20_000)
    worth = payoff("log_loss", score)
    raw = float(np.mean(score * worth.positive + (1 - score) * worth.negative))
    found, real = estimate(known, "log_loss", score, worth), realised(worth, label)
    assert abs(found.value - real) < 0.015
    assert abs(raw - real) > 0.05


def test_labels_that_mean_something_else_show_once_they_come():
    rng = np.random.default_rng(13)
    known = calibrate(*drawn(rng, 4_000))
    label, score = drawn(rng, 2_000)
    worth = payoff("accuracy", score)
    flipped = np.where(rng.random(2_000) < 0.2, ~label, label)
    found = Realised(estimate=estimate(known, "accuracy", score, worth), value=realised(worth, flipped))
    assert not found.held
    assert found.error < -0.05


@settings(deadline=None)
@given(st.integers(1, 200), st.integers(0, 2**32 - 1))
def test_map_never_falls_and_estimates_are_finite(rows, seed):
    rng = np.random.default_rng(seed)
    score, label = np.round(rng.random(rows), 1), rng.random(rows) < 0.3
    known = calibrate(label, score)
    assert np.all(np.diff(known.share) >= -1e-12)
    for metric in METRICS:
        found = estimate(known, metric, score, payoff(metric, score))
        assert 0 <= found.low <= found.value <= found.high < np.inf
        assert Estimate.model_validate_json(found.model_dump_json()) == found
