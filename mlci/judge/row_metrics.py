"""What a model gets wrong on each row: right and wrong, losses, and the counts of a confusion matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from mlci.nouns.policy import Cost

if TYPE_CHECKING:
    import numpy.typing as npt

    from mlci.nouns.sample import Answers, Sample

    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

CLIP: Final = 1e-15
"""How far from 0 and 1 a score is kept in the log loss, as scikit-learn does for 64-bit scores."""


def right(sample: Sample, answers: Answers) -> Bools:
    """Whether each row is decided as its label says, shape (n,)."""
    return np.asarray(sample.label == answers.decision, dtype=np.bool_)


def row_loss(metric: str, sample: Sample, answers: Answers, cost: Cost | None = None) -> Floats | None:
    """The loss of each row, in the metric's unit, shape (n,).

    Args:
        metric: `log_loss` (nats), `brier` (the multiclass form sums over the classes), `cost` (the policy's unit),
            `mae` or `mse`.
        sample: Labels.
        answers: Of one model.
        cost: What an error costs; needed for `cost`.

    Returns:
        None where the model gave no scores and the metric needs them.

    Source: Brier (1950), Monthly Weather Review 78:1-3; Good (1952), JRSS B 14:107-114.
    """
    if metric == "cost":
        wanted = cost or Cost()
        missed = sample.label & ~answers.decision
        needless = ~sample.label & answers.decision
        return np.asarray(wanted.false_negative * missed + wanted.false_positive * needless, dtype=np.float64)
    if metric in {"mae", "mse"}:
        error = np.abs(np.asarray(answers.decision, dtype=np.float64) - sample.label)
        return np.asarray(error if metric == "mae" else error**2, dtype=np.float64)
    if answers.score is None:
        return None
    if sample.task == "multiclass":
        return _multiclass_loss(metric, sample, answers.score)
    if metric == "brier":
        return np.asarray((answers.score - sample.label) ** 2, dtype=np.float64)
    inside = np.clip(answers.score, CLIP, 1 - CLIP)
    return np.asarray(-np.log(np.where(sample.label, inside, 1 - inside)), dtype=np.float64)


def _multiclass_loss(metric: str, sample: Sample, score: Floats) -> Floats:
    known = sample.label >= 0
    column = np.where(known, sample.label, 0).astype(np.int64)
    of_label = np.where(known, np.take_along_axis(score, column[:, None], axis=1)[:, 0], 0.0)
    if metric == "brier":
        return np.asarray((score**2).sum(axis=1) - 2 * of_label + 1, dtype=np.float64)
    return np.asarray(-np.log(np.clip(of_label, CLIP, 1 - CLIP)), dtype=np.float64)


def cells(label: Bools, *decisions: Bools) -> npt.NDArray[np.int64]:
    """How many rows have each combination of label and decisions, shape (2,) * (1 + len(decisions)).

    >>> cells(np.array([True, True, False]), np.array([True, False, False])).tolist()
    [[1, 0], [1, 1]]
    """
    code = label.astype(np.int64)
    for decision in decisions:
        code = 2 * code + decision
    return np.bincount(code, minlength=2 ** (1 + len(decisions))).reshape((2,) * (1 + len(decisions)))
