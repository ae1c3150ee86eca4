"""One test set, used again and again: what retries let through, and what the looks of a pull request block."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri
from simulated import Share, keep

from mlci.judge.budget import alpha_of, beta_of
from mlci.judge.stats.multiplicity import tarone_holm
from mlci.judge.stats.paired import mcnemar_mid_p, smallest_mid_p, tango_score
from mlci.nouns.policy import Gate, MetricGate
from mlci.nouns.scalars import Amount

pytestmark = [pytest.mark.slow, pytest.mark.statistics]

ALLOWED = 0.01
TRIES = 50


def a_gate(*, critical: bool) -> Gate:
    return Gate(metrics={"accuracy": MetricGate(drop=Amount(value=ALLOWED), critical=critical)}, reuse=TRIES)


@pytest.mark.parametrize(("n", "q"), [(2_000, 0.05), (2_000, 0.02), (10_000, 0.05)])
def test_fifty_tries_of_a_model_that_is_a_point_worse(n, q):
    histories = 20_000
    rng = np.random.default_rng(20_240_101)
    cells = rng.multinomial(n, [(q - ALLOWED) / 2, (q + ALLOWED) / 2, 1 - q], size=(histories, TRIES))
    gained, lost = cells[..., 0], cells[..., 1]
    z = tango_score(gained, lost, n, -ALLOWED)

    def gets_through(*, critical: bool):
        gate = a_gate(critical=critical)
        return np.logical_or.accumulate(z > -ndtri(beta_of(gate, gate.metrics["accuracy"])), axis=1)

    without, shared = gets_through(critical=False), gets_through(critical=True)
    threshold = np.logical_or.accumulate(lost - gained <= ALLOWED * n, axis=1)
    for tries in (1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 50):
        shares = {"budget": shared, "without": without, "threshold": threshold}
        keep("retries", f"{n}, {q}, {tries}", **{name: Share.of(seen[:, tries - 1]) for name, seen in shares.items()})
    assert Share.of(without[:, -1]).rate == pytest.approx(0.915, abs=0.015)
    assert Share.of(shared[:, -1]).at_most(0.05)
    assert shared[:, -1].mean() > 0.025
    assert threshold[:, -1].all()


@pytest.mark.parametrize(("case", "shared"), [("new models", 0.0), ("variants of one model", 0.7)])
def test_ten_looks_of_a_pull_request_whose_models_are_no_worse(case, shared):
    """Six checks: five slices of 400 rows, and all of them. A share of the rows that differ is that of all looks."""
    histories, looks, q = 4_000, 10, 0.05
    rng = np.random.default_rng(20_240_301)
    gate = a_gate(critical=False)

    def draw(share: float, times: int):
        cells = rng.multinomial(400, [share / 2, share / 2, 1 - share], size=(histories, times, 5))[..., :2]
        return np.concatenate([cells, cells.sum(axis=2, keepdims=True)], axis=2)

    gained, lost = np.moveaxis(draw(q * shared, 1) + draw(q * (1 - shared), looks), -1, 0)
    ps, least = mcnemar_mid_p(gained, lost), smallest_mid_p(gained, lost)

    def ever(*, counted: bool):
        spends = [alpha_of(gate, look + 1 if counted else None) for look in range(looks)]
        blocked = [
            [tarone_holm(p, few, spent).rejected.any() for p, few, spent in zip(*history, spends, strict=True)]
            for history in zip(ps, least, strict=True)
        ]
        return np.logical_or.accumulate(blocked, axis=1)

    ours, alone = ever(counted=True), ever(counted=False)
    for look in range(looks):
        keep("looks", f"{case}, {look + 1}", counted=Share.of(ours[:, look]), uncounted=Share.of(alone[:, look]))
    assert Share.of(ours[:, -1]).at_most(gate.alpha)
    assert alone[:, -1].mean() > 3 * gate.alpha
