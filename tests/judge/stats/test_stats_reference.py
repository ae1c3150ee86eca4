"""The gate's promised error rates for right-or-wrong metrics, by summing over all tables rather than by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from mlci.judge.stats.decision import decide
from mlci.judge.stats.paired import mcnemar_mid_p, tango_lower, tango_score

ALPHA = BETA = 0.05
TOLERANCE = 0.01


def tables(n, q, change):
    """(gained, lost, probability) of all paired tables that matter: q discordant, with this true change."""
    low, high = binom.ppf([1e-10, 1 - 1e-10], n, q).astype(int)
    sizes = np.arange(max(0, low - 1), min(n, high + 1) + 1)
    discordant = np.repeat(sizes, sizes + 1)
    lost = np.concatenate([np.arange(size + 1) for size in sizes])
    probability = binom.pmf(discordant, n, q) * binom.pmf(lost, discordant, (q - change) / (2 * q))
    there = probability > 1e-12
    return (discordant - lost)[there], lost[there], probability[there]


def outcomes(n, q, change):
    """Percent of fail, inconclusive and pass, by the functions that the gate calls."""
    gained, lost, probability = tables(n, q, change)
    bounds = tango_lower(gained, lost, n, BETA)
    ps = mcnemar_mid_p(gained, lost)
    shares = {"fail": 0.0, "inconclusive": 0.0, "pass": 0.0}
    for bound, p, weight in zip(bounds.tolist(), ps.tolist(), probability.tolist(), strict=True):
        shares[decide(bound, p, TOLERANCE, ALPHA)] += 100 * weight
    return list(shares.values())


@pytest.mark.parametrize(
    ("n", "q", "change", "expected"),
    [
        (500, 0.05, 0, (4.9, 69.8, 25.3)),
        (500, 0.05, -0.01, (25.5, 69.5, 5.0)),
        (500, 0.05, -0.02, (64.7, 34.9, 0.4)),
        (2000, 0.02, 0, (4.8, 3.2, 92.0)),
        (2000, 0.02, -0.01, (94.1, 1.2, 4.7)),
        (2000, 0.02, -0.02, (100, 0, 0)),
        (2000, 0.05, 0, (4.9, 32.0, 63.1)),
        (2000, 0.05, -0.01, (63.8, 31.3, 4.9)),
        (2000, 0.05, -0.02, (99.3, 0.7, 0.0)),
        (10000, 0.05, 0, (0.2, 0.0, 99.8)),
        (10000, 0.05, -0.01, (95.0, 0.0, 5.0)),
        (10000, 0.05, -0.02, (100, 0, 0)),
    ],
)
def test_reference_values_of_the_three_outcomes(n, q, change, expected):
    assert outcomes(n, q, change) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize(
    ("n", "change", "blocked"),
    [(500, 0, 4.9), (2000, 0, 4.9), (2000, -0.01, 64), (2000, -0.02, 99), (2000, -0.03, 100), (10000, 0, 5.0)],
)
def test_mcnemar_blocks_as_often_as_stated(n, change, blocked):
    gained, lost, probability = tables(n, 0.05, change)
    rejected = 100 * probability[mcnemar_mid_p(gained, lost) <= ALPHA].sum()
    assert rejected == pytest.approx(blocked, abs=0.1 if change == 0 else 0.5)


@pytest.mark.parametrize("n", [100, 500, 2000])
def test_mid_p_never_blocks_an_equal_model_more_often_than_alpha(n):
    for q in (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3):
        gained, lost, probability = tables(n, q, 0.0)
        assert probability[mcnemar_mid_p(gained, lost) <= ALPHA].sum() <= 0.05004, q


@pytest.mark.parametrize("n", [500, 2000])
def test_tango_passes_a_drop_of_the_tolerance_no_more_often_than_stated(n):
    for q in (0.0101, 0.015, 0.02, 0.05, 0.1, 0.2):
        gained, lost, probability = tables(n, q, -TOLERANCE)
        passes = tango_score(gained, lost, n, -TOLERANCE) > 1.6448536269514722
        assert probability[passes].sum() <= 0.051, q


def test_the_bound_and_the_score_decide_alike():
    gained, lost = (x.ravel() for x in np.meshgrid(np.arange(50), np.arange(50)))
    by_bound = tango_lower(gained, lost, 800, BETA) > -TOLERANCE
    by_score = tango_score(gained, lost, 800, -TOLERANCE) > 1.6448536269514722
    assert (by_bound == by_score).all()
