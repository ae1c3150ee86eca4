"""Rows and labels that the promises of a gate need, by our tests and by ease.ml/ci's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mlci.judge import easeml
from mlci.judge.stats.multiplicity import tarone_kept
from mlci.judge.stats.paired import FEWEST_ROWS
from mlci.judge.stats.power import further_rows, smallest_drop, smallest_drop_normal
from mlci.nouns.change import Change, Estimate, Missing, TooFew
from mlci.nouns.plan import Need, Peer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlci.judge.asks import Ask
    from mlci.nouns.plan import Adaptivity
    from mlci.nouns.policy import Gate

_LEAST_RISK = 1e-300
"""Below this a double holds no quantile."""


def risk_of(beta: float, steps: int, adaptivity: Adaptivity, *, critical: bool) -> float:
    """The chance of passing a loss of the tolerance that one use may spend.

    A critical check shares beta among all planned uses, because whoever may try again gets through in the end; where
    every outcome can steer the next try, among all 2^H ways that the tries can go.
    """
    if not critical:
        return beta
    shares = math.log(steps) if adaptivity == "none" else steps * math.log(2)
    return max(_LEAST_RISK, math.exp(math.log(beta) - shares))


def sharing(asks: Iterable[Ask], alpha: float) -> int:
    """How many checks share alpha: those that could fail at all (Tarone)."""
    smallest = [ask.seen.smallest_p for ask in asks if isinstance(ask.seen, Change | Estimate)]
    return max(1, int(np.count_nonzero(tarone_kept(smallest, alpha))))


def needs_of(asks: Sequence[Ask], gate: Gate, steps: int, adaptivity: Adaptivity) -> tuple[Need, ...]:
    """What each promise needs, in the order asked.

    A slice with too few rows to be judged is planned for as if it differed as much as all rows do.
    """
    tests = sharing(asks, gate.alpha)
    whole = {(ask.metric, ask.baseline): ask.seen for ask in asks if ask.part is None and isinstance(ask.seen, Change)}
    needs = []
    for ask in asks:
        risk = risk_of(gate.beta, steps, adaptivity, critical=ask.gate.critical)
        if isinstance(ask.seen, Change | Estimate):
            needs.append(_need(ask, ask.seen, risk, gate.alpha, tests, ""))
        else:
            like = whole.get((ask.metric, ask.baseline)) if ask.kind == "change" else None
            needs.append(_need(ask, like, risk, gate.alpha, tests, _why_not(ask.seen)))
    return tuple(needs)


def _why_not(seen: object) -> str:
    if isinstance(seen, TooFew):
        return f"fewer than {seen.needed} {seen.what}: reported, never judged"
    return seen.why.rstrip(".") if isinstance(seen, Missing) else "cannot be measured on these predictions"


def _need(ask: Ask, seen: Change | Estimate | None, risk: float, alpha: float, tests: int, note: str) -> Need:
    distance = _distance(ask, seen)
    known = Need(
        metric=ask.metric,
        slice=ask.part,
        baseline=ask.baseline,
        kind=ask.kind,
        limit=_limit(ask),
        critical=ask.gate.critical,
        risk=risk,
        tolerance=distance,
        rows=ask.rows,
        note=note,
    )
    if seen is None:
        return known
    if distance <= 0:
        why = "no loss is allowed: no number of rows can show that" if ask.kind == "change" else "beyond the limit"
        known = known.model_copy(update={"note": note or why})
    discordant = seen.discordant if isinstance(seen, Change) else None
    differ = max(1, sum(discordant)) / seen.n if discordant is not None else None
    # With groups the variance is larger than the share of rows that differ; without a differing row it is none at all.
    return _filled(known, max(seen.variance, differ or 0.0), differ, alpha, tests)


def _filled(need: Need, variance: float, differ: float | None, alpha: float, tests: int) -> Need:
    """The same need with its numbers."""
    further = further_rows(variance, 0, need.tolerance, beta=need.risk, label_share=1.0 if differ is None else differ)
    needed = max(FEWEST_ROWS, further.rows) if further else None
    labels = math.ceil(needed * (1.0 if differ is None else differ)) if needed is not None else None
    return need.model_copy(
        update={
            "differ": differ,
            "sees": _sees(need.rows, variance, differ, alpha),
            "sees_first": _sees(need.rows, variance, differ, alpha / tests),
            "needed_rows": needed,
            "needed_labels": labels,
        }
    )


def _sees(rows: int | None, variance: float, differ: float | None, alpha: float) -> float | None:
    if not rows:
        return None
    if differ is None or variance > differ:
        return smallest_drop_normal(variance, rows, alpha=alpha)
    drop = smallest_drop(rows, differ, alpha=alpha)
    return drop if math.isfinite(drop) else None


def _distance(ask: Ask, seen: Change | Estimate | None) -> float:
    """How large a loss must be ruled out; for a floor, as if the value that was measured were the true one."""
    if isinstance(seen, Estimate):
        return max(0.0, seen.gain)
    if ask.gate.change is None or seen is None:
        return 0.0
    return ask.gate.change.of(seen.old)


def _limit(ask: Ask) -> str:
    if ask.kind == "value":
        return f"{'floor' if ask.gate.floor is not None else 'ceiling'} {ask.limit:g}"
    return f"{'drop' if ask.gate.drop is not None else 'rise'} {ask.gate.change}"


def supposed(
    rows: int | None,
    differ: float,
    drop: float,
    *,
    alpha: float,
    risk: float,
    tests: int = 1,
    critical: bool = False,
) -> Need:
    """What a promise about accuracy needs where the share of rows on which the models differ is only supposed.

    >>> supposed(2_000, 0.05, 0.01, alpha=0.05, risk=0.05).needed_rows
    3092
    """
    need = Need(metric="accuracy", limit=f"drop {drop:g}", critical=critical, risk=risk, tolerance=drop, rows=rows)
    return _filled(need, differ, differ, alpha, tests)


def peer_of(drop: float, differ: float, risk: float, steps: int, adaptivity: Adaptivity) -> Peer:
    """What ease.ml/ci needs to hold the change of accuracy to the same tolerance."""
    changed = easeml.bennett(drop, risk, differ, steps=steps, adaptivity=adaptivity)
    condition = f"n - o > -{drop:g} +/- {drop:g}"
    return Peer(
        condition=condition,
        risk=risk,
        rows=easeml.rows_of(easeml.parse(condition), risk, steps=steps, adaptivity=adaptivity),
        changed=differ,
        few_changed_rows=changed.rows,
        labels_per_commit=changed.labels_per_commit,
    )


def peer_of_condition(condition: str, risk: float, steps: int, adaptivity: Adaptivity) -> Peer:
    """What ease.ml/ci needs for any condition; for `d < p` beside `n - o` (its pattern 1), by Bennett's bound too.

    Raises:
        ValueError: It is no condition.
    """
    clauses = easeml.parse(condition)
    known = Peer(condition=condition, risk=risk, rows=easeml.rows_of(clauses, risk, steps=steps, adaptivity=adaptivity))
    by = {tuple(sorted(clause.factors.items())): clause for clause in clauses}
    change, changed = by.get((("n", 1.0), ("o", -1.0))), by.get((("d", 1.0),))
    if change is None or changed is None or changed.threshold <= 0:
        return known
    few = easeml.bennett(change.tolerance, risk, changed.threshold, steps=steps, adaptivity=adaptivity)
    return known.model_copy(
        update={
            "changed": changed.threshold,
            "few_changed_rows": few.rows,
            "labels_per_commit": few.labels_per_commit,
        }
    )
