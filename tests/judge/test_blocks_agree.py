"""Whatever the length of a block: every metric of a long sample says what all its rows at once say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gates import TERMS, binary, multiclass, regression
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlci.edges.room import Room
from mlci.judge import areas, by_block, contrast, influence_sums
from mlci.judge.contrast import change_of, estimate_of, point
from mlci.judge.fairness import group_rates
from mlci.judge.flips import flips
from mlci.judge.stats import places
from mlci.judge.weak import weak_slices
from mlci.nouns import sample as samples
from mlci.nouns.policy import Cost
from mlci.nouns.sample import Feature, Part

ROWS = 3_000
MADE = {"binary": binary, "multiclass": multiclass, "regression": regression}
METRICS = {
    "binary": (
        "accuracy",
        "roc_auc",
        "log_loss",
        "brier",
        "cost",
        "f1",
        "precision",
        "recall",
        "balanced_accuracy",
        "mcc",
    ),
    "multiclass": ("accuracy", "macro_f1", "log_loss", "brier", "top_2_accuracy", "recall_b"),
    "regression": ("mae", "mse", "rmse", "r2", "mape", "pinball_90"),
}
CASES = [(task, metric) for task, metrics in METRICS.items() for metric in metrics]


@pytest.fixture
def cut(monkeypatch):
    """Sets the length of a block."""

    def set_to(rows: int) -> None:
        for module in (samples, areas, by_block, contrast, influence_sums, places):
            monkeypatch.setattr(module, "BLOCK", rows)

    return set_to


def _told(sample, metric):
    sample = replace(sample, room=Room())
    change, value = change_of(metric, sample, TERMS), estimate_of(metric, sample, 0.5, TERMS)
    ends = [getattr(each, end) for each in (change, value) for end in ("low", "high", "p", "variance", "n")]
    points = [point(metric, sample, each, Cost()) for each in (sample.old, sample.new)]
    return np.array([change.old, change.new, value.value, *ends, *points]), change.method


@pytest.mark.parametrize(("task", "metric"), CASES)
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), block=st.integers(300, ROWS - 1))
def test_blocks_say_what_all_rows_say(cut, task, metric, seed, block):
    sample = MADE[task](ROWS, seed)
    cut(1 << 20)
    wanted, method = _told(sample, metric)
    cut(block)
    seen, same = _told(sample, metric)
    assert same == method
    np.testing.assert_allclose(seen, wanted, rtol=1e-7, atol=1e-12)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), block=st.integers(100, ROWS - 1))
def test_what_is_counted_does_not_depend_on_blocks(cut, seed, block):
    rng = np.random.default_rng(seed)
    looked = tuple(Feature(rng.integers(0, 4, ROWS), tuple(f"f{i} = {j}" for j in range(4))) for i in range(2))
    parts = (Part(None, None, (), {}), Part("some", np.flatnonzero(rng.random(ROWS) < 0.3).astype(np.int32), (), {}))
    sample = replace(binary(ROWS, seed), features=looked, groups=looked, parts=parts)
    told = []
    for rows in (1 << 20, block):
        cut(rows)
        told.append((flips(sample), group_rates(sample, sample), weak_slices(sample, "release")))
    assert told[0][:2] == told[1][:2]
    assert [each.slice for each in told[0][2]] == [each.slice for each in told[1][2]]


def test_a_pass_is_made_once_and_not_for_other_answers(cut, monkeypatch):
    cut(1_000)
    passes = []
    real = areas.delong
    monkeypatch.setattr(areas, "delong", lambda *given, **named: passes.append(1) or real(*given, **named))
    sample = replace(binary(ROWS, 1, 0.1, 0.2), parts=(Part("all", np.arange(ROWS, dtype=np.int32), (), {}),))
    some = sample.part(sample.parts[0])
    seen = change_of("roc_auc", some, TERMS)
    again = sample.part(sample.parts[0])
    assert point("roc_auc", again, again.new, None) == pytest.approx(seen.new)
    assert estimate_of("roc_auc", again, 0.5, TERMS).value == seen.new
    assert len(passes) == 1
    turned = replace(sample, old=sample.new, new=sample.old)
    assert change_of("roc_auc", turned.part(turned.parts[0]), TERMS).change == pytest.approx(-seen.change)
    assert len(passes) == 2
