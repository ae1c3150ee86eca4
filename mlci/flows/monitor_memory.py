"""Watch predictions that are at hand as Arrow tables: one look, without a log, a file or a forge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from mlci.edges.log.logged import logged
from mlci.edges.window_slices import slice_rows
from mlci.errors import PolicyError, WorldError
from mlci.judge.monitor import alarms
from mlci.judge.monitor.look import begun, look, periods_of, said, start_of
from mlci.judge.monitor.reference import make_reference
from mlci.nouns.alarm import CAUSES
from mlci.nouns.monitor_policy import MonitorPolicy
from mlci.nouns.monitoring import Monitoring, MonitorState

if TYPE_CHECKING:
    import numpy.typing as npt

    from mlci.judge.monitor.reference import Made
    from mlci.nouns.alarm import Alarm
    from mlci.nouns.logged import Logged
    from mlci.nouns.policy import Model, PolicyFile
    from mlci.nouns.signature import Signature


class Looked(NamedTuple):
    """What a look found, and the state that the next one begins with."""

    found: Monitoring
    state: MonitorState


def model_and_policy(policy: PolicyFile) -> tuple[Model, MonitorPolicy]:
    """What is watched, and how.

    Raises:
        PolicyError: The policy names no model.
    """
    if policy.policy.model is None:
        raise PolicyError(f"{policy.file}: monitoring needs `mlci.model`", "add `model: {name, label, id}`")
    return policy.policy.model, policy.policy.monitor or MonitorPolicy()


def reference_of(policy: PolicyFile, window: pa.Table, signature: Signature, subject: str = "") -> Made:
    """What production is compared with.

    Args:
        policy: Its model and its monitoring.
        window: Labelled rows that the model was not trained on, with its answers, as `window_schema(signature)` says.
        signature: Of the model.
        subject: Digest of what the rows were made of.

    Raises:
        WorldError: There are not two labelled rows.
    """
    model, watch = model_and_policy(policy)
    rows = logged(window, signature, model.threshold, _private(policy))
    try:
        return make_reference(rows, watch, model, signature, subject=subject, slices=slice_rows(window, policy))
    except ValueError as error:
        raise WorldError(
            f"nothing can be watched: {error}", "name labelled rows in `mlci.monitor.reference`"
        ) from error


def look_at(
    policy: PolicyFile, made: Made | MonitorState, window: pa.Table, *, until: datetime, extra: tuple[Alarm, ...] = ()
) -> Looked:
    """One look at predictions.

    Args:
        policy: Its model and its monitoring.
        made: The reference, where this is the first look; else the state that the last one left.
        window: Predictions with the labels that are known by now, as `window_schema(signature)` says: all new ones,
            and those whose labels may have come since (`mlci.monitor.labels.within`); later ones don't count.
        until: The moment of the look: periods that are not over then are left for the next one.
        extra: Alarms about limits of the policy.
    """
    model, watch = model_and_policy(policy)
    seconds = watch.period.total_seconds()
    signature = made.reference.signature
    rows = logged(window, signature, model.threshold, _private(policy))
    inside = rows.at < until.timestamp()
    rows = rows.part(inside)
    state = made if isinstance(made, MonitorState) else begun(made, model.name, _first(rows, until, seconds))
    state = look(state, rows, _over(rows, until, seconds), watch, model)
    newest = rows.at >= start_of(state.until - max(1, round(watch.window / watch.period)), seconds).timestamp()
    newest &= rows.at < start_of(state.until, seconds).timestamp()
    shown = alarms.shown(state, rows, watch, model)
    on = alarms.in_order((*alarms.stream_alarms(state, shown, watch), *extra))
    slices = alarms.slice_shifts(
        state, rows.part(newest), slice_rows(window.filter(_mask(inside, newest)), policy), model
    )
    told = summary(state, watch, rows, looked=until).model_copy(
        update={"streams": shown, "drift": alarms.drift_bars(state, rows, watch), "slices": slices}
    )
    return finished(told, made.told if isinstance(made, MonitorState) else None, on, state)


def finished(told: Monitoring, before: Monitoring | None, on: tuple[Alarm, ...], state: MonitorState) -> Looked:
    """A look with its alarms, told in one line, and the state that keeps it.

    Args:
        told: What was measured.
        before: What the last look found.
        on: The alarms.
        state: What was counted.
    """
    was = {each.cause for each in before.alarms} if before is not None else set()
    found = told.model_copy(
        update={
            "alarms": on,
            "ended": tuple(cause for cause in CAUSES if cause in was and cause not in {each.cause for each in on}),
            "healthy": all(each.level != "block" for each in on),
            "headline": headline(told, on),
        }
    )
    return Looked(found, state.model_copy(update={"told": found.model_copy(update={"seen": ()})}))


def summary(state: MonitorState, policy: MonitorPolicy, rows: Logged, *, looked: datetime) -> Monitoring:
    """What is counted by now, without alarms and streams.

    Args:
        state: After the look.
        policy: What is watched.
        rows: Those of the look.
        looked: Its moment.
    """
    seconds = policy.period.total_seconds()
    old = state.told
    due_until = state.until - round(policy.labels.due / policy.period)
    due = [each for each in state.seen if due_until - round(policy.window / policy.period) <= each.period < due_until]
    came = rows.labelled_at[rows.labelled]
    return Monitoring(
        model=state.model,
        healthy=True,
        headline="",
        since=said(start_of(state.begun, seconds)),
        until=said(start_of(state.until, seconds)),
        rows=sum(each.rows for each in state.seen),
        labels=sum(each.labels for each in state.seen),
        due=sum(each.rows for each in due),
        due_labels=sum(each.labels for each in due),
        late=state.late,
        seen=state.seen,
        metric=state.reference.watched[0].name,
        newest_row=_newest(rows.at, old.newest_row if old is not None else ""),
        newest_label=_newest(came[came <= looked.timestamp()], old.newest_label if old is not None else ""),
        alpha=policy.alpha,
        horizon=policy.horizon / timedelta(days=1),
        period=seconds,
        looked=said(looked),
    )


def _newest(moments: npt.NDArray[np.float64], old: str) -> str:
    return max(old, said(datetime.fromtimestamp(float(moments.max()), UTC))) if moments.size else old


def _first(rows: Logged, until: datetime, seconds: float) -> int:
    """The period of the first row, where nothing was counted before."""
    return int(periods_of(rows.at[:1], seconds)[0]) if rows.rows else _period(until.timestamp(), seconds)


def _period(moment: float, seconds: float) -> int:
    return int(periods_of(np.array([moment]), seconds)[0])


def _over(rows: Logged, until: datetime, seconds: float) -> int:
    """The first period that is not over.

    At most one behind the newest row or label: were a clock believed that runs ahead, periods would be closed that rows
    are still to come for.
    """
    moment = until.timestamp()
    if not rows.rows:
        return 0
    came = rows.labelled_at[rows.labelled & (rows.labelled_at < moment)]
    newest = max(float(rows.at.max()), float(came.max(initial=0.0)))
    return min(_period(moment, seconds), _period(newest, seconds) + 1)


def _mask(inside: npt.NDArray[np.bool_], newest: npt.NDArray[np.bool_]) -> pa.Array:
    mask = np.zeros(inside.size, dtype=bool)
    mask[np.flatnonzero(inside)[newest]] = True
    return pa.array(mask)


def _private(policy: PolicyFile) -> tuple[str, ...]:
    return policy.policy.serve.private if policy.policy.serve is not None else ()


def headline(told: Monitoring, on: tuple[Alarm, ...]) -> str:
    """The state in one line."""
    grave = [each for each in on if each.level == "block"] or [each for each in on if each.level == "warn"]
    if grave:
        return f"{told.model}: {grave[0].headline}"
    rows, labels = f"{told.rows:,} predictions", f"{told.labels:,} labels"
    return f"{told.model}: nothing has changed in {rows} with {labels}"
