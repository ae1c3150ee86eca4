"""Which alarms are on, what explains them, and in which words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mlci.judge.drift import ks_margin, psi_lower
from mlci.judge.monitor import bins
from mlci.judge.monitor.detector import suspect
from mlci.judge.monitor.look import periods_of, said, start_of
from mlci.judge.monitor.metrics import row_values
from mlci.judge.monitor.reference import values_of
from mlci.nouns import units
from mlci.nouns.alarm import CAUSES, Alarm, Raised
from mlci.nouns.monitoring import Shown, SliceShift
from mlci.nouns.report import DriftBar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt

    from mlci.nouns.alarm import Cause
    from mlci.nouns.base import Level
    from mlci.nouns.logged import Logged
    from mlci.nouns.monitor import StreamState
    from mlci.nouns.monitor_policy import MonitorPolicy
    from mlci.nouns.monitoring import MonitorState, Reference, Watched
    from mlci.nouns.policy import Model

_LEVELS: tuple[Level, ...] = ("block", "warn", "info")
_CONFIDENCE = 0.05


def newest(state: MonitorState, rows: Logged, policy: MonitorPolicy) -> Logged:
    """The rows of the newest periods that are over."""
    at = periods_of(rows.at, policy.period.total_seconds())
    first = state.until - max(1, round(policy.window / policy.period))
    return rows.part((at >= first) & (at < state.until))


def shown(state: MonitorState, rows: Logged, policy: MonitorPolicy, model: Model) -> tuple[Shown, ...]:
    """All streams as they stand, the most suspicious first.

    Args:
        state: After the look.
        rows: Those of the look.
        policy: What is watched.
        model: Task, costs.
    """
    part = newest(state, rows, policy)
    known = part.part(part.labelled)
    found = [
        _shown(watched, stream, state.reference, part, known, model)
        for watched, stream in zip(state.reference.watched, state.streams, strict=True)
    ]
    return tuple(sorted(found, key=lambda each: (-each.alarmed, -each.full, each.name)))


def _shown(
    watched: Watched, state: StreamState, reference: Reference, part: Logged, known: Logged, model: Model
) -> Shown:
    stream, best = state.stream, suspect(state)
    place = stream.parts.index(best.part) if best is not None else 0
    at, allowed, now, rows = stream.reference[place], stream.tolerance[place], None, part.rows
    if watched.kind in {"metric", "calibration"}:
        rows = known.rows
        now = float(values_of(watched, reference, known, model).mean()) if rows else None
        offset = 0.5 if watched.kind == "calibration" else 0.0
        at, allowed = (at - offset) * watched.scale, allowed * watched.scale
        now = None if now is None else (now - offset) * watched.scale
    else:
        values = part.score if watched.kind == "score" else part.features.get(watched.column)
        now = float(np.mean(bins.codes(watched, values) == place)) if values is not None and part.rows else None
    return Shown(
        name=watched.name,
        cause=watched.cause,
        level=watched.level,
        full=state.full,
        alarmed=state.alarmed,
        part=best.part if best is not None else "",
        direction=best.direction if best is not None else "",
        reference=at,
        tolerance=allowed,
        now=now,
        rows=rows,
    )


def drift_bars(state: MonitorState, rows: Logged, policy: MonitorPolicy) -> tuple[DriftBar, ...]:
    """How far inputs and scores are from the reference over the newest rows, the farthest above its limit first."""
    part, found = newest(state, rows, policy), []
    for watched in state.reference.watched:
        values = part.score if watched.kind == "score" else part.features.get(watched.column)
        if values is None or watched.kind not in {"score", "feature"} or not part.rows:
            continue
        name = watched.column or watched.name
        if watched.numeric:
            bar = _ks(name, watched, values, policy.drift.ks)
        else:
            bar = _psi(name, watched, values, policy.drift.psi, state)
        found += [bar] if bar is not None else []
    return tuple(sorted(found, key=lambda bar: (bar.tolerance - bar.low, bar.column)))


def _ks(name: str, watched: Watched, values: npt.NDArray[Any], tolerance: float) -> DriftBar | None:
    then = np.array(watched.fine_counts, dtype=np.float64)
    now = np.array(bins.fine_counts(watched.fine, values), dtype=np.float64)
    if not then.sum() or not now.sum():
        return None
    ks = float(np.abs(np.cumsum(now) / now.sum() - np.cumsum(then) / then.sum()).max())
    low = max(ks - ks_margin(int(now.sum()), int(then.sum()), _CONFIDENCE), 0.0)
    return DriftBar(table="production", column=name, measure="ks", value=ks, low=low, tolerance=tolerance)


def _psi(name: str, watched: Watched, values: npt.NDArray[Any], tolerance: float, state: MonitorState) -> DriftBar:
    stream = next(each.stream for each in state.streams if each.stream.name == watched.name)
    then = np.array(stream.reference) * state.reference.rows
    now = np.bincount(bins.codes(watched, values), minlength=len(stream.parts)).astype(np.float64)
    met = then + now > 0
    p, q = ((each[met] + 0.5) / (each[met] + 0.5).sum() for each in (then, now))
    psi = float(np.sum((q - p) * np.log(q / p)))
    low = psi_lower(psi, int(met.sum()), int(now.sum()), state.reference.rows, _CONFIDENCE)
    return DriftBar(table="production", column=name, measure="psi", value=psi, low=low, tolerance=tolerance)


def slice_shifts(
    state: MonitorState,
    rows: Logged,
    inside: Mapping[str, npt.NDArray[np.bool_]],
    model: Model,
) -> tuple[SliceShift, ...]:
    """How far the headline metric of each slice is from its reference, by standard errors; told, never judged.

    Args:
        state: After the look.
        rows: Rows to look at.
        inside: Which of them are in which slice.
        model: Task, costs.
    """
    head, found = state.reference.watched[0], []
    known = {each.slice: each for each in state.reference.slices}
    for name, mask in inside.items():
        part = rows.part(mask & rows.labelled)
        before = known.get(name)
        if before is None or not part.rows:
            continue
        values = row_values(head.name, part, model, head.scale)
        error = math.sqrt(before.variance / before.rows + max(before.variance, 1e-6) / part.rows)
        z = (float(values.mean()) - before.mean) / error if error else 0.0
        found.append(
            SliceShift(
                slice=name,
                rows=part.rows,
                reference=before.mean * head.scale,
                now=float(values.mean()) * head.scale,
                z=z if head.name != "accuracy" else -z,
            )
        )
    return tuple(sorted(found, key=lambda each: (-each.z, each.slice)))


def stream_alarms(state: MonitorState, streams: Iterable[Shown], policy: MonitorPolicy) -> tuple[Alarm, ...]:
    """The alarms that streams have raised, one for each cause."""
    since = {
        each.stream.name: (each.since, each.log_m, math.log(each.stream.threshold))
        for each in state.streams
        if each.since is not None
    }
    raised: dict[Cause, list[tuple[Shown, Raised]]] = {}
    for each in streams:
        if each.name not in since:
            continue
        period, evidence, threshold = since[each.name]
        assert period is not None  # noqa: S101 - chosen above
        one = Raised(
            stream=each.name,
            since=said(start_of(period, policy.period.total_seconds())),
            evidence=evidence,
            threshold=threshold,
            part=each.part,
            direction=each.direction,
            reference=each.reference,
            now=each.now,
            message=message(each),
        )
        raised.setdefault(each.cause, []).append((each, one))
    return tuple(_alarm(cause, found) for cause, found in raised.items())


def _alarm(cause: Cause, found: list[tuple[Shown, Raised]]) -> Alarm:
    return Alarm(
        cause=cause,
        level=min((each.level for each, _ in found), key=_LEVELS.index),
        since=min(one.since for _, one in found),
        raised=tuple(one for _, one in sorted(found, key=lambda pair: -pair[0].full)),
    )


def in_order(alarms: Iterable[Alarm]) -> tuple[Alarm, ...]:
    """The gravest first, then by cause."""
    return tuple(sorted(alarms, key=lambda each: (_LEVELS.index(each.level), CAUSES.index(each.cause))))


def message(shown: Shown) -> str:
    """One sentence about a stream that alarms."""
    rows = units.rows(shown.rows)
    if shown.cause == "performance":
        word = {"up": "risen", "down": "fallen"}.get(shown.direction, "changed")
        return f"`{shown.name}` has {word}: {_of(shown)}; you allow {number(shown.tolerance)} ({rows} with a label)."
    if shown.cause == "calibration":
        word = "more" if shown.direction == "up" else "fewer"
        return (
            f"Scores no longer mean what they say: {word} positives than expected, by {number(shown.now)} of a row "
            f"({rows} with a label)."
        )
    what = "The score" if shown.cause == "score" else f"`{shown.name.removeprefix('feature ')}`"
    more = "more" if shown.direction == "up" else "fewer"
    return f"{what} has drifted: {more} rows in `{shown.part}`, {_of(shown, share=True)} ({rows})."


def _of(shown: Shown, *, share: bool = False) -> str:
    now = "not seen lately" if shown.now is None else number(shown.now, share=share)
    return f"{number(shown.reference, share=share)} in the reference, {now} now"


def number(value: float | None, *, share: bool = False) -> str:
    """A number for a sentence."""
    if value is None:
        return "none"
    return f"{100 * value:.3g} %" if share else f"{value:.3g}"
