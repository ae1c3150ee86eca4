"""Right or wrong: what three kinds of gate do with candidates whose true change is known. Simulated, seeds fixed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri
from simulated import Share, keep

from mlci.judge.easeml import hoeffding
from mlci.judge.stats.decision import decide_change
from mlci.judge.stats.floors import share_estimate
from mlci.judge.stats.paired import mcnemar_mid_p, tango_score
from mlci.judge.stats.power import smallest_drop

pytestmark = [pytest.mark.slow, pytest.mark.statistics]

ALPHA = BETA = 0.05
POINT = 0.01
RUNS = 20_000


def draw(n, q, change, seed, size=RUNS):
    """Gained and lost rows of candidates with this true change."""
    rng = np.random.default_rng(seed)
    cells = rng.multinomial(n, [(q + change) / 2, (q - change) / 2, 1 - q], size=size)
    return cells[..., 0], cells[..., 1]


def passed(gained, lost, n, tolerance=POINT, beta=BETA):
    """Whether Tango's bound rules out a drop of the tolerance; a test shows that bound and score decide alike."""
    return tango_score(gained, lost, n, -tolerance) > -ndtri(beta)


def failed(gained, lost, n, tolerance=POINT):
    return (mcnemar_mid_p(gained, lost) <= ALPHA) & ~passed(gained, lost, n, tolerance)


def hoeffding_blocks(gained, lost, n):
    """Worse beyond the radius of ease.ml/ci's plain bound for n - o, at 95 %."""
    radius = next(eps for eps in np.geomspace(1, 1e-4, 4_000) if hoeffding(eps, ALPHA, variables=2) > n)
    return (lost - gained) / n > radius


# Rows, share that differs, true change, and what statistics.md says of `new >= old`, `drop > 1 pt` and mid-p.
WHY = [
    (500, 0.05, 0.0, 46, 13.5, 4.9),
    (2_000, 0.05, 0.0, 48, 2, 4.9),
    (2_000, 0.05, -0.01, 98, 48, 64),
    (2_000, 0.05, -0.02, 100, 98, 99),
    (2_000, 0.05, -0.03, 100, 100, 100),
    (10_000, 0.05, 0.0, 49, 0, 5.0),
]


@pytest.mark.parametrize(("n", "q", "change", "compared", "threshold", "mid_p"), WHY)
def test_why_two_numbers_are_no_gate(n, q, change, compared, threshold, mid_p):
    gained, lost = draw(n, q, change, seed=1)
    worse, beyond = Share.of(lost > gained), Share.of(lost - gained > round(POINT * n))
    ours, peer = Share.of(mcnemar_mid_p(gained, lost) <= ALPHA), Share.of(hoeffding_blocks(gained, lost, n))
    keep("why", f"{n}, {q}, {change}", compared=worse, threshold=beyond, mid_p=ours, hoeffding=peer)
    for share, said in ((worse, compared), (beyond, threshold), (ours, mid_p)):
        low, high = share.between(0.998)
        assert low - 0.006 <= said / 100 <= high + 0.006
    assert peer.hits == 0
    if change == 0:
        assert ours.at_most(ALPHA)


def test_a_threshold_on_twenty_slices():
    gained, lost = draw(500, 0.05, 0.0, seed=2, size=(RUNS, 20))
    share = Share.of((lost - gained > 5).any(axis=1))
    keep("why", "20 slices", threshold=share)
    assert share.about(0.94) or abs(share.rate - 0.94) < 0.006


# Percent of fail, inconclusive and pass.
OUTCOMES = {
    (500, 0.05): [(4.9, 69.8, 25.3), (25.5, 69.5, 5.0), (64.7, 34.9, 0.4)],
    (2_000, 0.02): [(4.8, 3.2, 92.0), (94.1, 1.2, 4.7), (100, 0, 0)],
    (2_000, 0.05): [(4.9, 32.0, 63.1), (63.8, 31.3, 4.9), (99.3, 0.7, 0.0)],
    (10_000, 0.05): [(0.2, 0.0, 99.8), (95.0, 0.0, 5.0), (100, 0, 0)],
}


@pytest.mark.parametrize(("n", "q"), OUTCOMES)
@pytest.mark.parametrize("points", [0, 1, 2])
def test_three_outcomes(n, q, points):
    gained, lost = draw(n, q, -points * POINT, seed=3 + points)
    passes, fails = passed(gained, lost, n), failed(gained, lost, n)
    shares = Share.of(fails), Share.of(~passes & ~fails), Share.of(passes)
    keep("outcomes", f"{n}, {q}, {points}", **dict(zip(("fails", "open", "passes"), shares, strict=True)))
    for share, said in zip(shares, OUTCOMES[n, q][points], strict=True):
        low, high = share.between(0.998)
        assert low - 0.001 <= said / 100 <= high + 0.001
    if points == 0:
        assert shares[0].at_most(ALPHA)
    if points == 1:
        # Tango's bound lets a drop of the tolerance pass at most 5.1 % of the time.
        assert shares[2].at_most(0.051)


@pytest.mark.parametrize(("n", "q"), OUTCOMES)
def test_power(n, q):
    """What comes of candidates from 1 point better to 3 points worse, for the plot."""
    for tenths in range(-15, 11, 1):
        change = tenths / 500
        if abs(change) <= q:
            gained, lost = draw(n, q, change, seed=100 + tenths, size=4_000)
            blocked, allowed = Share.of(failed(gained, lost, n)), Share.of(passed(gained, lost, n))
            worse, beyond = Share.of(lost > gained), Share.of(lost - gained > round(POINT * n))
            keep("power", f"{n}, {q}, {change}", fails=blocked, passes=allowed, compared=worse, threshold=beyond)
            assert change < 0 or blocked.at_most(ALPHA)
            assert change > -POINT or allowed.at_most(0.051)


@pytest.mark.parametrize(("n", "alone", "first"), [(500, 2.4, 3.5), (2_000, 1.2, 1.8), (10_000, 0.6, 0.8)])
def test_the_smallest_drop_is_caught_eight_times_in_ten(n, alone, first):
    for checks, said in ((1, alone), (20, first)):
        drop = smallest_drop(n, 0.05, alpha=ALPHA / checks)
        assert round(100 * drop, 1) == said
        gained, lost = draw(n, 0.05, -drop, seed=7)
        caught = Share.of(mcnemar_mid_p(gained, lost) <= ALPHA / checks)
        keep("drops", f"{n}, {checks}", drop=drop, caught=caught)
        assert caught.about(0.8)


@pytest.mark.parametrize("n", [100, 1_000])
def test_a_floor_by_the_exact_bound(n):
    """The model's true accuracy is the floor itself: neither 'above' nor 'below' may be said often."""
    floor = 0.85
    right = np.random.default_rng(8).binomial(n, floor, size=RUNS)
    said = {int(k): decide_change(share_estimate(int(k), n, floor), 0.0, ALPHA) for k in np.unique(right)}
    outcomes = [said[int(k)] for k in right]
    fails, passes = (Share.of([outcome == wanted for outcome in outcomes]) for wanted in ("fail", "pass"))
    keep("floors", f"{n}", fails=fails, passes=passes)
    assert fails.at_most(ALPHA)
    assert passes.at_most(BETA)


def test_eighty_eight_of_a_hundred():
    seen = share_estimate(88, 100, 0.85)
    keep("floors", "88 of 100", low=seen.low, high=seen.high)
    assert (round(100 * seen.low, 1), round(100 * seen.high, 1)) == (81.3, 92.9)
    assert decide_change(seen, 0.0, ALPHA) == "inconclusive"
