"""What each labelled row is worth to a metric, as a number in [0, 1]."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mlci.judge.monitor.estimate import CalibrationMap
from mlci.nouns.monitoring import Calibrated

if TYPE_CHECKING:
    import numpy.typing as npt

    from mlci.nouns.logged import Logged
    from mlci.nouns.policy import Model

    Floats = npt.NDArray[np.float64]

GOOD = {"accuracy": "up", "cost": "down", "brier": "down", "error": "down"}
"""Which way a metric is good."""


class Scale(NamedTuple):
    """How a metric's unit becomes [0, 1].

    Attributes:
        one: What 1 is in the metric's unit.
    """

    one: float = 1.0


def defaults(model: Model) -> tuple[str, ...]:
    """The metrics that a task has, the most telling first."""
    if model.task == "regression":
        return ("error",)
    if model.task == "multiclass":
        return ("accuracy",)
    return ("cost", "accuracy", "brier") if model.cost is not None else ("accuracy", "brier")


def scale_of(metric: str, model: Model, reference: Logged) -> float:
    """What 1 of a metric's stream is in its own unit.

    Errors of a regression have no bound: those beyond twice the reference's 99th percentile count as that.
    """
    if metric == "cost" and model.cost is not None:
        return max(model.cost.false_negative, model.cost.false_positive) or 1.0
    if metric == "error":
        off = np.abs(reference.decision.astype(np.float64) - reference.label.astype(np.float64))
        return float(2 * np.quantile(off, 0.99)) or 1.0
    return 1.0


def row_values(metric: str, rows: Logged, model: Model, scale: float) -> Floats:
    """The metric of each row, divided by its scale, in [0, 1].

    Args:
        metric: Accuracy, cost, brier (the squared distance of score and label) or error (absolute).
        rows: All of them with a label.
        model: Its costs.
        scale: By `scale_of`.
    """
    if metric == "error":
        off = np.abs(rows.decision.astype(np.float64) - rows.label.astype(np.float64))
        share: Floats = np.minimum(off / scale, 1.0)
        return share
    if metric == "brier":
        score = np.zeros(rows.rows) if rows.score is None else np.clip(rows.score, 0, 1)
        squared: Floats = np.square(score - rows.label.astype(np.float64))
        return squared
    right = np.equal(rows.decision, rows.label).astype(bool)
    if metric == "accuracy" or model.cost is None:
        hits: Floats = right.astype(np.float64)
        return hits
    missed = rows.label.astype(bool) & ~right
    alarmed = ~rows.label.astype(bool) & ~right
    cost: Floats = (missed * model.cost.false_negative + alarmed * model.cost.false_positive) / scale
    return cost


def surprise(known: CalibrationMap, rows: Logged) -> Floats:
    """Half of 1 plus label less what the score meant in the reference: ½ in the mean where it still means that."""
    score = np.zeros(rows.rows) if rows.score is None else rows.score
    share = known.share[np.searchsorted(known.edges, score, side="left")]
    half: Floats = (rows.label.astype(np.float64) - share + 1) / 2
    return half


def kept_map(known: CalibrationMap) -> Calibrated:
    """The map as it is kept."""
    return Calibrated(
        edges=tuple(map(float, known.edges)),
        share=tuple(map(float, known.share)),
        rows=tuple(map(float, known.rows)),
        block=tuple(map(int, known.block)),
        ends=known.ends,
    )


def map_of(kept: Calibrated) -> CalibrationMap:
    """The map as it was kept."""
    return CalibrationMap(
        np.array(kept.edges, dtype=np.float64),
        np.array(kept.share, dtype=np.float64),
        np.array(kept.rows, dtype=np.float64),
        np.array(kept.block, dtype=np.intp),
        kept.ends,
    )
