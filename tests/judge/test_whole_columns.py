"""What needs whole columns is named before memory is gone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from gates import binary

from mlci.judge.whole_columns import whole_columns
from mlci.nouns.policy import Gate
from mlci.nouns.sample import OwnMetric


def test_own_metrics_and_groups_are_named_where_they_outgrow_the_engine():
    gate = Gate.model_validate({"metrics": {"profit": {"drop": 1}, "accuracy": {"drop": 0.01}}})
    own = {"profit": OwnMetric(lambda *_: 0.0, "up"), "unasked": OwnMetric(lambda *_: 0.0, "up")}
    sample = replace(binary(10_000, 1, group=np.arange(10_000)), own=own)
    told = list(whole_columns(sample, gate, 100_000))
    assert len(told) == 2
    assert "the metric profit" in told[0]
    assert "10,000 rows" in told[0]
    assert "gate.group" in told[1]
    assert not list(whole_columns(sample, gate, 1_000_000))
    assert not list(whole_columns(binary(10_000, 1), gate, 1))
