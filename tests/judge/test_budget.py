"""A model that is worse gets through in the end if it is tried often enough, unless the tries share one risk."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

from mlci.judge.asks import ask_changes
from mlci.judge.budget import alpha_of, beta_of, spent_finding
from mlci.judge.gate import settle
from mlci.judge.stats.multiplicity import tarone_holm
from mlci.judge.stats.paired import mcnemar_mid_p, smallest_mid_p, tango_lower, tango_score
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


@pytest.mark.slow
@pytest.mark.statistics
@pytest.mark.parametrize(("n", "q"), [(2_000, 0.05), (2_000, 0.02), (10_000, 0.05)])
def test_fifty_tries_of_a_model_that_is_a_point_worse(n, q):
    histories, tries = 20_000, 50
    rng = np.random.default_rng(20_240_101)
    gained, lost, _ = np.moveaxis(
        rng.multinomial(n, [(q - ALLOWED) / 2, (q + ALLOWED) / 2, 1 - q], size=(histories, tries)), -1, 0
    )
    z = tango_score(gained, lost, n, -ALLOWED)

    def gets_through(critical: bool) -> float:  # noqa: FBT001 - named by the caller
        gate = a_gate(critical=critical, reuse=tries)
        return float((z > -ndtri(beta_of(gate, gate.metrics["accuracy"]))).any(axis=1).mean())

    # The standard error of both shares is at most .2 points.
    assert gets_through(critical=False) == pytest.approx(0.915, abs=0.015)
    assert 0.025 < gets_through(critical=True) <= 0.05


@pytest.mark.parametrize("look", [1, 3, 10, 1_000, 10_000])
def test_all_looks_of_a_pull_request_spend_less_than_alpha(look):
    gate = a_gate(critical=False)
    assert sum(alpha_of(gate, each) for each in range(1, look + 1)) <= gate.alpha
    assert alpha_of(gate, None) == gate.alpha


def test_a_look_decides_by_what_is_left_of_alpha():
    gate, seen = a_gate(critical=False), a_sample(20, 45, 2_000)
    model = Model(name="m", label="y", id="i")
    policy = PolicyFile(Policy(model=model, gate=gate))
    asks = [*ask_changes(seen, gate, model, "merge-base")]
    found = {look: settle(asks, gate, policy, look=look)[0] for look in (None, 1, 4, 6, 12)}
    assert [each.outcome for each in found.values()] == ["fail", "fail", "fail", "inconclusive", "inconclusive"]
    assert found[6].gate.p_value == found[None].gate.p_value
    assert found[6].gate.detectable > found[1].gate.detectable > found[None].gate.detectable
    assert "over so many looks of one pull request" in found[6].message


@pytest.mark.slow
@pytest.mark.statistics
@pytest.mark.parametrize("shared", [0.0, 0.7], ids=["new models", "variants of one model"])
def test_ten_looks_of_a_pull_request_whose_models_are_no_worse(shared):
    """Six checks: five slices of 400 rows, and all of them. A share of the rows that differ is that of all looks."""
    histories, looks, q = 4_000, 10, 0.05
    rng = np.random.default_rng(20_240_301)
    gate = a_gate(critical=False)

    def draw(share: float, times: int):
        cells = rng.multinomial(400, [share / 2, share / 2, 1 - share], size=(histories, times, 5))[..., :2]
        return np.concatenate([cells, cells.sum(axis=2, keepdims=True)], axis=2)

    cells = draw(q * shared, 1) + draw(q * (1 - shared), looks)
    gained, lost = np.moveaxis(cells, -1, 0)
    ps, least = mcnemar_mid_p(gained, lost), smallest_mid_p(gained, lost)

    def blocked(history: int, look: int, alpha: float) -> bool:
        return bool(tarone_holm(ps[history, look], least[history, look], alpha).rejected.any())

    def ever(*, counted: bool) -> float:
        spends = [alpha_of(gate, look + 1 if counted else None) for look in range(looks)]
        return float(np.mean([any(blocked(h, look, spends[look]) for look in range(looks)) for h in range(histories)]))

    error = np.sqrt(0.05 * 0.95 / histories)
    assert ever(counted=True) <= gate.alpha + 2 * error
    assert ever(counted=False) > 3 * gate.alpha
