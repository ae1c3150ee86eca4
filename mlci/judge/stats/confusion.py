"""Metrics of a confusion matrix, elementwise on arrays of counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias, assert_never, get_args

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from mlci.nouns.change import Good

Floats: TypeAlias = npt.NDArray[np.float64]
CountMetric: TypeAlias = Literal[
    "precision", "recall", "f1", "accuracy", "specificity", "balanced_accuracy", "mcc", "cost"
]
COUNT_METRICS: Final[tuple[CountMetric, ...]] = get_args(CountMetric)


@dataclass(frozen=True)
class Costs:
    """What one wrong row costs, by its kind."""

    false_negative: float = 1.0
    false_positive: float = 1.0


class Confusion(NamedTuple):
    """Counts of each kind of row; arrays of one shape."""

    tn: Floats
    fp: Floats
    fn: Floats
    tp: Floats


def good_direction(metric: CountMetric) -> Good:
    """Down for a cost, up for all others."""
    return "down" if metric == "cost" else "up"


def evaluate(metric: CountMetric, c: Confusion, costs: Costs) -> Floats:
    """The metric for every entry. 0/0 counts as 0, as scikit-learn's `zero_division=0` has it.

    Cost is per row: (false_negative * FN + false_positive * FP) / n.
    """
    rows = c.tn + c.fp + c.fn + c.tp
    match metric:
        case "precision":
            return _share(c.tp, c.tp + c.fp)
        case "recall":
            return _share(c.tp, c.tp + c.fn)
        case "specificity":
            return _share(c.tn, c.tn + c.fp)
        case "f1":
            return _share(2 * c.tp, 2 * c.tp + c.fp + c.fn)
        case "accuracy":
            return _share(c.tp + c.tn, rows)
        case "balanced_accuracy":
            return (_share(c.tp, c.tp + c.fn) + _share(c.tn, c.tn + c.fp)) / 2
        case "mcc":
            product = (c.tp + c.fp) * (c.tp + c.fn) * (c.tn + c.fp) * (c.tn + c.fn)
            return _share(c.tp * c.tn - c.fp * c.fn, np.sqrt(product))
        case "cost":
            return _share(costs.false_negative * c.fn + costs.false_positive * c.fp, rows)
        case _:
            assert_never(metric)


def _share(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.zeros_like(whole), where=whole != 0), dtype=np.float64)
