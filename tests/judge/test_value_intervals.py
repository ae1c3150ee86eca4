"""Intervals of one model's metrics."""

import numpy as np
import pytest
from scipy import stats

from mlci.judge.value_intervals import intervals
from mlci.nouns.policy import Cost, Gate, Model
from mlci.nouns.sample import Answers, Part, Sample


@pytest.fixture
def sample():
    rng = np.random.default_rng(4)
    label = rng.random(2_000) < 0.4
    score = np.clip(0.3 + 0.3 * label + 0.2 * rng.normal(size=label.size), 0.01, 0.99)
    ids = np.array([f"r{place}" for place in range(label.size)], dtype=object)
    return Sample("binary", ids, label, Answers(score >= 0.5, score), None, (Part(None, None, (), {}),))


def test_every_metric_of_the_task_has_one_around_its_value(sample):
    model = Model(name="m", label="y", id="i", cost=Cost(false_negative=4))
    found = intervals(sample, Gate(), model)
    assert {"accuracy", "roc_auc", "f1", "log_loss", "cost"} <= set(found)
    right = int(np.count_nonzero(sample.new.decision == sample.label))
    exact = stats.binomtest(right, sample.label.size).proportion_ci(0.90, "exact")
    assert found["accuracy"] == pytest.approx((exact.low, exact.high))
    assert all(low < high for low, high in found.values())


def test_costs_that_nobody_named_have_none(sample):
    assert "cost" not in intervals(sample, Gate(), Model(name="m", label="y", id="i"))
