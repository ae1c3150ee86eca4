"""Rows that come in groups: groups are what was sampled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gates import TERMS, binary, multiclass, regression

from mlci.judge.contrast import change_of, estimate_of
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
