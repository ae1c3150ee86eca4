"""What the rows of a long sample add to a metric that is no mean over rows, summed up block by block."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mlci.judge.stats.macro import cells_of, macro_influence
from mlci.judge.stats.moments import Moments
from mlci.nouns.sample import BLOCK, spans

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from mlci.nouns.sample import Answers, Sample

    Floats = npt.NDArray[np.float64]
    Rows = Callable[[slice], Floats]


class Summed(NamedTuple):
    """A metric's value for each model asked for, and the moments of what rows add to the last less the first."""

    values: tuple[float, ...]
    influence: Moments


def influence_sums(metric: str, sample: Sample, *answers: Answers) -> Summed | None:
    """Of one model, or of the change between two; None where the sample is short or grouped, or has no value.

    The influences are those of `mlci.judge.influence.influence`.
    """
    if sample.size <= BLOCK or sample.group is not None:
        return None
    if metric not in {"macro_f1", "rmse", "r2"}:
        return None
    sides = tuple(sample.side(each) for each in answers)
    if None in sides:
        return _summed(metric, sample, *answers)
    return sample.memo.once(("influence sums", metric, sides), lambda: _summed(metric, sample, *answers))


def _summed(metric: str, sample: Sample, *answers: Answers) -> Summed | None:
    if metric == "macro_f1":
        return _macro(sample, *answers)
    found = [(_root if metric == "rmse" else _explained)(sample, each) for each in answers]
    known = [each for each in found if each is not None]
    if len(known) < len(found):
        return None
    moved = Moments()
    for span in spans(sample.size):
        rows = [of(span) for _, of in known]
        moved += Moments.of(rows[-1] - rows[0] if len(rows) > 1 else rows[0])
    return Summed(tuple(value for value, _ in known), moved)


def _squared(sample: Sample, answers: Answers, span: slice) -> Floats:
    return np.asarray((answers.decision[span] - sample.label[span]) ** 2, dtype=np.float64)


def _root(sample: Sample, answers: Answers) -> tuple[float, Rows]:
    seen = sum((Moments.of(_squared(sample, answers, span)) for span in spans(sample.size)), Moments())
    root = seen.mean**0.5
    scale = 1 / (2 * sample.size * root) if root > 0 else 0.0
    return root, lambda span: (_squared(sample, answers, span) - seen.mean) * scale


def _explained(sample: Sample, answers: Answers) -> tuple[float, Rows] | None:
    label = sum((Moments.of(sample.label[span]) for span in spans(sample.size)), Moments())
    if label.second == 0:
        return None
    left = sum(float(_squared(sample, answers, span).sum()) for span in spans(sample.size)) / label.second

    def rows(span: slice) -> Floats:
        spread = np.asarray((sample.label[span] - label.mean) ** 2, dtype=np.float64)
        return -(_squared(sample, answers, span) - spread * left) / label.second

    return 1 - left, rows


def _macro(sample: Sample, *answers: Answers) -> Summed:
    """Rows of the same label and decisions add the same."""
    cells = cells_of(sample.label, *(each.decision for each in answers))
    found = [macro_influence(cells.label, decision, cells.rows) for decision in cells.decisions]
    moved = found[-1][1] - found[0][1] if len(found) > 1 else found[0][1]
    return Summed(tuple(value for value, _ in found), Moments.of_many(moved, cells.rows))
