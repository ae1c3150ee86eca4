"""Metrics of the project's own, and failing only beyond the tolerance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gates import TERMS, binary, regression

from mlci.judge.asks import ask_changes
from mlci.judge.contrast import change_of, estimate_of, point
from mlci.judge.gate import settle
from mlci.judge.stats import own
from mlci.nouns.change import Change, Estimate, Missing, TooFew
from mlci.nouns.policy import Gate, Model, Policy, PolicyFile
from mlci.nouns.sample import OwnMetric, Part


def mean_error(label, prediction, _):
    return float(np.abs(label - prediction).mean())


def share_right(label, prediction, _):
    return float((label == prediction).mean())


def test_the_bootstrap_agrees_with_the_test_that_knows_more():
    rows = replace(regression(2_000, 1, 1.0, 1.05), own={"error": OwnMetric(mean_error, "down")})
    seen, known = change_of("error", rows, TERMS), change_of("mae", rows, TERMS)
    assert isinstance(seen, Change)
    assert (seen.old, seen.new) == pytest.approx((known.old, known.new))
    width = known.high - known.low
    assert seen.low == pytest.approx(known.low, abs=0.08 * width)
    assert seen.high == pytest.approx(known.high, abs=0.08 * width)
    assert seen.method == "paired bootstrap of rows"
    assert point("error", rows, rows.new, None) == pytest.approx(known.new)
    stands, clear = estimate_of("error", rows, 0.8, TERMS), estimate_of("mae", rows, 0.8, TERMS)
    assert isinstance(stands, Estimate)
    assert stands.high == pytest.approx(clear.high, abs=0.1 * (clear.high - clear.low))


def test_many_rows_are_drawn_from(monkeypatch):
    """m out of n: the same interval from fewer rows a resample."""
    rows = replace(regression(4_000, 2), own={"error": OwnMetric(mean_error, "down")})
    full = change_of("error", rows, TERMS)
    monkeypatch.setattr(own, "MOST_ROWS", 500)
    fewer = change_of("error", rows, TERMS)
    assert fewer.method == "paired bootstrap of rows, 500 of 4,000"
    assert fewer.high - fewer.low == pytest.approx(full.high - full.low, rel=0.1)
    grouped = change_of("error", replace(rows, group=np.arange(4_000) // 2), TERMS)
    assert grouped.method == "paired bootstrap of groups, 250 of 2,000"
    assert grouped.high - grouped.low == pytest.approx(full.high - full.low, rel=0.15)


def test_groups_are_resampled_whole():
    once = regression(500, 3)
    copies = once.only(np.repeat(np.arange(500), 4))
    metric = {"error": OwnMetric(mean_error, "down")}
    plain = change_of("error", replace(once, own=metric), TERMS)
    grouped = change_of("error", replace(copies, own=metric, group=np.repeat(np.arange(500), 4)), TERMS)
    assert grouped.high - grouped.low == pytest.approx(plain.high - plain.low, rel=0.1)
    few = change_of("error", replace(copies, own=metric, group=np.arange(2_000) % 29), TERMS)
    assert isinstance(few, TooFew)


def test_no_value_is_no_evidence():
    rows = binary(300, 1)
    never = replace(rows, own={"odd": OwnMetric(lambda *_: float("nan"), "up")})
    assert isinstance(change_of("odd", never, TERMS), Missing)
    assert point("odd", never, never.new, None) is None
    calls = iter(range(10_000))
    seldom = replace(rows, own={"odd": OwnMetric(lambda *_: 1.0 if next(calls) < 4 else float("nan"), "up")})
    seen = change_of("odd", seldom, TERMS)
    assert seen.p == 1
    assert seen.lower_bound == -np.inf
    few = replace(rows.only(np.arange(99)), own={"right": OwnMetric(share_right, "up")})
    assert isinstance(change_of("right", few, TERMS), TooFew)


MODEL = Model(name="m", label="l", id="i")


def settled(metrics, rows):
    gate = Gate.model_validate({"metrics": metrics})
    sample = replace(rows, parts=(Part(None, None, ("gate", "metrics"), gate.metrics),))
    asks = list(ask_changes(sample, gate, MODEL, "merge-base"))
    return settle(asks, gate, PolicyFile(Policy())), asks


@pytest.mark.parametrize("metric", ["accuracy", "f1", "roc_auc"])
def test_a_credible_loss_within_the_tolerance_fails_only_when_asked_to(metric: str):
    rows = binary(20_000, 1, 0.10, 0.115)
    loss = -change_of(metric, rows, TERMS).change
    any_drop, _ = settled({metric: {"drop": 1.05 * loss}}, rows)
    tolerant, asks = settled({metric: {"drop": 1.05 * loss, "fail_when": "worse_than_tolerance"}}, rows)
    assert any_drop[0].outcome == "fail"
    assert tolerant[0].outcome == "inconclusive"
    assert asks[0].p == 1
    beyond, asks = settled({metric: {"drop": 0.4 * loss, "fail_when": "worse_than_tolerance"}}, rows)
    assert beyond[0].outcome == "fail"
    assert asks[0].seen.p <= asks[0].p < 0.05


def test_the_bound_is_taken_at_the_corrected_level():
    """A loss that is beyond the tolerance at 5 %, but not at what ten checks leave of it."""
    n = 2_000
    label = np.zeros(n, dtype=bool)
    old, new = label.copy(), label.copy()
    new[:28] = True
    rows = replace(binary(n, 1), label=label, old=replace(binary(n, 1).old, decision=old))
    rows = replace(rows, new=replace(rows.new, decision=new))
    promise = {"drop": 0.01, "fail_when": "worse_than_tolerance"}
    gate = Gate.model_validate({"metrics": {"accuracy": promise}})
    whole = Part(None, None, ("gate", "metrics"), gate.metrics)
    copies = tuple(Part(f"s{i}", np.arange(n, dtype=np.int32), ("gate", "slices", "by"), {}) for i in range(9))
    for parts, outcome in (((whole,), "fail"), ((whole, *copies), "inconclusive")):
        asks = list(ask_changes(replace(rows, parts=parts), gate, MODEL, "merge-base"))
        found = settle(asks, gate, PolicyFile(Policy()))
        assert 0.005 < asks[0].p < 0.05
        assert found[0].outcome == outcome


def test_a_relative_tolerance_is_of_the_old_value():
    rows = binary(20_000, 1, 0.10, 0.1)
    _, asks = settled({"accuracy": {"drop": "2%"}}, rows)
    assert asks[0].tolerance == pytest.approx(0.02 * asks[0].seen.old)
    _, asks = settled({"log_loss": {"rise": "10%"}}, rows)
    assert asks[0].tolerance == pytest.approx(0.1 * asks[0].seen.old)
