"""Metrics that are no mean over rows: their value, and what each row adds to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeGuard, get_args

import numpy as np

from mlci.judge.stats.auc import placements
from mlci.judge.stats.confusion import Confusion, Costs, evaluate
from mlci.judge.stats.macro import macro_influence
from mlci.nouns.metric import class_metric

if TYPE_CHECKING:
    import numpy.typing as npt

    from mlci.nouns.sample import Answers, Sample

    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]

CountName = Literal["precision", "recall", "f1", "specificity", "balanced_accuracy", "mcc"]
COUNT_NAMES: tuple[CountName, ...] = get_args(CountName)
_STEP = 1e-4


class Influence(NamedTuple):
    """A metric's value, and what each row adds to it."""

    value: float
    rows: Floats
    """Shape (n,), summing to 0."""


def is_count(metric: str) -> TypeGuard[CountName]:
    """Whether it is a metric of a confusion matrix that is no share of all rows."""
    return metric in COUNT_NAMES


def one_against_rest(metric: str, sample: Sample) -> tuple[CountName, int] | None:
    """Which count metric of which class a metric of a multiclass model is; -1 for a class that nobody names."""
    found = class_metric(metric) if sample.task == "multiclass" else None
    if found is None or not is_count(found[0]):
        return None
    return found[0], sample.classes.index(found[1]) if found[1] in sample.classes else -1


def influence(metric: str, sample: Sample, answers: Answers) -> Influence | None:
    """The value and the rows' influences of a metric that is no mean over rows; None where it has none here."""
    if metric == "roc_auc":
        return _auc(sample.label, answers.score)
    if metric == "macro_f1":
        return Influence(*macro_influence(sample.label, answers.decision))
    if metric in {"rmse", "r2"}:
        return _errors(metric, sample.label, answers.decision)
    one = one_against_rest(metric, sample)
    if one is not None:
        return _count(one[0], sample.label == one[1], answers.decision == one[1])
    return _count(metric, sample.label, answers.decision) if is_count(metric) else None


def _auc(label: Bools, score: Floats | None) -> Influence | None:
    """DeLong's structural components: the share of the other class that each row is on the right side of."""
    positives, negatives = int(np.count_nonzero(label)), int(np.count_nonzero(~label))
    if score is None or min(positives, negatives) == 0:
        return None
    above, below = placements(label, score)
    value, rows = float(above.mean()), np.empty(label.size)
    rows[label], rows[~label] = (above - value) / positives, (below - value) / negatives
    return Influence(value, rows)


def _errors(metric: str, label: Floats, predicted: Floats) -> Influence | None:
    """Root mean squared error, or the share of the labels' variance that is explained."""
    squared = (predicted - label) ** 2
    if metric == "rmse":
        mean = float(squared.mean())
        root = mean**0.5
        return Influence(root, (squared - mean) / (2 * label.size * root) if root > 0 else np.zeros(label.size))
    spread = (label - label.mean()) ** 2
    whole, left = float(spread.sum()), float(squared.sum())
    if whole == 0:
        return None
    return Influence(1 - left / whole, -(squared - spread * (left / whole)) / whole)


def _count(metric: CountName, label: Bools, decision: Bools) -> Influence:
    """By the derivative with respect to the four counts; rows of one cell add the same."""
    code = 2 * label.astype(np.int64) + decision
    cells = np.bincount(code, minlength=4).astype(np.float64)
    steps = np.diag(_STEP * np.maximum(cells, 1.0))
    shifted = np.concatenate([cells + steps, cells - steps, cells[None, :]]).T
    values = evaluate(metric, Confusion(*np.maximum(shifted, 0.0)), Costs())
    slope = (values[:4] - values[4:8]) / (shifted.T[:4] - np.maximum(shifted.T[4:8], 0.0)).diagonal()
    return Influence(float(values[8]), slope[code])
