"""Many checks at once: how often an equally good model is blocked by accident, and what is still caught."""

from __future__ import annotations

import numpy as np
import pytest
from simulated import Share, keep

from mlci.judge.stats.multiplicity import holm, tarone_holm
from mlci.judge.stats.paired import mcnemar_mid_p, smallest_mid_p

pytestmark = [pytest.mark.slow, pytest.mark.statistics]

ALPHA = 0.05
RUNS = 6_000


def equal(rng):
    """20 slices of 500 rows, apart."""
    return np.eye(20, dtype=bool)[rng.permutation(np.repeat(np.arange(20), 500))]


def uneven(rng):
    """20 slices from 30 to 5,500 rows, apart."""
    sizes = np.geomspace(30, 5500, 20).astype(int)
    return np.eye(20, dtype=bool)[rng.permutation(np.repeat(np.arange(20), sizes))]


def overlapping(rng):
    """All rows, and 19 slices of which every row is in several."""
    return np.column_stack([np.ones(6000, dtype=bool), rng.random((6000, 19)) < np.linspace(0.02, 0.5, 19)])


def small(rng):
    """200 slices of 40 rows: most cannot reject whatever they show."""
    return np.eye(200, dtype=bool)[rng.permutation(np.repeat(np.arange(200), 40))]


def draw(member, rng, lost_share=0.025, runs=RUNS):
    """Gained and lost rows by slice, run by run; 5 % of the rows differ, and `lost_share` of all (by row) are lost."""
    counts = member.astype(np.float32)
    for _ in range(runs // 500):
        row = rng.random((500, len(member)), dtype=np.float32)
        lost = (row < lost_share).astype(np.float32) @ counts
        gained = ((row >= lost_share) & (row < 0.05)).astype(np.float32) @ counts
        yield from zip(gained, lost, mcnemar_mid_p(gained, lost), smallest_mid_p(gained, lost), strict=True)


@pytest.mark.parametrize("layout", [equal, uneven, overlapping, small])
def test_any_false_block_over_all_slices(layout):
    rng = np.random.default_rng(19900901)
    member = layout(rng)
    rows, seen = member.sum(axis=0), []
    for gained, lost, p, least in draw(member, rng):
        beyond = (lost - gained) / rows > 0.01
        seen.append((tarone_holm(p, least, ALPHA).rejected.any(), (p <= ALPHA).any(), beyond.any()))
    ours, alone, threshold = (Share.of(column) for column in zip(*seen, strict=True))
    keep("slices", layout.__name__, ours=ours, uncorrected=alone, threshold=threshold)
    assert ours.at_most(ALPHA)
    assert ours.rate >= 0.035  # no more careful than statistics.md says
    assert min(alone.rate, threshold.rate) > 0.4


def benjamini_hochberg(p, alpha):
    """Rejections of the step-up procedure that bounds the share of false ones, and not the chance of any."""
    order = np.argsort(p)
    below = np.flatnonzero(p[order] <= alpha * np.arange(1, p.size + 1) / p.size)
    rejected = np.zeros(p.size, dtype=bool)
    rejected[order[: below[-1] + 1 if below.size else 0]] = True
    return rejected


def test_benjamini_and_hochberg_are_no_gate():
    """5 of 20 slices are truly bad by 4 points. Any block of one of the others is a false one."""
    rng = np.random.default_rng(19950101)
    member = equal(rng)
    bad = np.arange(20) < 5
    shares = np.where(member @ bad, 0.045, 0.025).astype(np.float32)
    seen = []
    for _, _, p, least in draw(member, rng, shares):
        ours, theirs = tarone_holm(p, least, ALPHA).rejected, benjamini_hochberg(p, ALPHA)
        seen.append((ours[~bad].any(), theirs[~bad].any(), ours[bad].any()))
    ours, theirs, caught = (Share.of(column) for column in zip(*seen, strict=True))
    keep("false discoveries", "5 of 20 slices bad", ours=ours, theirs=theirs, caught=caught)
    assert ours.at_most(ALPHA)
    assert 0.15 < theirs.rate < 0.25
    assert caught.rate > 0.9


def test_many_small_slices_cost_little_power():
    """One slice of 500 rows is worse by 3 points, beside 200 slices of 40 rows: Tarone's step leaves the 200 out."""
    rng = np.random.default_rng(19900902)
    member = np.eye(201, dtype=bool)[np.repeat(np.arange(201), [500, *[40] * 200])]
    shares = np.where(member[:, 0], 0.04, 0.025).astype(np.float32)
    seen = [
        (tarone_holm(p, least, ALPHA).rejected[0], holm(p, ALPHA).rejected[0], p[0] <= ALPHA)
        for _, _, p, least in draw(member, rng, shares, runs=3_000)
    ]
    ours, plain, alone = (Share.of(column) for column in zip(*seen, strict=True))
    keep("many small slices", "one of 500 rows beside 200 of 40", ours=ours, holm=plain, alone=alone)
    assert ours.rate > 1.3 * plain.rate
