"""Judge what running a model takes: by limits, and beside the previous model in the same sessions.

A session is the unit: processes are started anew for it, and both models take turns in them. What differs from process
to process (addresses, caches, whatever else runs) is so part of the spread, as Kalibera and Jones 2013 (Rigorous
benchmarking in reasonable time, ISMM) and Georges, Buytaert and Eeckhout 2007 (Statistically rigorous Java performance
evaluation, OOPSLA) ask. The test is Wilcoxon's on the logarithm of new over old, session by session.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mlci.judge.budget_words import change_words, limit_words, mend, title
from mlci.judge.stats.signed_rank import centre
from mlci.nouns.finding import BudgetEvidence, Finding
from mlci.nouns.software import LOOKS, Artefact, Numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlci.nouns.budgets import Budget, BudgetName, Budgets
    from mlci.nouns.finding import Outcome
    from mlci.nouns.policy import PolicyFile
    from mlci.nouns.software import Software

ALPHA = 0.05
"""Chance to block a model that is no worse than a budget allows, over all looks at it; a check each."""
_BUSY = 0.8
"""Share of a core below which times tell more of the machine than of the model."""
_MILLION, _HOUR = 1e6, 3600.0


class Seen(NamedTuple):
    """What is known of the candidate and of the model before it.

    Attributes:
        model: The candidate's file.
        base: The previous model's file; None where there is none.
        software: What was measured; None where nothing was.
        why: Why there is no `software`, or no `base`; empty where there is.
    """

    model: Artefact | None
    base: Artefact | None
    software: Software | None
    why: str = ""

    @property
    def same(self) -> bool:
        """Whether both are the same bytes."""
        return self.model is not None and self.base is not None and self.model.sha256 == self.base.sha256


def judge_budgets(budgets: Budgets, seen: Seen, policy: PolicyFile) -> tuple[Finding, ...]:
    """One finding for every limit and every allowed change, in the order of the budgets.

    Args:
        budgets: What is promised.
        seen: What was measured.
        policy: For the places.
    """
    return tuple(
        finding for name, budget in budgets.asked().items() for finding in _Judge(name, budget, budgets, seen, policy)()
    )


def unsettled(findings: Sequence[Finding]) -> bool:
    """Whether measuring longer could change what becomes of the candidate."""
    if any(finding.blocks and finding.outcome == "fail" for finding in findings):
        return False
    return any(finding.outcome == "inconclusive" and finding.level != "info" for finding in findings)


class _Judge:
    """One budget."""

    def __init__(self, name: BudgetName, budget: Budget, budgets: Budgets, seen: Seen, policy: PolicyFile) -> None:
        self.name, self.budget, self.seen, self.policy = name, budget, seen, policy
        self.more_is_better = name == "throughput"
        self.price = (budgets.price or 0.0) * _MILLION / _HOUR
        count = len(seen.software.sessions) if seen.software is not None else 0
        # Each look may block by chance half as often as the one before.
        self.alpha = ALPHA / 2 ** (1 + sum(look < count for look in LOOKS))

    def __call__(self) -> Iterator[Finding]:
        if self.budget.limit is not None:
            yield self._limit(self.budget.limit.value)
        if self.budget.change is not None:
            yield self._change(self.budget.change)

    def _limit(self, limit: float) -> Finding:
        evidence = BudgetEvidence(
            budget=self.name, kind="limit", bound=limit, limit=str(self.budget.limit), sessions=self._sessions
        )
        if self.name == "size":
            if self.seen.model is None:
                return self._unmeasured(evidence)
            size = float(self.seen.model.size)
            evidence = evidence.model_copy(update={"new": size, "low": size, "high": size})
            return self._told("pass" if size <= limit else "fail", evidence)
        new = self._values(old=False)
        if new is None:
            return self._unmeasured(evidence)
        found = centre(np.log(new), self.alpha)
        value, low, high = (math.exp(each) for each in found)
        update: dict[str, object] = {
            "new": value,
            "low": low,
            "high": high,
            "share": self._share,
            "machine": self._machine,
        }
        return self._told(self._outcome(low, high, limit), evidence.model_copy(update=update))

    def _outcome(self, low: float, high: float, limit: float) -> Outcome:
        if self.more_is_better:
            low, high, limit = 1 / high, 1 / low, 1 / limit
        if high <= limit:
            return "pass"
        if low <= limit:
            return "inconclusive"
        busy = self._share is not None and self._share < _BUSY and self.name != "memory"
        return "fail" if not busy or self._too_slow_by_itself(limit) else "inconclusive"

    def _too_slow_by_itself(self, limit: float) -> bool:
        """Whether the CPU time alone is over the limit, which no other process on the machine explains."""
        field = {"throughput": "cpu", "cold_start": "cpu_start", "cost_per_million": "cpu"}.get(
            self.name, "cpu_latency"
        )
        cpu = self._of(field, old=False)
        scale = self.price if self.name == "cost_per_million" else 1.0
        return cpu is not None and math.exp(centre(np.log(cpu), self.alpha).low) * scale > limit

    def _change(self, allowed: float) -> Finding:
        bound = 1 - allowed if self.more_is_better else 1 + allowed
        word = "drop" if self.more_is_better else "rise"
        limit = f"{word} <= {100 * allowed:g}%"
        evidence = BudgetEvidence(budget=self.name, kind="change", bound=bound, limit=limit, sessions=self._sessions)
        if self.seen.model is None:
            return self._unmeasured(evidence)
        if self.seen.base is None:
            return self._told("not_comparable", evidence)
        if self.seen.same:
            return self._told("pass", evidence)
        if self.name == "size":
            ratio = self.seen.model.size / self.seen.base.size
            sizes = {"old": float(self.seen.base.size), "new": float(self.seen.model.size)}
            exact = {**sizes, "ratio": ratio, "low": ratio, "high": ratio}
            return self._told("pass" if ratio <= bound else "fail", evidence.model_copy(update=exact))
        new, old = self._values(old=False), self._values(old=True)
        if new is None or old is None:
            return self._unmeasured(evidence)
        ratio, low, high = (math.exp(each) for each in centre(np.log(new) - np.log(old), self.alpha))
        values = {"old": float(np.median(old)), "new": float(np.median(new))}
        update: dict[str, object] = {**values, "ratio": ratio, "low": low, "high": high}
        update |= {"machine": self._machine, "share": self._share}
        outcome: Outcome
        if self.more_is_better:
            outcome = "pass" if low >= bound else "fail" if high < bound else "inconclusive"
        else:
            outcome = "pass" if high <= bound else "fail" if low > bound else "inconclusive"
        return self._told(outcome, evidence.model_copy(update=update))

    @property
    def _sessions(self) -> int | None:
        timed = self.name != "size" and self.seen.software is not None
        return len(self.seen.software.sessions) if timed and self.seen.software is not None else None

    @property
    def _machine(self) -> str:
        return self.seen.software.machine if self.seen.software is not None else ""

    @property
    def _share(self) -> float | None:
        if self.seen.software is None:
            return None
        return float(np.median([session.share for session in self.seen.software.sessions]))

    def _values(self, *, old: bool) -> list[float] | None:
        if self.name == "cost_per_million":
            cpu = self._of("cpu", old=old)
            return [each * self.price for each in cpu] if cpu is not None else None
        return self._of(self.name, old=old)

    def _of(self, field: str, *, old: bool) -> list[float] | None:
        """A number of every session; None where one lacks it."""
        if self.seen.software is None:
            return None
        sides: list[Numbers | None] = [each.old if old else each.new for each in self.seen.software.sessions]
        found = [getattr(side, field) for side in sides if side is not None]
        told = [float(value) for value in found if value is not None]
        return told if told and len(told) == len(sides) else None

    def _unmeasured(self, evidence: BudgetEvidence) -> Finding:
        return self._told("not_measured", evidence)

    def _told(self, outcome: Outcome, evidence: BudgetEvidence) -> Finding:
        word = "limit" if evidence.kind == "limit" else "drop" if self.more_is_better else "rise"
        words = limit_words if evidence.kind == "limit" else change_words
        return Finding(
            check=f"budgets.{self.name}.{word}",
            title=title(evidence),
            area="gate",
            level=self.budget.level,
            critical=self.budget.critical,
            outcome=outcome,
            message=words(evidence, outcome, self.seen.why, same=self.seen.same),
            mend="" if outcome == "pass" else mend(evidence, outcome),
            place=self.policy.place("budgets", self.name, word),
            budget=evidence,
        )
