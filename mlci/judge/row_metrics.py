"""What a model gets wrong on each row: right and wrong, and losses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from mlci.nouns.metric import pinball_quantile, top_k
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


def is_right_metric(metric: str) -> bool:
    """Whether the metric is a share of right rows."""
    return metric in {"accuracy", "micro_f1"} or top_k(metric) is not None


def rights(metric: str, sample: Sample, answers: Answers) -> Bools | None:
    """Whether each row is right, as the metric has it, shape (n,); None where it needs scores that are not there.

    Micro F1 of one label per row is the accuracy: every wrong row is one false positive and one false negative. For
    the top k, a class of the same score as the label's counts as before it: a model that says nothing gains nothing.
    """
    k = top_k(metric)
    if k is None:
        return right(sample, answers)
    if answers.score is None:
        return None
    own = np.take_along_axis(answers.score, sample.label[:, None].astype(np.int64), axis=1)
    return np.asarray(np.count_nonzero(answers.score >= own, axis=1) <= k, dtype=np.bool_)


def row_loss(metric: str, sample: Sample, answers: Answers, cost: Cost | None = None) -> Floats | None:
    """The loss of each row, in the metric's unit, shape (n,).

    Args:
        metric: `log_loss` (nats), `brier` (the multiclass form sums over the classes), `cost` (the policy's unit),
            `mae`, `mse`, `mape` (a share of the label's size) or `pinball_<percent>`.
        sample: Labels.
        answers: Of one model.
        cost: What an error costs; needed for `cost`.

    Returns:
        None where the model gave no scores and the metric needs them, or a label is 0 that `mape` divides by.

    Source: Brier (1950), Monthly Weather Review 78:1-3; Good (1952), JRSS B 14:107-114; pinball loss: Koenker and
    Bassett (1978), Econometrica 46:33-50.
    """
    if sample.task == "regression":
        return _regression_loss(metric, sample.label, answers.decision)
    if metric == "cost":
        wanted = cost or Cost()
        missed = sample.label & ~answers.decision
        needless = ~sample.label & answers.decision
        return np.asarray(wanted.false_negative * missed + wanted.false_positive * needless, dtype=np.float64)
    if answers.score is None:
        return None
    if sample.task == "multiclass":
        return _multiclass_loss(metric, sample, answers.score)
    if metric == "brier":
        return np.asarray((answers.score - sample.label) ** 2, dtype=np.float64)
    inside = np.clip(answers.score, CLIP, 1 - CLIP)
    return np.asarray(-np.log(np.where(sample.label, inside, 1 - inside)), dtype=np.float64)


def _regression_loss(metric: str, label: Floats, predicted: Floats) -> Floats | None:
    above = label - predicted
    quantile = pinball_quantile(metric)
    if quantile is not None:
        return np.asarray(np.maximum(quantile * above, (quantile - 1) * above), dtype=np.float64)
    if metric == "mse":
        return np.asarray(above**2, dtype=np.float64)
    if metric == "mape":
        return np.asarray(np.abs(above / label), dtype=np.float64) if np.all(label != 0) else None
    return np.asarray(np.abs(above), dtype=np.float64)


def _multiclass_loss(metric: str, sample: Sample, score: Floats) -> Floats:
    of_label = np.take_along_axis(score, sample.label[:, None].astype(np.int64), axis=1)[:, 0]
    if metric == "brier":
        return np.asarray((score**2).sum(axis=1) - 2 * of_label + 1, dtype=np.float64)
    return np.asarray(-np.log(np.clip(of_label, CLIP, 1 - CLIP)), dtype=np.float64)
