"""One metric on one slice: the right statistical test for it, whichever it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeGuard, get_args

import numpy as np

from mlci.judge.row_metrics import right, row_loss
from mlci.judge.stats.auc import auc_change, auc_estimate, delong
from mlci.judge.stats.confusion import Confusion, Costs, evaluate
from mlci.judge.stats.counts import count_change, paired_counts
from mlci.judge.stats.floors import count_estimate, mean_estimate, share_estimate
from mlci.judge.stats.losses import loss_change
from mlci.judge.stats.paired import accuracy_change

if TYPE_CHECKING:
    import numpy.typing as npt

    from mlci.nouns.change import Change, Estimate, TooFew
    from mlci.nouns.policy import Cost, Gate
    from mlci.nouns.sample import Answers, Sample

    Bools = npt.NDArray[np.bool_]

CountName = Literal["precision", "recall", "f1", "specificity", "balanced_accuracy"]
_FEWEST_FOR_AUC = 2
_COUNTS: tuple[CountName, ...] = get_args(CountName)


def change_of(metric: str, sample: Sample, rows: Bools | None, gate: Gate, cost: Cost | None) -> Change | TooFew | None:
    """How the metric moved from the old to the new model on some of the rows.

    Args:
        metric: A name in `mlci.nouns.policy.METRICS`.
        sample: Both models' answers.
        rows: Which rows, bool of shape (n,); None for all.
        gate: Error rates and the seed of the bootstrap, which starts anew for every check so that a check's answer
            does not depend on which others are asked.
        cost: What an error costs.

    Returns:
        None where a model gave no scores and the metric needs them.
    """
    part = _part(sample, rows)
    label, new, old = part.label, part.new, part.old
    if old is None:
        return None
    if metric == "accuracy":
        before, after = right(part, old), right(part, new)
        both, gained, lost = int((before & after).sum()), int((after & ~before).sum()), int((before & ~after).sum())
        wrong = part.size - both - gained - lost
        return accuracy_change(both, gained, lost, wrong, alpha=gate.alpha, beta=gate.beta)
    if metric == "roc_auc":
        if old.score is None or new.score is None:
            return None
        return auc_change(label, old.score, new.score, alpha=gate.alpha, beta=gate.beta)
    rng = np.random.default_rng(gate.seed)
    if _is_count(metric):
        counts = paired_counts(label, old.decision, new.decision)
        return count_change(counts, metric, rng, alpha=gate.alpha, beta=gate.beta)
    losses = row_loss(metric, part, old, cost), row_loss(metric, part, new, cost)
    if losses[0] is None or losses[1] is None:
        return None
    return loss_change(losses[0], losses[1], rng, alpha=gate.alpha, beta=gate.beta)


def estimate_of(
    metric: str, sample: Sample, rows: Bools | None, limit: float, gate: Gate, cost: Cost | None
) -> Estimate | TooFew | None:
    """Where the new model's metric stands against a floor or ceiling; arguments as for `change_of`."""
    part = _part(sample, rows)
    if metric == "accuracy":
        wins = int(right(part, part.new).sum())
        return share_estimate(wins, part.size, limit, alpha=gate.alpha, beta=gate.beta)
    if metric == "roc_auc":
        if part.new.score is None:
            return None
        return auc_estimate(part.label, part.new.score, limit, alpha=gate.alpha, beta=gate.beta)
    if _is_count(metric):
        counts = paired_counts(part.label, part.new.decision, part.new.decision).sum(axis=1)
        rng = np.random.default_rng(gate.seed)
        return count_estimate(counts, metric, limit, rng, alpha=gate.alpha, beta=gate.beta)
    loss = row_loss(metric, part, part.new, cost)
    if loss is None:
        return None
    spread = float(loss.var(ddof=1)) if loss.size > 1 else 0.0
    mean = float(loss.mean()) if loss.size else 0.0
    return mean_estimate(mean, loss.size, spread, limit, alpha=gate.alpha, beta=gate.beta)


def _is_count(metric: str) -> TypeGuard[CountName]:
    return metric in _COUNTS


def _part(sample: Sample, rows: Bools | None) -> Sample:
    """The sample with only these rows."""
    if rows is None:
        return sample
    return type(sample)(
        task=sample.task,
        ids=sample.ids[rows],
        label=sample.label[rows],
        new=_some(sample.new, rows),
        old=_some(sample.old, rows) if sample.old is not None else None,
        parts=(),
        classes=sample.classes,
    )


def _some(answers: Answers, rows: Bools) -> Answers:
    score = answers.score[rows] if answers.score is not None else None
    return type(answers)(answers.decision[rows], score)


def point(metric: str, sample: Sample, answers: Answers, cost: Cost | None) -> float | None:
    """The metric's value on all rows, without an interval; None where it has none there."""
    if metric == "accuracy":
        return float(right(sample, answers).mean())
    if metric == "roc_auc":
        positives = int(np.count_nonzero(sample.label))
        if answers.score is None or min(positives, sample.size - positives) < _FEWEST_FOR_AUC:
            return None
        return float(delong(sample.label, answers.score).values[0])
    if _is_count(metric):
        counts = paired_counts(sample.label, answers.decision, answers.decision).sum(axis=1).astype(np.float64)
        (tn, fp), (fn, tp) = counts[:, None].transpose(0, 2, 1)
        return float(evaluate(metric, Confusion(tn, fp, fn, tp), Costs())[0])
    loss = row_loss(metric, sample, answers, cost)
    return float(loss.mean()) if loss is not None else None
