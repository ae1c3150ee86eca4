"""A model that is worse gets through in the end if it is tried often enough, unless the tries share one risk."""

from __future__ import annotations

import numpy as np
import pytest

from mlci.judge.asks import ask_changes
from mlci.judge.budget import beta_of, spent_finding
from mlci.judge.gate import settle
from mlci.judge.stats.paired import tango_lower
from mlci.nouns.policy import Gate, MetricGate, Model, Policy, PolicyFile
from mlci.nouns.sample import Answers, Part, Sample
from mlci.nouns.scalars import Amount

ALLOWED = 0.01
POINT = Amount(value=ALLOWED)


def a_gate(*, critical: bool, reuse: int = 50) -> Gate:
    return Gate(metrics={"accuracy": MetricGate(drop=POINT, critical=critical)}, reuse=reuse)


def a_sample(gained: int, lost: int, n: int) -> Sample:
    label, old, new = np.ones(n, bool), np.ones(n, bool), np.ones(n, bool)
    old[:gained] = False
    new[gained : gained + lost] = False
    ids = np.arange(n).astype(object)
    return Sample("binary", ids, label, Answers(new), Answers(old), (Part(None, None, ("gate", "metrics"), {}),))


def settled(gate: Gate, sample: Sample):
    model = Model(name="m", label="y", id="i")
    asks = [*ask_changes(sample, gate, model, "merge-base")]
    return asks[0], settle(asks, gate, PolicyFile(Policy(model=model, gate=gate)))[0]


def test_only_critical_promises_share_their_risk():
    for critical, beta in ((True, 0.001), (False, 0.05)):
        gate = a_gate(critical=critical)
        assert beta_of(gate, gate.metrics["accuracy"]) == pytest.approx(beta)
        ask, _ = settled(gate, a_sample(44, 58, 2_000))
        assert ask.seen.lower_bound == pytest.approx(float(tango_lower(44, 58, 2_000, beta)))


def test_a_critical_promise_asks_for_more_rows_and_says_how_sure_it_is():
    usual, careful = (settled(a_gate(critical=critical), a_sample(50, 50, 2_000))[1] for critical in (False, True))
    assert (usual.outcome, careful.outcome) == ("pass", "inconclusive")
    assert careful.blocks
    assert careful.gate.more_rows > 0
    _, sure = settled(a_gate(critical=True), a_sample(50, 50, 10_000))
    assert sure.outcome == "pass"
    assert "99.9 % sure" in sure.message


def test_a_spent_budget_warns_and_asks_for_fresh_rows():
    finding = spent_finding(51, PolicyFile(Policy()), 50)
    assert finding.warns
    assert not finding.blocks
    assert "use 51" in finding.message
    assert "fresh rows" in finding.mend
