"""One look: what came since the last one is counted, each row and each label once.

Rows count in the period in which they were predicted, labels in the period in which they came, whatever they are labels
of. What was counted of each period's labels is kept as long as further ones may come: a label that arrives with an old
time, or is corrected, shows as a difference to it, and counts in the first period that is still open.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mlci.judge.monitor import bins
from mlci.judge.monitor.detector import advance, begin, update
from mlci.judge.monitor.estimate import estimate, payoff
from mlci.judge.monitor.metrics import map_of
from mlci.judge.monitor.reference import values_of
from mlci.nouns.monitor import Batch, StreamState
from mlci.nouns.monitoring import Counted, MonitorState, Seen

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from mlci.judge.monitor.reference import Made
    from mlci.nouns.logged import Logged
    from mlci.nouns.monitor import Estimate, Stream
    from mlci.nouns.monitor_policy import MonitorPolicy
    from mlci.nouns.monitoring import Reference, Watched
    from mlci.nouns.policy import Model

    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Periods = npt.NDArray[np.int64]

_MONDAY = 4 * 86_400
"""Periods are counted from Monday 1970-01-05."""
_EPSILON = 1e-9


class Span(NamedTuple):
    """The periods that are counted, [first, last), and the first whose labels are still waited for."""

    oldest: int
    first: int
    last: int

    @property
    def new(self) -> int:
        """How many are counted."""
        return self.last - self.first


def periods_of(moments: Floats, seconds: float) -> Periods:
    """Which period each moment is in."""
    return np.floor((moments - _MONDAY) / seconds).astype(np.int64)


def start_of(period: int, seconds: float) -> datetime:
    """The first moment of a period."""
    return datetime.fromtimestamp(period * seconds + _MONDAY, UTC)


def said(moment: datetime) -> str:
    """A moment as it is written: `2026-03-01T00:00:00Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def begun(made: Made, model: str, period: int) -> MonitorState:
    """The state before the first look."""
    streams = tuple(begin(stream, period) for stream in made.streams)
    return MonitorState(model=model, reference=made.reference, begun=period, until=period, streams=streams)


def oldest(state: MonitorState, policy: MonitorPolicy) -> int:
    """The first period whose labels may still come."""
    return max(state.until - max(1, round(policy.labels.within / policy.period)), state.begun)


def look(state: MonitorState, rows: Logged, until: int, policy: MonitorPolicy, model: Model) -> MonitorState:
    """Count what came since the last look.

    Args:
        state: As the last look left it.
        rows: Predictions from `policy.labels.within` before `state.until` on, with the labels that are known by now;
            those of periods from `until` on are left alone.
        until: The first period that is not over.
        policy: What is watched.
        model: Task, costs, threshold.
    """
    seconds = policy.period.total_seconds()
    span = Span(oldest(state, policy), state.until, max(until, state.until))
    at = periods_of(rows.at, seconds)
    rows, at = rows.part((at >= span.oldest) & (at < span.last)), at[(at >= span.oldest) & (at < span.last)]
    arrived = np.maximum(periods_of(rows.labelled_at, seconds), at)
    known = rows.labelled & (arrived < span.last)
    labelled, cohort, came = rows.part(known), at[known], arrived[known]
    if not span.new:
        return state
    seen = _seen(state, span, rows, at, labelled, cohort, policy, model)
    streams = []
    for watched, stream in zip(state.reference.watched, state.streams, strict=True):
        if watched.kind in {"metric", "calibration"}:
            batches, counted = _labels(watched, stream.stream, state, span, labelled, cohort, came, model)
            for period, kept in counted.items():
                if period in seen:
                    seen[period] = seen[period].model_copy(
                        update={"counted": {**seen[period].counted, watched.name: kept}}
                    )
        else:
            batches = _bins(watched, stream.stream, rows, at, span)
        streams.append(_through(stream, watched, batches, span, seen))
    return state.model_copy(
        update={
            "until": span.last,
            "streams": tuple(streams),
            "seen": tuple(_forgot(seen[period], span, policy) for period in sorted(seen)),
            "late": state.late + _late(state, span, at),
        }
    )


def _through(
    state: StreamState, watched: Watched, batches: Mapping[int, Batch], span: Span, seen: dict[int, Seen]
) -> StreamState:
    """A stream through all periods, leaving in each how full it was, and what its mean was."""
    for period in range(span.first, span.last):
        batch = batches.get(period)
        if batch is not None:
            state = update(state, batch)
        state = advance(state, period + 1)
        now = seen[period]
        means = dict(now.means)
        if watched.kind == "metric" and batch is not None and batch.rows > 0:
            means[watched.name] = batch.sums[0] / batch.rows * watched.scale
        if watched.kind == "calibration" and batch is not None and batch.rows > 0:
            means[watched.name] = (batch.sums[0] / batch.rows - 0.5) * watched.scale
        seen[period] = now.model_copy(update={"means": means, "full": {**now.full, watched.name: round(state.full, 6)}})
    return state


def _labels(
    watched: Watched,
    stream: Stream,
    state: MonitorState,
    span: Span,
    rows: Logged,
    cohort: Periods,
    came: Periods,
    model: Model,
) -> tuple[dict[int, Batch], dict[int, Counted]]:
    """The batches of a stream over labels, and what is counted of each period's predictions after them."""
    values = values_of(watched, state.reference, rows, model)
    factors = [np.log1p(bet.stake * (values - bet.null)) for bet in stream.bets]
    new = came >= span.first
    totals = _summed(values, factors, cohort - span.oldest, span.last - span.oldest)
    before = _summed(values[~new], [f[~new] for f in factors], cohort[~new] - span.oldest, span.last - span.oldest)
    fresh = _summed(values[new], [f[new] for f in factors], came[new] - span.first, span.new)
    known = {each.period: each.counted.get(watched.name) for each in state.seen}
    counted: dict[int, Counted] = {}
    for period in range(span.oldest, span.last):
        place = period - span.oldest
        old = known.get(period) or Counted(evidence=(0.0,) * len(stream.bets))
        late = before[place]
        if late.rows > old.rows or (late.rows == old.rows and abs(late.sum - old.sum) > _EPSILON):
            fresh[0] = _plus(fresh[0], _minus(late, old))
            counted[period] = totals[place]
        elif late.rows < old.rows:
            # The log has forgotten some: what was counted stays counted.
            counted[period] = _plus(old, _minus(totals[place], late))
        else:
            counted[period] = totals[place]
    batches = {
        span.first + place: Batch(
            period=span.first + place, rows=max(each.rows, 0), sums=(each.sum,), evidence=each.evidence
        )
        for place, each in enumerate(fresh)
        if each.rows or any(each.evidence)
    }
    return batches, counted


def _summed(values: Floats, factors: list[Floats], group: Periods, groups: int) -> list[Counted]:
    rows = np.bincount(group, minlength=groups)
    sums = np.bincount(group, weights=values, minlength=groups)
    evidence = [np.bincount(group, weights=each, minlength=groups) for each in factors]
    return [
        Counted(rows=int(rows[at]), sum=float(sums[at]), evidence=tuple(float(each[at]) for each in evidence))
        for at in range(groups)
    ]


def _plus(one: Counted, other: Counted) -> Counted:
    evidence = tuple(a + b for a, b in zip(one.evidence, other.evidence, strict=True))
    return Counted(rows=one.rows + other.rows, sum=one.sum + other.sum, evidence=evidence)


def _minus(one: Counted, other: Counted) -> Counted:
    negative = Counted(rows=-other.rows, sum=-other.sum, evidence=tuple(-each for each in other.evidence))
    return _plus(one, negative)


def _bins(watched: Watched, stream: Stream, rows: Logged, at: Periods, span: Span) -> dict[int, Batch]:
    """The batches of a stream over the bins of a feature or of the score."""
    new = at >= span.first
    values = rows.score if watched.kind == "score" else rows.features.get(watched.column)
    if values is None:
        return {}
    parts = len(stream.parts)
    cells = (at[new] - span.first) * parts + bins.codes(watched, values[new])
    counts = np.bincount(cells, minlength=span.new * parts).reshape(span.new, parts)
    stake = np.array([bet.stake for bet in stream.bets])
    null = np.array([bet.null for bet in stream.bets])
    part = np.array([bet.part for bet in stream.bets], dtype=np.intp)
    hits, total = counts[:, part], counts.sum(axis=1)
    evidence = hits * np.log1p(stake * (1 - null)) + (total[:, None] - hits) * np.log1p(-stake * null)
    return {
        span.first + place: Batch(
            period=span.first + place,
            rows=int(total[place]),
            sums=tuple(map(float, counts[place])),
            evidence=tuple(map(float, evidence[place])),
        )
        for place in range(span.new)
        if total[place]
    }


def _seen(
    state: MonitorState,
    span: Span,
    rows: Logged,
    at: Periods,
    labelled: Logged,
    cohort: Periods,
    policy: MonitorPolicy,
    model: Model,
) -> dict[int, Seen]:
    """The periods with how many rows and labels they have; older ones as they were, with the labels that came."""
    seconds = policy.period.total_seconds()
    seen = {each.period: each for each in state.seen}
    came = np.maximum(periods_of(labelled.labelled_at, seconds), cohort)
    head = state.reference.watched[0]
    values = values_of(head, state.reference, labelled, model) * head.scale
    for period in range(span.oldest, span.last):
        mine = cohort == period
        old = seen.get(period)
        if old is None and period < span.first:
            continue
        realised = float(values[mine].mean()) if mine.any() else None
        if old is not None:
            seen[period] = old.model_copy(
                update={
                    "rows": max(old.rows, int((at == period).sum())),
                    "labels": max(old.labels, int(mine.sum())),
                    "realised": realised if mine.sum() >= old.labels else old.realised,
                }
            )
            continue
        part = rows.part(at == period)
        seen[period] = Seen(
            period=period,
            start=said(start_of(period, seconds)),
            rows=part.rows,
            labels=int(mine.sum()),
            arrived=int((came == period).sum()),
            score=float(part.score.mean()) if part.score is not None and part.rows else None,
            estimate=_estimated(state.reference, part, model),
            realised=realised,
        )
    return seen


def _estimated(reference: Reference, part: Logged, model: Model) -> Estimate | None:
    if reference.calibrated is None or reference.metric is None or part.score is None or not part.rows:
        return None
    costs = (model.cost.false_positive, model.cost.false_negative) if model.cost is not None else (1.0, 1.0)
    worth = payoff(reference.metric, part.score, model.threshold, costs)
    return estimate(map_of(reference.calibrated), reference.metric, part.score, worth)


def _forgot(seen: Seen, span: Span, policy: MonitorPolicy) -> Seen:
    """Without what nobody will ask for: labels of that period are not waited for any more."""
    waited = max(1, round(policy.labels.within / policy.period))
    return seen if seen.period >= span.last - waited else seen.model_copy(update={"counted": {}})


def _late(state: MonitorState, span: Span, at: Periods) -> int:
    """Rows of periods that were counted before, beyond those that they had then; of each period counted once."""
    late = 0
    for each in state.seen:
        if span.oldest <= each.period < span.first:
            late += max(int((at == each.period).sum()) - each.rows, 0)
    return late
