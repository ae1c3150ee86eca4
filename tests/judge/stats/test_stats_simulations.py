"""The promised error rates where they cannot be summed: simulated, with fixed seeds.

A rate of 5 % over R runs has a Monte-Carlo standard error of .218 / sqrt(R): .28 points at 6,000 runs, .49 at 2,000.
Bands are the promise plus what three such errors add, unless the text says otherwise.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from mlci.judge.stats.auc import auc_change
from mlci.judge.stats.confusion import Confusion, Costs, evaluate
from mlci.judge.stats.counts import count_change
from mlci.judge.stats.decision import decide_change
from mlci.judge.stats.grouped import group_sums, grouped_change
from mlci.judge.stats.losses import loss_change
from mlci.judge.stats.multiplicity import tarone_holm
from mlci.judge.stats.paired import mcnemar_mid_p, smallest_mid_p
from mlci.nouns.change import Change

pytestmark = [pytest.mark.slow, pytest.mark.statistics]

ALPHA = BETA = 0.05
TOLERANCE = 0.01


def error(runs):
    return float(np.sqrt(ALPHA * (1 - ALPHA) / runs))


def rates(draw, runs, tolerance):
    """Shares of fail (p alone, whether or not the bound passes) and of pass."""
    seen = [draw() for _ in range(runs)]
    assert all(isinstance(one, Change) for one in seen)
    fails = sum(one.p <= ALPHA for one in seen)
    passes = sum(decide_change(one, tolerance, ALPHA) == "pass" for one in seen)
    return fails / runs, passes / runs


@pytest.mark.parametrize(("positives", "negatives"), [(200, 800), (400, 600), (60, 1000)])
def test_auc_fails_at_no_change_and_passes_at_the_tolerance(positives, negatives):
    """Binormal scores of correlation .8 given the label; AUC = Phi(shift / sqrt 2). Bands: statistics.md's."""
    rng = np.random.default_rng(20140101)
    label = np.repeat([True, False], [positives, negatives])

    def draw(old_auc, new_auc):
        shared = rng.normal(size=label.size) * np.sqrt(0.8)
        old, new = (shared + rng.normal(size=label.size) * np.sqrt(0.2) for _ in range(2))
        old[:positives] += np.sqrt(2) * ndtri(old_auc)
        new[:positives] += np.sqrt(2) * ndtri(new_auc)
        return auc_change(label, old, new)

    fail, _ = rates(lambda: draw(0.8, 0.8), 6000, TOLERANCE)
    assert 0.038 <= fail <= 0.062
    _, passed = rates(lambda: draw(0.8, 0.8 - TOLERANCE), 6000, TOLERANCE)
    assert 0.045 - error(6000) <= passed <= 0.058


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


@pytest.mark.parametrize("layout", [equal, uneven, overlapping, small])
def test_any_false_block_over_all_slices(layout):
    runs = 6000
    rng = np.random.default_rng(19900901)
    member = layout(rng).astype(np.float32)
    false_blocks = 0
    for _ in range(runs // 500):
        # 5 % of the rows are discordant, half of them gained: equally good models.
        draw = rng.random((500, len(member)), dtype=np.float32)
        lost = (draw < 0.025).astype(np.float32) @ member
        gained = ((draw >= 0.025) & (draw < 0.05)).astype(np.float32) @ member
        ps, smallest = mcnemar_mid_p(gained, lost), smallest_mid_p(gained, lost)
        false_blocks += sum(tarone_holm(p, least, ALPHA).rejected.any() for p, least in zip(ps, smallest, strict=True))
    rate = false_blocks / runs
    assert 0.035 <= rate <= ALPHA + 2 * error(runs)


def _cells(recall_drop, positives_differ, negatives_differ):
    """Probabilities of [label, old, new]: 20 % positives, recall .7, false positive rate .1."""
    p = np.zeros((2, 2, 2))
    differ = max(positives_differ, recall_drop)
    p[1, 1, 0], p[1, 0, 1] = 0.2 * (differ + recall_drop) / 2, 0.2 * (differ - recall_drop) / 2
    p[1, 1, 1] = 0.2 * 0.7 - p[1, 1, 0]
    p[1, 0, 0] = 0.2 - p[1].sum()
    p[0, 0, 1] = p[0, 1, 0] = 0.8 * negatives_differ / 2
    p[0, 1, 1] = 0.8 * 0.1 - p[0, 1, 0]
    p[0, 0, 0] = 0.8 - p[0].sum()
    return p


def _f1(table):
    (tn, fp), (fn, tp) = table
    return float(evaluate("f1", Confusion(tn, fp, fn, tp), Costs()))


def _f1_drop(p):
    return _f1(p.sum(axis=2)) - _f1(p.sum(axis=1))


@pytest.mark.parametrize(("n", "differ"), [(750, (0.02, 0.005)), (1000, (0.05, 0.02)), (5000, (0.05, 0.02))])
def test_f1_by_the_paired_bootstrap(n, differ):
    """From 150 positives with a handful of discordant rows to 1,000 with many."""
    runs = 2000
    rng = np.random.default_rng(19790101)

    def draw(p):
        return count_change(rng.multinomial(n, p.ravel()), "f1", rng, resamples=1000)

    fail, _ = rates(lambda: draw(_cells(0.0, *differ)), runs, TOLERANCE)
    assert fail <= ALPHA + 2 * error(runs)
    drop = brentq(lambda drop: _f1_drop(_cells(drop, *differ)) - TOLERANCE, 0, 0.2)
    _, passed = rates(lambda: draw(_cells(drop, *differ)), runs, TOLERANCE)
    assert passed <= BETA + 2 * error(runs)


@pytest.mark.parametrize("n", [100, 1000])
def test_skewed_losses(n):
    """Differences with a long tail on the bad side. No method sees a tail that the sample lacks: at 100 rows 6.5 %."""
    runs = 1500
    rng = np.random.default_rng(19870101)

    def draw(rise):
        old = rng.exponential(size=n)
        return loss_change(
            old, old + 0.2 * (rng.lognormal(sigma=0.8, size=n) - np.exp(0.32)) + rise, rng, resamples=1000
        )

    fail, _ = rates(lambda: draw(0.0), runs, TOLERANCE)
    assert fail <= ALPHA + 3 * error(runs)
    _, passed = rates(lambda: draw(TOLERANCE), runs, TOLERANCE)
    assert passed <= 0.065 + 3 * error(runs)


@pytest.mark.parametrize("groups", [40, 200])
def test_rows_in_groups(groups):
    """Groups of 1 to 20 rows whose rows go together: as if they were rows it would be 20 to 30 % false blocks."""
    runs = 1500
    rng = np.random.default_rng(19630101)

    def draw(rise):
        group = np.repeat(np.arange(groups), rng.integers(1, 21, size=groups))
        old = rng.exponential(size=group.size)
        new = old + rise + rng.normal(0, 0.5, size=groups)[group] + rng.normal(0, 0.5, size=group.size)
        return grouped_change(*group_sums(group, old, new), rng, resamples=1000)

    fail, _ = rates(lambda: draw(0.0), runs, TOLERANCE)
    assert fail <= ALPHA + 3 * error(runs)
    _, passed = rates(lambda: draw(TOLERANCE), runs, TOLERANCE)
    assert passed <= BETA + 3 * error(runs)


def test_binormal_shift_gives_the_auc():
    assert ndtr(np.sqrt(2) * ndtri(0.79) / np.sqrt(2)) == pytest.approx(0.79)
