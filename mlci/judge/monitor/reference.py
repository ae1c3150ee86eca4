"""What production is compared with, from labelled rows that the model was not trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mlci.judge.monitor import bins
from mlci.judge.monitor.estimate import calibrate
from mlci.judge.monitor.metrics import GOOD, defaults, kept_map, map_of, row_values, scale_of, surprise
from mlci.judge.monitor.streams import Watch, bin_names, decile_edges, mean_stream, rate_stream, shares_stream, watches
from mlci.nouns.monitor_policy import MetricWatch
from mlci.nouns.monitoring import Reference, SliceReference, Watched

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    import numpy.typing as npt

    from mlci.nouns.logged import Logged
    from mlci.nouns.monitor import Metric, Stream
    from mlci.nouns.monitor_policy import MonitorPolicy
    from mlci.nouns.policy import Model
    from mlci.nouns.signature import Signature

_FEWEST = 2
_ESTIMATED: dict[str, Metric] = {"accuracy": "accuracy", "cost": "cost"}


class Made(NamedTuple):
    """A reference and its streams, in the order of `Reference.watched`."""

    reference: Reference
    streams: tuple[Stream, ...]


def make_reference(
    rows: Logged,
    policy: MonitorPolicy,
    model: Model,
    signature: Signature,
    *,
    subject: str = "",
    slices: Mapping[str, npt.NDArray[np.bool_]] | None = None,
) -> Made:
    """The reference of a model.

    Args:
        rows: Labelled rows that the model was not trained on, with its answers; rows without a label only tell what
            inputs and scores look like.
        policy: What is watched.
        model: Task, costs.
        signature: Of the model.
        subject: Digest of what the rows were made of.
        slices: Which rows are in which slice.

    Raises:
        ValueError: There are not two labelled rows.
    """
    known = rows.part(rows.labelled)
    if known.rows < _FEWEST:
        raise ValueError("a reference needs labelled rows")
    half = known.rows // 2
    calibrated = calibrate(known.label.astype(bool), known.score) if known.score is not None else None
    metrics: dict[str, MetricWatch] = {str(name): each for name, each in policy.metrics.items()}
    metrics = metrics or dict.fromkeys(defaults(model), MetricWatch())
    columns = [name for name in rows.features if not policy.drift.columns or name in policy.drift.columns]
    others = len(metrics) - 1 + len(columns) + 1  # the promises about inputs share alpha as one stream does
    others += (rows.score is not None) + (calibrated is not None and policy.calibration is not None)
    head, rest = watches(others, policy.alpha, policy.periods)
    made: list[tuple[Watched, Stream]] = []
    for place, (name, wanted) in enumerate(metrics.items()):
        made.append(_metric(name, wanted, known, model, rest if place else head, headline=not place))
    if calibrated is not None and policy.calibration is not None:
        # The map is made of one half and the error of it measured on the other, or it would seem to have none.
        order = np.random.default_rng(half).permutation(known.rows)
        first, second = np.zeros((2, known.rows), dtype=bool)
        first[order[:half]], second[order[half:]] = True, True
        made_of, other = known.part(first), known.part(second)
        assert made_of.score is not None  # noqa: S101 - as `calibrated` is there
        values = surprise(calibrate(made_of.label.astype(bool), made_of.score), other)
        stream = mean_stream("calibration", values, rest, direction="both")
        about = Watched(
            name="calibration", cause="calibration", level=policy.calibration, kind="calibration", scale=2.0
        )
        made.append((about, stream))
    if rows.score is not None:
        made.append(_shares("score", "", rows.score, policy, rest))
    made += [_shares(f"feature {name}", name, rows.features[name], policy, rest) for name in columns]
    first_metric = next(iter(metrics))
    reference = Reference(
        subject=subject,
        signature=signature,
        rows=rows.rows,
        watched=tuple(watched for watched, _ in made),
        calibrated=None if calibrated is None else kept_map(calibrated),
        metric=_ESTIMATED.get(first_metric) if calibrated is not None else None,
        slices=_slices(slices or {}, rows, model, first_metric, made[0][0].scale),
    )
    return Made(reference, tuple(stream for _, stream in made))


def _metric(
    name: str, wanted: MetricWatch, known: Logged, model: Model, watch: Watch, *, headline: bool
) -> tuple[Watched, Stream]:
    scale = scale_of(name, model, known)
    values = row_values(name, known, model, scale)
    allowed = wanted.tolerance / scale
    if name == "accuracy":
        stream = rate_stream(name, int(values.sum()), known.rows, watch, tolerance=allowed)
    else:
        down = GOOD[name] == "up"
        stream = mean_stream(name, values, watch, tolerance=allowed, direction="down" if down else "up")
    level = wanted.level
    return Watched(name=name, cause="performance", level=level, kind="metric", scale=scale, headline=headline), stream


def _shares(
    name: str, column: str, values: npt.NDArray[Any], policy: MonitorPolicy, watch: Watch
) -> tuple[Watched, Stream]:
    drift = policy.drift
    numeric = bins.is_numeric(values)
    if numeric:
        numbers = values[~np.isnan(values)]
        edges = decile_edges(numbers) if numbers.size else np.zeros(0)
        fine = tuple(map(float, decile_edges(numbers, bins.FINE))) if numbers.size else ()
        kept: dict[str, object] = {
            "edges": tuple(map(float, edges)),
            "fine": fine,
            "fine_counts": bins.fine_counts(fine, values),
        }
        parts = bin_names(edges)
        missing = int(np.isnan(values).sum())
    else:
        common = bins.common_names(values)
        kept, parts = {"names": common}, (*common, bins.OTHER, bins.MISSING)
        missing = sum(value is None for value in values)
    watched = Watched.model_validate(
        {
            "name": name,
            "cause": "drift" if column else "score",
            "level": drift.level if column else drift.score,
            "kind": "feature" if column else "score",
            "column": column,
            "numeric": numeric,
            "missing": missing,
            **kept,
        }
    )
    counts = np.bincount(bins.codes(watched, values), minlength=len(parts))
    stream = shares_stream(name, parts, [int(count) for count in counts], watch, tolerance=drift.tolerance)
    return watched, stream


def _slices(
    slices: Mapping[str, npt.NDArray[np.bool_]], rows: Logged, model: Model, metric: str, scale: float
) -> tuple[SliceReference, ...]:
    found = []
    for name, inside in slices.items():
        part = rows.part(inside & rows.labelled)
        if part.rows < _FEWEST:
            continue
        values = row_values(metric, part, model, scale)
        found.append(
            SliceReference(slice=name, rows=part.rows, mean=float(values.mean()), variance=float(values.var(ddof=1)))
        )
    return tuple(found)


def values_of(watched: Watched, reference: Reference, rows: Logged, model: Model) -> npt.NDArray[np.float64]:
    """What labelled rows are worth to a stream of kind `metric` or `calibration`; in [0, 1]."""
    if watched.kind == "calibration" and reference.calibrated is not None:
        return surprise(map_of(reference.calibrated), rows)
    return row_values(watched.name, rows, model, watched.scale)
