"""The promised error rates of every kind of metric, where they cannot be summed: simulated, with fixed seeds.

Without a change at most 5 % may fail; at a loss of exactly the tolerance at most 5 % may pass. A rate of 5 % over R
runs has a Monte-Carlo standard error of .218 / sqrt(R): .28 points at 6,000 runs, .49 at 2,000.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gates import TERMS, binary, multiclass, regression
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri
from simulated import Share, keep

from mlci.judge.asks import ask_changes
from mlci.judge.contrast import change_of
from mlci.judge.gate import settle
from mlci.judge.stats.auc import auc_change, delong
from mlci.judge.stats.confusion import Confusion, Costs, evaluate
from mlci.judge.stats.counts import count_change
from mlci.judge.stats.decision import decide_change
from mlci.judge.stats.grouped import group_sums, grouped_change
from mlci.judge.stats.losses import loss_change
from mlci.nouns.change import Change
from mlci.nouns.policy import Gate, Model, Policy, PolicyFile
from mlci.nouns.sample import Part

pytestmark = [pytest.mark.slow, pytest.mark.statistics]

ALPHA = BETA = 0.05
TOLERANCE = 0.01


def rates(draw, runs, *losses):
    """Shares of fail without a loss (p alone, whether or not the bound passes), and of pass at a loss."""
    equal = [draw(losses[0]) for _ in range(runs)]
    assert all(isinstance(one, Change) for one in equal)
    worse = [draw(losses[1]) for _ in range(runs)]
    fails = Share.of([one.p <= ALPHA for one in equal])
    return fails, Share.of([decide_change(one, TOLERANCE, ALPHA) == "pass" for one in worse])


@pytest.mark.parametrize(("positives", "negatives"), [(200, 800), (400, 600), (60, 1000)])
def test_auc_by_delong(positives, negatives):
    """Binormal scores of correlation .8 given the label; AUC = Phi(shift / sqrt 2). Bands: statistics.md's."""
    rng = np.random.default_rng(20140101)
    label = np.repeat([True, False], [positives, negatives])

    def draw(new_auc):
        shared = rng.normal(size=label.size) * np.sqrt(0.8)
        old, new = (shared + rng.normal(size=label.size) * np.sqrt(0.2) for _ in range(2))
        old[:positives] += np.sqrt(2) * ndtri(0.8)
        new[:positives] += np.sqrt(2) * ndtri(new_auc)
        return auc_change(delong(label, old, new))

    fails, passes = rates(draw, 6000, 0.8, 0.8 - TOLERANCE)
    keep("metrics", f"ROC AUC, {positives}+{negatives} rows", fails=fails, passes=passes)
    assert 0.038 <= fails.rate <= 0.062
    assert passes.at_most(0.058)
    assert passes.rate > 0.04


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
    rng = np.random.default_rng(19790101)

    def draw(drop):
        return count_change(rng.multinomial(n, _cells(drop, *differ).ravel()), "f1", rng, resamples=1000)

    drop = brentq(lambda drop: _f1_drop(_cells(drop, *differ)) - TOLERANCE, 0, 0.2)
    fails, passes = rates(draw, 2000, 0.0, drop)
    keep("metrics", f"F1, {n} rows, {n // 5} positives", fails=fails, passes=passes)
    assert fails.at_most(ALPHA)
    assert passes.at_most(BETA)


@pytest.mark.parametrize("n", [100, 1000])
def test_skewed_losses(n):
    """Differences with a long tail on the bad side. No method sees a tail that the sample lacks: at 100 rows 6.5 %."""
    rng = np.random.default_rng(19870101)

    def draw(rise):
        old = rng.exponential(size=n)
        new = old + 0.2 * (rng.lognormal(sigma=0.8, size=n) - np.exp(0.32)) + rise
        return loss_change(old, new, rng, resamples=1000)

    fails, passes = rates(draw, 1500, 0.0, TOLERANCE)
    keep("metrics", f"skewed losses, {n} rows", fails=fails, passes=passes)
    assert fails.at_most(ALPHA)
    assert passes.at_most(0.065)


@pytest.mark.parametrize("groups", [40, 200])
def test_rows_in_groups(groups):
    """Groups of 1 to 20 rows whose rows go together."""
    rng = np.random.default_rng(19630101)

    def draw(rise):
        group = np.repeat(np.arange(groups), rng.integers(1, 21, size=groups))
        old = rng.exponential(size=group.size)
        new = old + rise + rng.normal(0, 0.5, size=groups)[group] + rng.normal(0, 0.5, size=group.size)
        return grouped_change(*group_sums(group, old, new), rng, resamples=1000)

    fails, passes = rates(draw, 1500, 0.0, TOLERANCE)
    keep("metrics", f"losses in {groups} groups", fails=fails, passes=passes)
    assert fails.at_most(ALPHA)
    assert passes.at_most(BETA)


@pytest.mark.parametrize(
    ("metric", "make", "runs"), [("rmse", regression, 2000), ("r2", regression, 2000), ("macro_f1", multiclass, 600)]
)
def test_metrics_that_are_no_means(metric, make, runs):
    """Models that are equally good; a bound above 0 is a loss of 0 that passes. Pseudo-counts make it careful."""
    seen = [change_of(metric, make(400, 1_000 + seed), TERMS) for seed in range(runs)]
    fails = Share.of([each.p <= ALPHA for each in seen])
    passes = Share.of([each.lower_bound > 0 for each in seen])
    keep("metrics", f"{metric}, 400 rows", fails=fails, passes=passes)
    for share in (fails, passes):
        assert share.at_most(0.055)
        assert share.rate > 0.015


def clustered(seed, size=8, groups=120):
    """Rows of a group share most of what makes either model wrong on them."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), size)
    label = rng.random(groups * size) < 0.4
    decisions, scores = [], []
    for _ in range(2):
        hard = np.repeat(rng.normal(size=groups), size)
        wrong = hard + 0.5 * rng.normal(size=group.size) > 1.2
        decisions.append(label ^ wrong)
        scores.append(1 / (1 + np.exp(-(np.where(decisions[-1], 1, -1) + 0.3 * rng.normal(size=group.size)))))
    rows = binary(group.size, seed)
    return replace(
        rows,
        label=label,
        old=type(rows.new)(decisions[0], scores[0]),
        new=type(rows.new)(decisions[1], scores[1]),
        group=group,
    )


@pytest.mark.parametrize(("metric", "runs"), [("accuracy", 2000), ("roc_auc", 2000), ("f1", 400), ("log_loss", 2000)])
def test_groups_as_if_they_were_rows(metric, runs):
    """Equally good models. What a policy without `group` would do is in the table too."""
    both = [clustered(10_000 + seed) for seed in range(runs)]
    grouped = Share.of([change_of(metric, rows, TERMS).p <= ALPHA for rows in both])
    alone = Share.of([change_of(metric, replace(rows, group=None), TERMS).p <= ALPHA for rows in both])
    keep("groups", metric, groups=grouped, rows=alone)
    assert grouped.at_most(ALPHA)
    assert alone.rate > 0.12


def test_failing_beyond_the_tolerance():
    """`fail_when: worse_than_tolerance` at a true loss of exactly the tolerance, over three checks at once."""
    gate = Gate.model_validate({"metrics": {"accuracy": {"drop": 0.02, "fail_when": "worse_than_tolerance"}}})
    rng, model, rows = np.random.default_rng(5), Model(name="m", label="l", id="i"), binary(3_000, 1)
    parts = [Part(None, None, ("gate",), gate.metrics)]
    parts += [Part(f"s{i}", np.arange(i, 3_000, 2, dtype=np.int32), ("gate",), {}) for i in range(2)]
    rows = replace(rows, label=np.zeros(3_000, dtype=bool), parts=tuple(parts))
    seen = []
    for _ in range(400):
        draw = rng.random(3_000)
        old, new = draw < 0.03, (draw >= 0.03) & (draw < 0.08)
        some = replace(rows, old=replace(rows.old, decision=old), new=replace(rows.new, decision=new))
        found = settle(list(ask_changes(some, gate, model, "merge-base")), gate, PolicyFile(Policy()))
        seen.append(any(each.outcome == "fail" for each in found))
    share = Share.of(seen)
    keep("beyond the tolerance", "3 checks of 3,000 rows", fails=share)
    assert share.at_most(ALPHA)


def test_binormal_shift_gives_the_auc():
    assert ndtr(np.sqrt(2) * ndtri(0.79) / np.sqrt(2)) == pytest.approx(0.79)
