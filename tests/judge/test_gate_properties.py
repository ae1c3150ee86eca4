"""What must not matter to a verdict does not: the order of rows, names of slices, which model comes first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gates import TERMS, binary, multiclass, regression
from hypothesis import given, settings
from hypothesis import strategies as st

from mlci.judge.asks import ask_changes
from mlci.judge.contrast import change_of
from mlci.judge.gate import settle
from mlci.judge.stats.decision import decide_change
from mlci.judge.stats.paired import accuracy_change
from mlci.nouns.change import Change
from mlci.nouns.metric import direction
from mlci.nouns.policy import Gate, Model, Policy, PolicyFile
from mlci.nouns.sample import Part

MODEL = Model(name="m", label="l", id="i")
SHARES = st.floats(0.02, 0.3)
METRICS = {
    "accuracy": binary,
    "roc_auc": binary,
    "f1": binary,
    "precision": binary,
    "recall": binary,
    "specificity": binary,
    "balanced_accuracy": binary,
    "mcc": binary,
    "log_loss": binary,
    "brier": binary,
    "cost": binary,
    "macro_f1": multiclass,
    "micro_f1": multiclass,
    "top_2_accuracy": multiclass,
    "precision_a": multiclass,
    "recall_b": multiclass,
    "mae": regression,
    "mse": regression,
    "rmse": regression,
    "r2": regression,
    "mape": regression,
    "pinball_90": regression,
}
ONE_EACH = ("accuracy", "roc_auc", "f1", "log_loss", "macro_f1", "mae", "rmse")
"""A metric of each kind of test: counted, ranked, bootstrapped, averaged, over classes, by influence."""


def judged(rows, metrics, names=("a", "b", "c")):
    """Outcomes and evidence by slice and metric; three slices that overlap."""
    words = {name: "rise" if direction(name) == -1 else "drop" for name in metrics}
    gate = Gate.model_validate({"metrics": {name: {word: 0.01} for name, word in words.items()}})
    third = rows.size // 3
    first = np.argsort(rows.ids.astype(np.int64))
    cuts = (first[:third], first[third // 2 : 2 * third], first[2 * third :])
    parts = [Part(None, None, ("gate", "metrics"), gate.metrics)]
    parts += [Part(name, np.sort(cut).astype(np.int32), ("gate",), {}) for name, cut in zip(names, cuts, strict=True)]
    asks = ask_changes(replace(rows, parts=tuple(parts)), gate, MODEL, "merge-base")
    found = settle(list(asks), gate, PolicyFile(Policy()))
    return [(each.outcome, each.gate.p_value, each.gate.low, each.gate.high) for each in found]


def shuffled(rows, seed):
    """The same rows in another order, with their ids."""
    order = np.random.default_rng(seed).permutation(rows.size)
    return replace(rows.only(order), ids=rows.ids[order])


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 10_000), SHARES, SHARES)
@pytest.mark.parametrize("metric", METRICS)
def test_the_order_of_rows_does_not_matter(metric, seed, old, new):
    rows = METRICS[metric](900, seed, old, new)
    for one, other in zip(judged(rows, [metric]), judged(shuffled(rows, seed), [metric]), strict=True):
        if one[1:] == pytest.approx(other[1:], nan_ok=True):
            assert one[0] == other[0]
            continue
        # A bootstrap of skewed values draws rows by their place; they are read in the order of their ids, so that a
        # project's tables are judged alike to the last byte (test_cut_into_files.py).
        assert METRICS[metric] is regression
        (p, low, high), (p_other, low_other, high_other) = one[1:], other[1:]
        assert (low, high) == pytest.approx((low_other, high_other), abs=0.1 * (high - low))
        assert p == pytest.approx(p_other, abs=0.02)


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 10_000), SHARES, SHARES, st.permutations(["a", "b", "zeta", "Ω = 1"]))
@pytest.mark.parametrize("metric", ONE_EACH)
def test_names_of_slices_do_not_matter(metric, seed, old, new, names):
    rows = METRICS[metric](900, seed, old, new)
    assert judged(rows, [metric]) == judged(rows, [metric], names[:3])


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 10_000), SHARES, SHARES)
@pytest.mark.parametrize("make", [binary, multiclass, regression])
def test_the_order_of_the_metrics_does_not_matter(make, seed, old, new):
    metrics = [metric for metric in ONE_EACH if METRICS[metric] is make]
    rows = make(900, seed, old, new)
    told, turned = judged(rows, metrics), judged(rows, metrics[::-1])
    assert sorted(told, key=repr) == sorted(turned, key=repr)


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10_000), SHARES, SHARES)
@pytest.mark.parametrize("metric", METRICS)
def test_swapping_old_and_new_mirrors_the_change(metric, seed, old, new):
    rows = METRICS[metric](600, seed, old, new)
    one = change_of(metric, rows, TERMS)
    other = change_of(metric, replace(rows, old=rows.new, new=rows.old), TERMS)
    assert isinstance(one, Change)
    assert isinstance(other, Change)
    assert (other.old, other.new, other.change) == pytest.approx((one.new, one.old, -one.change))
    width = one.high - one.low
    # A bootstrap's resamples differ, and where it meets a bound of few rows its quantiles are coarse.
    resampled = "bootstrap" in one.method or "BCa" in one.method
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low), abs=(0.15 if resampled else 1e-6) * width)
    if one.discordant is not None and metric != "macro_f1":
        assert other.discordant == one.discordant[::-1]


@given(st.integers(30, 2_000), st.floats(0, 0.3), st.floats(0, 0.3), st.integers(1, 20), st.floats(0.001, 0.1))
def test_more_rows_at_the_same_rates_never_unsettle_a_pass(n, gained, lost, times, tolerance):
    cells = [n, int(gained * n), int(lost * n), n // 5]
    few = accuracy_change(*cells)
    many = accuracy_change(*(times * cell for cell in cells))
    assert isinstance(few, Change)
    assert isinstance(many, Change)
    if decide_change(few, tolerance, 0.05) == "pass" and few.change >= -tolerance:
        assert decide_change(many, tolerance, 0.05) == "pass"


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10_000), SHARES, SHARES, st.integers(2, 6), st.floats(0.001, 0.1))
@pytest.mark.parametrize("metric", METRICS)
def test_copies_of_all_rows_never_unsettle_a_pass(metric, seed, old, new, times, tolerance):
    rows = METRICS[metric](400, seed, old, new)
    many = rows.only(np.tile(np.arange(400), times))
    few, more = change_of(metric, rows, TERMS), change_of(metric, many, TERMS)
    assert isinstance(few, Change)
    assert isinstance(more, Change)
    assert more.lower_bound >= few.lower_bound
    assert more.upper_bound <= few.upper_bound
    if decide_change(few, tolerance, 0.05) == "pass":
        assert decide_change(more, tolerance, 0.05) == "pass"


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10_000), SHARES, SHARES)
@pytest.mark.parametrize("metric", ONE_EACH)
def test_swapping_old_and_new_swaps_better_for_worse(metric, seed, old, new):
    """What one order says to be worse, the other says to be no worse; both cannot fail."""
    rows = METRICS[metric](900, seed, old, new)
    there, back = judged(rows, [metric]), judged(replace(rows, old=rows.new, new=rows.old), [metric])
    for (one, p, _, _), (other, p_back, _, _) in zip(there, back, strict=True):
        assert {one, other} != {"fail"}
        if p is not None:
            assert p + p_back >= 0.9
            assert p > 0.05 or p_back > 0.5


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(31, 200))
def test_names_of_groups_do_not_matter(seed, groups):
    rows = binary(1_200, seed)
    group = np.random.default_rng(seed).integers(0, groups, 1_200)
    renamed = np.random.default_rng(seed + 1).permutation(groups)[group]
    for metric in ("accuracy", "f1", "roc_auc", "log_loss"):
        one = change_of(metric, replace(rows, group=group), TERMS)
        other = change_of(metric, replace(rows, group=renamed), TERMS)
        # The bootstrap draws groups by number.
        assert type(one) is type(other)
        if isinstance(one, Change):
            assert other.low == pytest.approx(one.low, abs=0.1 * (one.high - one.low))


def test_what_only_informs_takes_nothing_from_what_blocks():
    rows = binary(3_000, 3, 0.1, 0.14)
    slices = [np.sort(np.random.default_rng(i).choice(3_000, 900, replace=False)).astype(np.int32) for i in range(30)]
    told = []
    for level in ("block", "info"):
        metrics = {"accuracy": {"drop": 0.01}, "recall": {"drop": 0.01, "level": level}}
        gate = Gate.model_validate({"metrics": metrics})
        parts = [Part(None, None, ("gate", "metrics"), gate.metrics)]
        parts += [Part(f"s{i}", slice_, ("gate",), {}) for i, slice_ in enumerate(slices)]
        asks = list(ask_changes(replace(rows, parts=tuple(parts)), gate, MODEL, "merge-base"))
        found = settle(asks, gate, PolicyFile(Policy()))
        told.append([each.gate for each in found if each.gate.metric == "accuracy"])
    both, alone = told
    assert {each.tests for each in both} == {62}
    assert {each.tests for each in alone} == {31}
    assert all(
        one.p_adjusted < other.p_adjusted or other.p_adjusted == 1 for one, other in zip(alone, both, strict=True)
    )
