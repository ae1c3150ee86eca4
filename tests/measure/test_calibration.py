"""Calibration against definitions and simulation."""

import numpy as np
import pytest

from mlci.measure.calibration import calibration


def drawn(n, seed, bend=1.0):
    """Scores, and labels that are positive with the score to the power of `bend`."""
    rng = np.random.default_rng(seed)
    score = rng.random(n)
    return rng.random(n) < score**bend, score


def test_the_parts_make_up_the_score():
    label, score = drawn(5_000, 1, 1.5)
    score = np.round(4 * score) / 4
    seen = calibration(label, score, 1)
    brier = np.mean((score - label) ** 2)
    # One score a bin: no spread within bins.
    assert seen.reliability - seen.resolution + seen.uncertainty == pytest.approx(brier)
    assert seen.uncertainty == pytest.approx(label.var(ddof=1))


def test_a_known_answer():
    """Scores of .2 and .8, half of the rows of each positive: every bin is .3 away."""
    score = np.repeat([0.2, 0.8], 1_000)
    label = np.tile([True, False], 1_000)
    seen = calibration(label, score, 1)
    assert seen.ece == pytest.approx(0.3, abs=0.001)
    assert seen.low < 0.3 < seen.high
    assert seen.reliability == pytest.approx(0.09 - 0.25 / 999)
    assert seen.resolution == pytest.approx(-0.25 / 999 + 0.25 / 1_999)


def test_a_perfect_model_and_few_rows():
    assert calibration(np.ones(99, dtype=bool), np.ones(99), 1) is None
    label = np.arange(200) % 2 == 0
    seen = calibration(label, label.astype(float), 1)
    assert (seen.ece, seen.low, seen.high, seen.reliability) == (0, 0, 0, 0)
    assert seen.resolution == pytest.approx(seen.uncertainty)


def test_equal_input_gives_equal_numbers_in_any_order():
    label, score = drawn(1_000, 2)
    order = np.random.default_rng(1).permutation(1_000)
    assert calibration(label, score, 1) == pytest.approx(calibration(label[order], score[order], 1))


@pytest.mark.slow
@pytest.mark.statistics
def test_bias_and_coverage_by_simulation():
    """Where the model is off, the interval holds the true ECE in about 90 % of 400 runs; where it is not, the debiased
    ECE and reliability are near 0."""
    grid = (np.arange(200_000) + 0.5) / 200_000
    off = float(np.abs(grid**1.7 - grid).mean())
    seen = [calibration(*drawn(2_000, seed, 1.7), 1) for seed in range(400)]
    assert np.mean([each.low <= off <= each.high for each in seen]) > 0.85
    assert np.mean([each.ece for each in seen]) == pytest.approx(off, abs=0.003)
    right = [calibration(*drawn(2_000, seed), 1) for seed in range(400)]
    plain = (
        15
        * np.sqrt(2 / np.pi)
        * np.mean([np.sqrt(p * (1 - p) / (2_000 / 15)) for p in (np.arange(15) + 0.5) / 15])
        / 15
    )
    assert np.mean([each.ece for each in right]) < 0.75 * plain
    assert abs(np.mean([each.reliability for each in right])) < 2e-4
