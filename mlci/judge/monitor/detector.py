"""The e-detector: one bound on false alarms for a whole horizon, however often one looks.

Under no change a bet's capital does not grow in the mean. S_t = (S_{t-1} + 1/T) L_t puts 1/T of the money on a change
at each period t of T, with L_t what the bet made of the period's rows; M_t = mean of S_t over the bets + (T - t)/T
counts what is not yet put down. M is a nonnegative supermartingale from 1, so that it ever reaches F / alpha has a
chance of at most alpha / F (Ville 1939), and at most alpha for F streams together,
whatever they have to do with each other.

A period is judged when it is over. Inside a cycle (hours of a day, days of a week) the mean may swing as it likes: the
product of 1 + stake (m_i - null) is largest where all m_i are equal, so only their mean over the period counts.

Source: Shin, Ramdas and Rinaldo (2022), E-detectors (arXiv 2203.03532), the Shiryaev-Roberts form.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

from mlci.errors import ClockError
from mlci.judge.monitor.streams import bounded
from mlci.nouns.monitor import Batch, Stream, StreamState, Suspect

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


def period_of(moment: datetime, length: timedelta) -> int:
    """Which period a moment with a time zone is in: whole lengths since Monday 1970-01-05, UTC.

    >>> from datetime import UTC, datetime, timedelta
    >>> monday = datetime(2024, 1, 1, tzinfo=UTC)
    >>> week = timedelta(days=7)
    >>> period_of(monday, week) - period_of(monday - timedelta(seconds=1), week)
    1
    """
    days_to_monday = 4 * 86_400
    return math.floor((moment.timestamp() - days_to_monday) / length.total_seconds())


def counted(stream: Stream, period: int, rows: int, hits: Sequence[int], slot: int = 0) -> Batch:
    """A batch of rates or shares: hits of each of the stream's parts among the rows.

    Raises:
        ValueError: There are not as many counts as parts, or one is not between 0 and the rows.
    """
    if len(hits) != len(stream.parts) or not all(0 <= one <= rows for one in hits):
        raise ValueError(f"{stream.name} needs {len(stream.parts)} counts between 0 and {rows}")
    hit, miss = log_factors(stream)
    seen = np.array([hits[bet.part] for bet in stream.bets], dtype=np.float64)
    evidence = seen * hit + (rows - seen) * miss
    return Batch(period=period, slot=slot, rows=rows, sums=tuple(map(float, hits)), evidence=_tuple(evidence))


def valued(stream: Stream, period: int, values: Floats, slot: int = 0) -> Batch:
    """A batch of a bounded mean: values in [0, 1], shape (n,).

    Raises:
        ValueError: A value is not in [0, 1].
    """
    bounded(values)
    evidence = np.array([np.log1p(bet.stake * (values - bet.null)).sum() for bet in stream.bets])
    sums = (float(values.sum()),)
    return Batch(period=period, slot=slot, rows=int(values.size), sums=sums, evidence=_tuple(evidence))


def log_factors(stream: Stream) -> tuple[Floats, Floats]:
    """For each bet what a hit and what a miss adds to its log capital."""
    stake = np.array([bet.stake for bet in stream.bets])
    null = np.array([bet.null for bet in stream.bets])
    return np.log1p(stake * (1 - null)), np.log1p(-stake * null)


def begin(stream: Stream, period: int) -> StreamState:
    """The state of a stream whose horizon starts with this period."""
    return StreamState(
        stream=stream,
        start=period,
        period=period,
        sums=(0.0,) * len(stream.parts),
        evidence=(0.0,) * len(stream.bets),
        capital=(-math.log(stream.horizon),) * len(stream.bets),
    )


def update(state: StreamState, batch: Batch) -> StreamState:
    """Count a batch, and judge the periods that are over with it; what was counted already changes nothing.

    Within a period batches may come in any order and any may be missing.

    Raises:
        ClockError: The batch is older than the open period, and its period had no rows when it was closed.
    """
    if batch.period < state.period:
        if any(first <= batch.period <= last for first, last in state.settled):
            return state
        raise ClockError(
            f"{state.stream.name}: rows of period {batch.period} came after period {state.period} had begun",
            "Set the clock right. If it was ahead before, take an older state, or begin a new one.",
        )
    state = advance(state, batch.period)
    if batch.slot in state.slots:
        return state
    return state.model_copy(
        update={
            "slots": tuple(sorted((*state.slots, batch.slot))),
            "rows": state.rows + batch.rows,
            "sums": tuple(a + b for a, b in zip(state.sums, batch.sums, strict=True)),
            "evidence": tuple(a + b for a, b in zip(state.evidence, batch.evidence, strict=True)),
        }
    )


def advance(state: StreamState, period: int) -> StreamState:
    """Judge all periods before this one: they are over. Those without rows change no capital.

    An older period changes nothing. After a horizon the next one begins with fresh capital. An alarm that is on stays
    on until its evidence is gone.
    """
    while state.period < period:
        state = _closed(state)
        if state.period - state.start >= state.stream.horizon and not state.alarmed:
            # Nothing is left of the past: what lies between may be jumped over.
            whole = (period - state.start) // state.stream.horizon
            start = state.start + whole * state.stream.horizon
            state = _fresh(state, start=start, period=start)
    return state


def suspect(state: StreamState) -> Suspect | None:
    """The bet that has won most, over closed periods; None where a stream has no bets."""
    stream = state.stream
    if not stream.bets:
        return None
    best = int(np.argmax(state.capital))
    bet = stream.bets[best]
    return Suspect(
        part=stream.parts[bet.part],
        direction="down" if bet.stake < 0 else "up",
        toward=bet.toward,
        log_evidence=state.capital[best] + math.log(stream.horizon),
    )


def _closed(state: StreamState) -> StreamState:
    """The state after its open period is over."""
    stream, now = state.stream, state.period
    if not stream.bets:
        return _opened(state, state.capital, 0.0)
    # More than raises an alarm alone is not kept: a smaller M breaks no bound, and the alarm ends soon after the cause.
    most = math.log(len(stream.bets) * stream.threshold)
    log_s = np.minimum(np.add(state.capital, state.evidence), most)
    left = max(stream.horizon - (now - state.start + 1), 0) / stream.horizon
    log_m = float(np.logaddexp(logsumexp(log_s) - math.log(len(stream.bets)), math.log(left) if left else -math.inf))
    capital = _tuple(np.logaddexp(log_s, -math.log(stream.horizon)))
    limit = math.log(stream.threshold)
    if state.since is None:
        # Rounding must not keep an alarm from being raised that the cap has just allowed.
        raised = log_m >= limit - 1e-9
        risen = {"since": now, "alarms": (*state.alarms, now)} if raised else {}
        return _opened(state.model_copy(update=risen), capital, log_m)
    if log_m < limit / 2:
        return _opened(state.model_copy(update={"since": None}), begin(stream, now).capital, log_m)
    return _opened(state, capital, log_m)


def _opened(state: StreamState, capital: tuple[float, ...], log_m: float) -> StreamState:
    now = state.period
    settled = state.settled
    if state.slots:
        joined = bool(settled) and settled[-1][1] == now - 1
        settled = (*settled[:-1], (settled[-1][0], now)) if joined else (*settled, (now, now))
    return state.model_copy(
        update={
            "period": now + 1,
            "slots": (),
            "rows": 0,
            "sums": (0.0,) * len(state.sums),
            "evidence": (0.0,) * len(state.evidence),
            "capital": capital,
            "log_m": log_m,
            "settled": settled,
        }
    )


def _fresh(state: StreamState, start: int, period: int) -> StreamState:
    kept = {"start": start, "period": period, "capital": begin(state.stream, start).capital, "log_m": 0.0}
    return state.model_copy(update=kept)


def _tuple(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
