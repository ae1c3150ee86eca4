"""One metric on one slice: the right statistical test for it, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlci.judge.areas import area, aucs_of, paired_aucs
from mlci.judge.by_block import cells, paired_sums, sums
from mlci.judge.influence import Influence, influence, is_count, one_against_rest
from mlci.judge.influence_sums import influence_sums
from mlci.judge.row_metrics import is_right_metric, rights, row_loss
from mlci.judge.stats.auc import auc_change, auc_estimate, too_few_of_a_class
from mlci.judge.stats.confusion import Confusion, Costs, evaluate
from mlci.judge.stats.counts import count_change
from mlci.judge.stats.floors import count_estimate, mean_estimate, share_estimate
from mlci.judge.stats.grouped import FEWEST_GROUPS, group_sums, grouped_accuracy_change, grouped_change
from mlci.judge.stats.linear import Units, linear_change, linear_estimate, not_surer
from mlci.judge.stats.losses import loss_change, loss_change_from_sums
from mlci.judge.stats.macro import macro_change, macro_estimate
from mlci.judge.stats.own import own_change, own_estimate
from mlci.judge.stats.paired import accuracy_change
from mlci.nouns.change import Change, Estimate, Good, Missing, TooFew
from mlci.nouns.metric import direction
from mlci.nouns.sample import BLOCK

if TYPE_CHECKING:
    import numpy.typing as npt

    from mlci.nouns.policy import Cost, Gate
    from mlci.nouns.sample import Answers, Sample

    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Terms:
    """On which terms a metric is judged.

    Attributes:
        alpha: Of the bound on the good side.
        beta: Of the bound on the bad side.
        seed: Of the bootstrap, which starts anew for every check, so that a check's answer does not depend on which
            others are asked.
        cost: What an error costs.
    """

    alpha: float
    beta: float
    seed: int
    cost: Cost | None = None

    @classmethod
    def of(cls, gate: Gate, cost: Cost | None) -> Terms:
        """Those of a gate."""
        return cls(gate.alpha, gate.beta, gate.seed, cost)

    def at(self, alpha: float) -> Terms:
        """The same at another alpha."""
        return replace(self, alpha=alpha)

    @property
    def rng(self) -> np.random.Generator:
        """A generator at its start."""
        return np.random.default_rng(self.seed)


def change_of(metric: str, sample: Sample, terms: Terms) -> Change | TooFew | Missing:
    """How the metric moved from the old to the new model on all rows of the sample.

    Args:
        metric: A name that `mlci.nouns.metric` knows.
        sample: Both models' answers.
        terms: Error rates, seed and costs.
    """
    old, new = sample.old, sample.new
    if old is None:
        return Missing(why="There is no earlier model.")
    if metric in sample.own:
        return _own_change(metric, sample, old, terms)
    if sample.group is None and sample.size > BLOCK and _is_mean(metric, sample):
        return _long_change(metric, sample, terms)
    if is_right_metric(metric):
        before, after = rights(metric, sample, old), rights(metric, sample, new)
        return _no_scores(metric) if before is None or after is None else _right_change(before, after, sample, terms)
    if _is_mean(metric, sample):
        losses = row_loss(metric, sample, old, terms.cost), row_loss(metric, sample, new, terms.cost)
        if losses[0] is None or losses[1] is None:
            return _missing(metric, sample)
        return _loss_change(losses[0], losses[1], sample, terms)
    return _other_change(metric, sample, old, terms)


def _long_change(metric: str, sample: Sample, terms: Terms) -> Change | TooFew | Missing:
    """A mean over many rows, block by block; it needs no more of them than what is summed up."""
    seen = paired_sums(metric, sample, terms.cost)
    if seen is None:
        return _missing(metric, sample)
    if is_right_metric(metric):
        return accuracy_change(*seen.cells, alpha=terms.alpha, beta=terms.beta)
    moved = seen.moved
    return loss_change_from_sums(
        seen.old.mean, seen.new.mean, moved.n, moved.variance, skew=moved.skewness, alpha=terms.alpha, beta=terms.beta
    )


def _other_change(metric: str, sample: Sample, old: Answers, terms: Terms) -> Change | TooFew | Missing:
    """A metric that is no mean over rows."""
    plain = _plain_change(metric, sample, old, terms)
    if plain is not None and (isinstance(plain, TooFew) or sample.group is None):
        return plain
    summed, good = influence_sums(metric, sample, old, sample.new), _good(metric)
    if summed is not None:
        units, (before, after) = Units(summed.influence, sample.size), summed.values
        return linear_change(before, after, units, terms.rng, good=good, alpha=terms.alpha, beta=terms.beta)
    one, other = influence(metric, sample, old), influence(metric, sample, sample.new)
    if one is None or other is None:
        return _missing(metric, sample)
    each = _units(other.rows - one.rows, sample)
    if isinstance(each, TooFew):
        return each
    seen = linear_change(one.value, other.value, each, terms.rng, good=good, alpha=terms.alpha, beta=terms.beta)
    return seen if isinstance(seen, TooFew) or plain is None else not_surer(seen, plain)


def _right_change(before: Bools, after: Bools, sample: Sample, terms: Terms) -> Change | TooFew:
    both, gained, lost = before & after, after & ~before, before & ~after
    if sample.group is not None:
        size, *sums = group_sums(sample.group, both, gained, lost)
        return grouped_accuracy_change(size, sums[0], sums[1], sums[2], terms.rng, alpha=terms.alpha, beta=terms.beta)
    kept, won, gone = (int(np.count_nonzero(rows)) for rows in (both, gained, lost))
    return accuracy_change(kept, won, gone, sample.size - kept - won - gone, alpha=terms.alpha, beta=terms.beta)


def _loss_change(before: Floats, after: Floats, sample: Sample, terms: Terms) -> Change | TooFew:
    if sample.group is not None:
        size, old, new = group_sums(sample.group, before, after)
        return grouped_change(size, old, new, terms.rng, alpha=terms.alpha, beta=terms.beta)
    return loss_change(before, after, terms.rng, alpha=terms.alpha, beta=terms.beta)


def _plain_change(metric: str, sample: Sample, old: Answers, terms: Terms) -> Change | TooFew | None:
    """The test for single rows; None where it is the delta method."""
    label, new = sample.label, sample.new
    if metric == "roc_auc" and old.score is not None and new.score is not None:
        return too_few_of_a_class(label) or auc_change(paired_aucs(sample), alpha=terms.alpha, beta=terms.beta)
    if metric == "macro_f1":
        return macro_change(label, old.decision, new.decision, terms.rng, alpha=terms.alpha, beta=terms.beta)
    one = one_against_rest(metric, sample)
    if one is not None:
        return count_change(
            cells(sample, old, sample.new, one[1]), one[0], terms.rng, alpha=terms.alpha, beta=terms.beta
        )
    if is_count(metric):
        counts = cells(sample, old, new, 1)
        return count_change(counts, metric, terms.rng, alpha=terms.alpha, beta=terms.beta)
    return None


def estimate_of(metric: str, sample: Sample, limit: float, terms: Terms) -> Estimate | TooFew | Missing:
    """Where the new model's metric stands against a floor or ceiling; arguments as for `change_of`."""
    if metric in sample.own:
        return _own_estimate(metric, sample, limit, terms)
    plain = _plain_estimate(metric, sample, limit, terms)
    if plain is not None and (isinstance(plain, TooFew) or sample.group is None):
        return plain
    summed, good = influence_sums(metric, sample, sample.new), _good(metric)
    if summed is not None:
        units = Units(summed.influence, sample.size)
        return linear_estimate(summed.values[0], limit, units, terms.rng, good=good, alpha=terms.alpha, beta=terms.beta)
    found = _measured(metric, sample, sample.new, terms.cost)
    if found is None:
        return _missing(metric, sample)
    each = _units(found.rows, sample)
    if isinstance(each, TooFew):
        return each
    seen = linear_estimate(found.value, limit, each, terms.rng, good=good, alpha=terms.alpha, beta=terms.beta)
    return seen if isinstance(seen, TooFew) or plain is None else not_surer(seen, plain)


def _plain_estimate(metric: str, sample: Sample, limit: float, terms: Terms) -> Estimate | TooFew | None:
    label, new = sample.label, sample.new
    alpha, beta = terms.alpha, terms.beta
    if is_right_metric(metric):
        seen = sums(metric, sample, new)
        return share_estimate(round(seen.mean * seen.n), seen.n, limit, alpha=alpha, beta=beta) if seen else None
    if metric == "roc_auc" and new.score is not None:
        return too_few_of_a_class(label) or auc_estimate(aucs_of(sample, new), limit, alpha=alpha, beta=beta)
    if metric == "macro_f1":
        return macro_estimate(label, new.decision, limit, terms.rng, alpha=alpha, beta=beta)
    one = one_against_rest(metric, sample)
    if one is not None or is_count(metric):
        name, mine = one if one is not None else (metric, 1)
        assert is_count(name)  # noqa: S101 - by the line above
        return count_estimate(cells(sample, new, new, mine).sum(axis=1), name, limit, terms.rng, alpha=alpha, beta=beta)
    if not _is_mean(metric, sample):
        return None
    seen = sums(metric, sample, new, terms.cost)
    if seen is None:
        return None
    return mean_estimate(seen.mean, seen.n, seen.variance, limit, skew=seen.skewness, alpha=alpha, beta=beta)


def point(metric: str, sample: Sample, answers: Answers, cost: Cost | None) -> float | None:
    """The metric's value on all rows, without an interval; None where it has none there."""
    if metric in sample.own:
        value = _own_value(metric, sample, answers, None)
        return value if np.isfinite(value) else None
    if _is_mean(metric, sample):
        seen = sums(metric, sample, answers, cost)
        return seen.mean if seen is not None else None
    if metric == "roc_auc":
        return area(sample, answers)
    one = one_against_rest(metric, sample)
    if one is not None or is_count(metric):
        name, mine = one if one is not None else (metric, 1)
        assert is_count(name)  # noqa: S101 - by the line above
        counts = cells(sample, answers, answers, mine).sum(axis=1).ravel()
        return float(evaluate(name, Confusion(*counts[:, None].astype(np.float64)), Costs())[0])
    summed = influence_sums(metric, sample, answers)
    if summed is not None:
        return summed.values[0]
    found = influence(metric, sample, answers)
    return found.value if found is not None else None


def _own_change(metric: str, sample: Sample, old: Answers, terms: Terms) -> Change | TooFew | Missing:
    def both(rows: Ints | None) -> tuple[float, float]:
        return _own_value(metric, sample, old, rows), _own_value(metric, sample, sample.new, rows)

    good, rng = sample.own[metric].good, terms.rng
    seen = own_change(both, sample.size, sample.group, rng, good=good, alpha=terms.alpha, beta=terms.beta)
    return seen if seen is not None else Missing(why=f"{metric} has no value on these rows.")


def _own_estimate(metric: str, sample: Sample, limit: float, terms: Terms) -> Estimate | TooFew | Missing:
    def value(rows: Ints | None) -> float:
        return _own_value(metric, sample, sample.new, rows)

    good, rng = sample.own[metric].good, terms.rng
    seen = own_estimate(value, limit, sample.size, sample.group, rng, good=good, alpha=terms.alpha, beta=terms.beta)
    return seen if seen is not None else Missing(why=f"{metric} has no value on these rows.")


def _own_value(metric: str, sample: Sample, answers: Answers, rows: Ints | None) -> float:
    label, decision, score = sample.label, answers.decision, answers.score
    if rows is not None:
        label, decision, score = label[rows], decision[rows], score[rows] if score is not None else None
    if sample.task == "multiclass":
        names = np.asarray(sample.classes)
        label, decision = names[label], names[decision]
    return sample.own[metric].value(label, decision, score)


def _measured(metric: str, sample: Sample, answers: Answers, cost: Cost | None) -> Influence | None:
    """The value and the rows' influences of any metric."""
    if not _is_mean(metric, sample):
        return influence(metric, sample, answers)
    if is_right_metric(metric):
        rows: Bools | Floats | None = rights(metric, sample, answers)
    else:
        rows = row_loss(metric, sample, answers, cost)
    if rows is None:
        return None
    mean = float(rows.mean())
    return Influence(mean, (rows - mean) / sample.size)


def _is_mean(metric: str, sample: Sample) -> bool:
    """Whether the metric is a mean over rows."""
    if metric in {"roc_auc", "macro_f1", "rmse", "r2"} or is_count(metric):
        return False
    return one_against_rest(metric, sample) is None


def _units(rows: Floats, sample: Sample) -> Units | TooFew:
    """Rows, or groups of them, as what was sampled."""
    if sample.group is None:
        return Units(rows, sample.size)
    _, sums = group_sums(sample.group, rows)
    if sums.size < FEWEST_GROUPS:
        return TooFew(what="groups", seen=int(sums.size), needed=FEWEST_GROUPS)
    return Units(sums, sample.size, "groups")


def _good(metric: str) -> Good:
    return "down" if direction(metric) == -1 else "up"


def _missing(metric: str, sample: Sample) -> Missing:
    """Why there is no value, as far as that can be told."""
    if metric == "mape":
        zero = int(np.count_nonzero(sample.label == 0))
        return Missing(why=f"{zero:,} of {sample.size:,} labels are 0, and an error relative to 0 has no size.")
    if metric == "r2":
        return Missing(why="All labels are equal here, so that there is no variance to explain.")
    return _no_scores(metric)


def _no_scores(metric: str) -> Missing:
    return Missing(why=f"The predictions have no scores, and {metric} needs them.")
