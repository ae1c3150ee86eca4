"""Every metric passes, fails and stays open: a change and a limit, rows by themselves and in groups."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gates import binary, multiclass, regression

from mlci.judge.asks import ask_changes, ask_values
from mlci.judge.contrast import point
from mlci.judge.gate import settle
from mlci.nouns.metric import direction
from mlci.nouns.policy import Gate, Model, Policy, PolicyFile
from mlci.nouns.sample import Answers, Part

MODEL = Model.model_validate({"name": "m", "label": "l", "id": "i", "cost": {"false_negative": 5}})
METRICS = {
    **dict.fromkeys(("accuracy", "balanced_accuracy", "roc_auc", "precision", "recall", "specificity", "f1"), binary),
    **dict.fromkeys(("mcc", "log_loss", "brier", "cost"), binary),
    **dict.fromkeys(("accuracy ", "macro_f1", "micro_f1", "top_2_accuracy", "recall_a", "precision_b"), multiclass),
    **dict.fromkeys(("f1_c", "log_loss ", "brier "), multiclass),
    **dict.fromkeys(("mae", "mse", "rmse", "r2", "mape", "pinball_90"), regression),
}
"""A blank behind the name tells the multiclass form of a metric from the binary one."""
N = 1_500


def even(rows):
    """The same rows twice, the second time with the models the other way round: nothing changed at all."""
    twice = rows.only(np.tile(np.arange(rows.size), 2))
    first = np.arange(twice.size) < rows.size

    def mixed(one, other):
        score = (
            None
            if one.score is None
            else np.where(first if one.score.ndim == 1 else first[:, None], one.score, other.score)
        )
        return Answers(np.where(first, one.decision, other.decision), score)

    return replace(twice, old=mixed(twice.old, twice.new), new=mixed(twice.new, twice.old))


def outcome(metric, rows, grouped, **promise):
    gate = Gate.model_validate({"metrics": {metric: promise}})
    group = np.arange(rows.size, dtype=np.int64) // 5 if grouped else None
    rows = replace(rows, parts=(Part(None, None, ("gate", "metrics"), gate.metrics),), group=group)
    asks = [*ask_changes(rows, gate, MODEL, "merge-base"), *ask_values(rows, gate, MODEL)]
    (found,) = settle(asks, gate, PolicyFile(Policy()))
    assert found.message
    assert found.title
    assert (found.mend == "") == (found.outcome == "pass")
    return found.outcome


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("metric", METRICS)
def test_a_change_has_three_outcomes(metric, grouped):
    make, name = METRICS[metric], metric.strip()
    word = "rise" if direction(name) == -1 else "drop"
    equal, worse = even(make(N // 2, 3, 0.1, 0.1)), make(N, 3, 0.1, 0.3)
    assert outcome(name, equal, grouped, **{word: "30%"}) == "pass"
    assert outcome(name, worse, grouped, **{word: "0.1%"}) == "fail"
    assert outcome(name, worse, grouped, **{word: 0}) == "fail"
    assert outcome(name, equal, grouped, **{word: 0}) == "inconclusive"
    assert outcome(name, worse, grouped, **{word: "1000%"}) == "pass"
    lenient = {word: "0.1%", "fail_when": "worse_than_tolerance"}
    assert outcome(name, worse, grouped, **lenient) == "fail"


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("metric", METRICS)
def test_a_limit_has_three_outcomes(metric, grouped):
    make, name = METRICS[metric], metric.strip()
    rows = make(N, 3, 0.1, 0.2)
    value = point(name, rows, rows.new, MODEL.cost)
    up = direction(name) == 1
    word = "floor" if up else "ceiling"
    assert outcome(name, rows, grouped, **{word: value * (0.8 if up else 1.5)}) == "pass"
    assert outcome(name, rows, grouped, **{word: value * (1.1 if up else 0.7)}) == "fail"
    assert outcome(name, rows, grouped, **{word: value}) == "inconclusive"
