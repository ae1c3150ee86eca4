"""Every check of a gate, measured: what the test of each metric on each slice says, before all are settled together."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from mlci.judge.budget import beta_of
from mlci.judge.contrast import Terms, change_of, estimate_of, point
from mlci.nouns.change import Change, Estimate, Missing, TooFew

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlci.nouns.policy import Gate, MetricGate, Model
    from mlci.nouns.sample import Part, Sample
    from mlci.nouns.simple import SimpleName

Seen = Change | Estimate | TooFew | Missing
_HALVINGS = 20
_LEAST = 1e-12


@dataclass(frozen=True)
class Ask:
    """A check that was measured and is not yet settled: that takes the answers of all others.

    Attributes:
        path: Keys inside `mlci` that ask for it.
        metric: Name of the metric.
        part: Name of the slice; None for all rows.
        gate: The promise.
        baseline: What it was compared with; None for a floor or ceiling.
        rows: Rows that were looked at.
        positives: Positive rows among them, where the task is binary.
        seen: What the test says.
        p: One-sided p-value of what must be rejected to fail, where that is not 'no worse'.
        least: The smallest that `p` could be, where it is given.
        beats: Name of the simple model that the candidate is to be better than.
        trained: Rows that the simple model was trained on, of how many.
        better: One-sided p-value of 'the candidate is no better', for a simple model.
    """

    path: tuple[str, ...]
    metric: str
    part: str | None
    gate: MetricGate
    baseline: str | None
    rows: int
    positives: int | None
    seen: Seen
    p: float | None = None
    least: float | None = None
    beats: SimpleName | None = None
    trained: tuple[int, int] | None = None
    better: float | None = None

    @classmethod
    def of(cls, some: Sample, part: Part, metric: str, promise: MetricGate, seen: Seen, baseline: str | None) -> Ask:
        """About these rows of a slice."""
        positives = int(np.count_nonzero(some.label)) if some.task == "binary" else None
        path = (*part.path, metric) if metric in part.metrics else part.path
        return cls(path, metric, part.name, promise, baseline, some.size, positives, seen)

    @property
    def kind(self) -> Literal["change", "value", "beats"]:
        """A change against a baseline, the value against a floor or ceiling, or a simple model that is to be beaten."""
        if self.beats is not None:
            return "beats"
        return "value" if self.baseline is None else "change"

    @property
    def up(self) -> bool:
        """Whether more of the metric is better."""
        return self.gate.up(self.metric)

    @property
    def limit(self) -> float:
        """The floor or ceiling."""
        limit = self.gate.floor if self.up else self.gate.ceiling
        return float("nan") if limit is None else limit

    @property
    def tolerance(self) -> float:
        """The allowed loss in the metric's unit; 0 for a floor."""
        if self.gate.change is None or not isinstance(self.seen, Change):
            return 0.0
        return self.gate.change.of(self.seen.old)


def ask_changes(sample: Sample, gate: Gate, model: Model, baseline: str) -> Iterator[Ask]:
    """Measure every promised change, on all rows and on every slice.

    A slice inherits the allowed changes of `gate.metrics`, but not that they are critical: a small slice would block
    for ever.
    """
    for part in sample.parts:
        some = sample.part(part)
        for metric, promise in _promises(part, gate).items():
            if promise.change is not None:
                terms = _terms(gate, model, promise)
                seen = change_of(metric, some, terms)
                if isinstance(seen, Missing) and _nobody_has(metric, some, part, model):
                    seen = TooFew(what="rows with a value", seen=0, needed=1)
                ask = Ask.of(some, part, metric, promise, seen, baseline)
                yield _against_tolerance(ask, partial(change_of, metric, some), terms)


def _nobody_has(metric: str, some: Sample, part: Part, model: Model) -> bool:
    """Whether neither model has a value on a slice that nobody promised it of: there is nothing to lose there."""
    if part.name is None or metric in part.metrics or some.old is None:
        return False
    return all(point(metric, some, answers, model.cost) is None for answers in (some.old, some.new))


def ask_values(sample: Sample, gate: Gate, model: Model) -> Iterator[Ask]:
    """Measure every promised floor and ceiling of the candidate."""
    for part in sample.parts:
        some = sample.part(part) if part.metrics else sample
        for metric, own in part.metrics.items():
            promise = own.like(gate.metrics.get(metric))
            limit = promise.floor if promise.up(metric) else promise.ceiling
            if limit is not None:
                seen = estimate_of(metric, some, limit, _terms(gate, model, promise))
                yield Ask.of(some, part, metric, promise, seen, None)


def _terms(gate: Gate, model: Model, promise: MetricGate) -> Terms:
    """The terms of one promise: a critical one may be tried as often as planned."""
    return replace(Terms.of(gate, model.cost), beta=beta_of(gate, promise))


def _promises(part: Part, gate: Gate) -> dict[str, MetricGate]:
    if part.name is None:
        return gate.metrics
    inherited = {name: item.model_copy(update={"critical": False}) for name, item in gate.metrics.items()}
    own = {name: _with_change(item, inherited.get(name)) for name, item in part.metrics.items()}
    return {**inherited, **own}


def _with_change(own: MetricGate, general: MetricGate | None) -> MetricGate:
    """A slice that names only a floor keeps the general tolerance for changes."""
    mine = own.like(general)
    if own.change is not None or general is None:
        return mine
    return mine.model_copy(update={"drop": general.drop, "rise": general.rise})


def _against_tolerance(ask: Ask, again: Callable[[Terms], Seen], terms: Terms) -> Ask:
    """With `fail_when: worse_than_tolerance` it takes the p-value of 'the loss is no more than the tolerance'.

    That is the smallest alpha at which the upper bound of the gain is still below minus the tolerance, found by
    halving; the test of 'no worse' rejects wherever it does, so that the correction for many checks stays valid.
    """
    seen = ask.seen
    if ask.gate.fail_when != "worse_than_tolerance" or not isinstance(seen, Change) or ask.tolerance == 0:
        return ask
    p = p_below(again, seen, -ask.tolerance, terms, _LEAST)
    return replace(ask, p=p if p == 1 else max(p, seen.p))


def p_below(
    again: Callable[[Terms], Seen], seen: Change, limit: float, terms: Terms, least: float, halvings: int = _HALVINGS
) -> float:
    """The one-sided p-value of 'the gain is at least the limit': the smallest alpha whose upper bound is below it.

    Found by halving on a log scale, from above: it is never smaller than the exact one.

    Args:
        again: The same test on other terms.
        seen: What it said at `terms`.
        limit: In the metric's unit, in its good direction.
        terms: Whose alpha is the largest that is of interest.
        least: The smallest p-value to tell.
        halvings: How often the test is asked again.

    Returns:
        1 where the upper bound at `terms.alpha` is not below the limit.
    """
    if not seen.upper_bound < limit:
        return 1.0

    def rejects(alpha: float) -> bool:
        stricter = again(terms.at(alpha))
        return isinstance(stricter, Change) and stricter.upper_bound < limit

    if rejects(least):
        return least
    low, high = math.log(least), math.log(terms.alpha)
    for _ in range(halvings):
        middle = (low + high) / 2
        if rejects(math.exp(middle)):
            high = middle
        else:
            low = middle
    return math.exp(high)
