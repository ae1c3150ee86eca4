"""Rows that come in groups: groups are what was sampled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gates import TERMS, binary, multiclass, regression

from mlci.judge.contrast import Terms, change_of, estimate_of
from mlci.nouns.change import Change, Estimate, TooFew
from mlci.nouns.policy import Cost

METRICS = [
    ("accuracy", binary),
    ("roc_auc", binary),
    ("f1", binary),
    ("recall", binary),
    ("log_loss", binary),
    ("cost", binary),
    ("macro_f1", multiclass),
    ("recall_a", multiclass),
    ("top_2_accuracy", multiclass),
    ("rmse", regression),
    ("r2", regression),
    ("mape", regression),
]
COSTS = replace(TERMS, cost=Cost(false_negative=4))


@pytest.mark.parametrize(("metric", "make"), METRICS)
def test_twenty_nine_groups_are_too_few(metric, make):
    rows = make(2_000, 1, group=np.arange(2_000) % 29)
    for seen in (change_of(metric, rows, COSTS), estimate_of(metric, rows, 0.5, COSTS)):
        assert isinstance(seen, TooFew)
        assert (seen.what, seen.seen, seen.needed) == ("groups", 29, 30)


@pytest.mark.parametrize(("metric", "make"), METRICS)
def test_copies_of_rows_prove_nothing(metric, make):
    """Every row four times in a group of its own: the interval is that of the rows once, not half as wide."""
    once = make(1_000, 2, 0.2, 0.22)
    plain = change_of(metric, once, COSTS)
    copies = once.only(np.repeat(np.arange(1_000), 4))
    seen = change_of(metric, replace(copies, group=np.repeat(np.arange(1_000), 4)), COSTS)
    naive = change_of(metric, copies, COSTS)
    assert isinstance(plain, Change)
    assert isinstance(seen, Change)
    assert seen.change == pytest.approx(plain.change)
    assert seen.high - seen.low == pytest.approx(plain.high - plain.low, rel=0.1)
    assert naive.high - naive.low == pytest.approx((plain.high - plain.low) / 2, rel=0.1)
    floor = estimate_of(metric, replace(copies, group=np.repeat(np.arange(1_000), 4)), 0.5, COSTS)
    alone = estimate_of(metric, once, 0.5, COSTS)
    assert isinstance(floor, Estimate)
    assert floor.high - floor.low == pytest.approx(alone.high - alone.low, rel=0.15)


@pytest.mark.parametrize(("metric", "make"), METRICS)
def test_groups_are_never_surer_than_rows(metric, make):
    rows = make(2_000, 3)
    plain = change_of(metric, rows, COSTS)
    seen = change_of(metric, replace(rows, group=np.arange(2_000) % 100), COSTS)
    if metric in {"rmse", "r2", "log_loss", "cost", "mape"}:
        assert seen.high - seen.low > 0.8 * (plain.high - plain.low)
    else:
        assert seen.low <= plain.low
        assert seen.high >= plain.high
        assert seen.p >= plain.p


def clustered(seed: int, size: int = 8, groups: int = 120):
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


@pytest.mark.slow
@pytest.mark.statistics
@pytest.mark.parametrize("metric", ["accuracy", "roc_auc", "f1", "log_loss"])
def test_error_rates_over_groups_by_simulation(metric: str):
    """Without a change: at most 5 % of p <= 5 % over groups; over rows far more. Monte-Carlo error: .8 points."""
    runs, terms = 800, Terms(0.05, 0.05, 1)
    both = [clustered(10_000 + seed) for seed in range(runs)]
    grouped = np.mean([change_of(metric, rows, terms).p <= 0.05 for rows in both])
    alone = np.mean([change_of(metric, replace(rows, group=None), terms).p <= 0.05 for rows in both])
    assert grouped <= 0.05 + 3 * 0.008
    assert alone > 0.12
