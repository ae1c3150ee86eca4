"""Watch a model of the past as `mlci monitor` would have: one look whenever something is to be judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlci.flows.monitor_memory import look_at, model_and_policy, reference_of
from mlci.flows.monitor_promises import check_inputs
from mlci.flows.replay_models import signature_of, window_of
from mlci.judge.monitor.limits import data_alarm
from mlci.judge.monitor.look import periods_of, start_of
from mlci.nouns.replay import AlarmSeen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta
    from pathlib import Path

    from mlci.flows.replay_case import Past, Span
    from mlci.judge.monitor.reference import Made
    from mlci.nouns.alarm import Alarm
    from mlci.nouns.monitoring import Monitoring, MonitorState

_TIME = pa.timestamp("us", "UTC")


@dataclass
class Watcher:
    """What monitoring knows of a model in service.

    Attributes:
        known: The state, or before the first look the reference.
        window: Predictions whose labels may still come.
    """

    known: Made | MonitorState
    window: pa.Table | None = None


def watcher(past: Past, model: Path, name: str) -> Watcher:
    """Begin to watch a model: it is compared with how it did on its own test rows."""
    rows = window_of(past, model, model, signature_of(past, model))
    return Watcher(reference_of(past.policy, rows, signature_of(past, model), name))


def watch(
    past: Past, watched: Watcher, model: Path, rows: Path, span: Span
) -> tuple[Monitoring, tuple[AlarmSeen, ...]]:
    """Look at a period's rows as they come; what the last look found, and all alarms that were on.

    Args:
        past: What is replayed.
        watched: Brought to the end of the period.
        model: Folder of the model in service.
        rows: Folder of the period.
        span: Which period.
    """
    _, policy = model_and_policy(past.policy)
    new = window_of(past, model, rows, signature_of(past, model))
    window = pa.concat_tables([*([watched.window] if watched.window is not None else []), new])
    seen: dict[tuple[str, str], AlarmSeen] = {}
    found: Monitoring | None = None
    for moment in _looks(span, policy.period):
        looked = look_at(past.policy, watched.known, _before(window, moment), until=moment)
        watched.known, found = looked.state, looked.found
        for alarm in looked.found.alarms:
            seen.setdefault((alarm.cause, alarm.since), _seen(alarm, moment))
    assert found is not None  # noqa: S101 - a span has an end
    promised = _promises(past, watched.known, window, span)
    found = found.model_copy(update={"alarms": (*found.alarms, *promised)})
    for alarm in promised:
        seen.setdefault((alarm.cause, alarm.since), _seen(alarm, span.end))
    watched.window = _after(window, span.end - policy.labels.within)
    on = {(alarm.cause, alarm.since) for alarm in found.alarms}
    return found, tuple(each.model_copy(update={"on": key in on}) for key, each in seen.items())


def _looks(span: Span, period: timedelta) -> Iterator[datetime]:
    """Every moment at which something is over to be judged, and the end."""
    seconds = period.total_seconds()

    at = int(periods_of(np.array([span.start.timestamp()]), seconds)[0]) + 1
    while (moment := start_of(at, seconds)) < span.end:
        yield moment
        at += 1
    yield span.end


def _promises(past: Past, known: Made | MonitorState, window: pa.Table, span: Span) -> tuple[Alarm, ...]:
    """What the promises about inputs come to at the period's end."""
    _, policy = model_and_policy(past.policy)
    newest = _before(_after(window, span.end - policy.window), span.end)
    _, broken = check_inputs(past.policy, newest, now=span.end, streams=len(known.streams))
    return data_alarm(broken, policy.data_level, f"{span.end:%Y-%m-%dT%H:%M:%SZ}", None)


def _seen(alarm: Alarm, moment: datetime) -> AlarmSeen:
    return AlarmSeen(
        cause=alarm.cause,
        level=alarm.level,
        since=alarm.since,
        seen=f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        headline=alarm.headline,
        on=True,
    )


def _before(window: pa.Table, moment: datetime) -> pa.Table:
    return window.filter(pc.less(window.column("predicted_at"), pa.scalar(moment, _TIME)))


def _after(window: pa.Table, moment: datetime) -> pa.Table:
    return window.filter(pc.greater_equal(window.column("predicted_at"), pa.scalar(moment, _TIME)))
