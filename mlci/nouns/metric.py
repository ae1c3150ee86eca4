"""The metrics that a gate knows: their names, which task has them, and which way is good."""

from __future__ import annotations

import re
from typing import Literal

Task = Literal["binary", "multiclass", "regression"]
Direction = Literal[1, -1]

METRICS: dict[str, Direction] = {
    "accuracy": 1,
    "balanced_accuracy": 1,
    "roc_auc": 1,
    "precision": 1,
    "recall": 1,
    "specificity": 1,
    "f1": 1,
    "mcc": 1,
    "macro_f1": 1,
    "micro_f1": 1,
    "log_loss": -1,
    "brier": -1,
    "cost": -1,
    "mae": -1,
    "mse": -1,
    "rmse": -1,
    "mape": -1,
    "r2": 1,
}
"""Metrics by name, with +1 where more is better and -1 where less is."""

TASK_METRICS: dict[Task, tuple[str, ...]] = {
    "binary": (
        "accuracy",
        "balanced_accuracy",
        "roc_auc",
        "precision",
        "recall",
        "specificity",
        "f1",
        "log_loss",
        "brier",
        "cost",
    ),
    "multiclass": ("accuracy", "macro_f1", "micro_f1", "log_loss", "brier"),
    "regression": ("mae", "mse", "rmse", "r2", "mape"),
}
"""Which metrics each task has."""

ON_DEMAND: dict[Task, tuple[str, ...]] = {"binary": ("mcc",), "multiclass": (), "regression": ()}
"""Metrics that a report shows only where a gate asks for them."""

FAMILIES: dict[Task, tuple[str, ...]] = {
    "binary": (),
    "multiclass": ("recall_<class>", "precision_<class>", "f1_<class>", "top_<k>_accuracy"),
    "regression": ("pinball_<percent>",),
}
"""Metrics whose name holds a class, a number of classes or a quantile."""

_CLASS = re.compile(r"(recall|precision|f1)_(.+)", re.DOTALL)
_TOP = re.compile(r"top_([1-9]\d{0,3})_accuracy")
_PINBALL = re.compile(r"pinball_(\d{1,2}(?:\.\d+)?)")
PATTERNS = tuple(f"^{each.pattern}$" for each in (_CLASS, _TOP, _PINBALL))
"""The names of the families, for an editor."""


def class_metric(metric: str) -> tuple[str, str] | None:
    """What is measured of which class.

    >>> class_metric("recall_AA")
    ('recall', 'AA')
    """
    match = _CLASS.fullmatch(metric)
    return (match[1], match[2]) if match else None


def top_k(metric: str) -> int | None:
    """The k of a top-k accuracy.

    >>> top_k("top_3_accuracy")
    3
    """
    match = _TOP.fullmatch(metric)
    return int(match[1]) if match else None


def pinball_quantile(metric: str) -> float | None:
    """The quantile, inside (0, 1), that a pinball loss is of.

    >>> pinball_quantile("pinball_90")
    0.9
    """
    match = _PINBALL.fullmatch(metric)
    share = float(match[1]) / 100 if match else 0.0
    return share if share > 0 else None


def direction(metric: str) -> Direction | None:
    """+1 where more is better, -1 where less is; None for a name that is no metric of ours."""
    if metric in METRICS:
        return METRICS[metric]
    if class_metric(metric) or top_k(metric):
        return 1
    return -1 if pinball_quantile(metric) else None


def has_metric(task: Task, metric: str) -> bool:
    """Whether models of this task have the metric."""
    if task == "multiclass" and (class_metric(metric) or top_k(metric)):
        return True
    if task == "regression" and pinball_quantile(metric) is not None:
        return True
    return metric in TASK_METRICS[task] or metric in ON_DEMAND[task]
