"""ROC AUC of one or two models on the same rows, with DeLong's variances in O(n log n)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtr, ndtri

from mlci.judge.stats.places import counts_below
from mlci.nouns.change import Change, Estimate, Good, TooFew
from mlci.nouns.sample import rest, spans

if TYPE_CHECKING:
    from mlci.nouns.sample import Room

Floats = npt.NDArray[np.float64]

FEWEST_OF_A_CLASS = 30


class Aucs(NamedTuple):
    """AUCs of k models and the covariance matrix of their estimates."""

    values: Floats
    """Shape (k,)."""
    covariance: Floats
    """Shape (k, k), of the estimates (not per row)."""
    exact: Floats
    """The values once more, from whole numbers: what `auc` says, to the last digit."""
    positives: int
    rows: int


def placements(label: npt.NDArray[np.bool_], score: npt.NDArray[np.floating]) -> tuple[Floats, Floats]:
    """Share of the negatives below each positive, and of the positives above each negative; ties count half.

    DeLong's structural components, each in the order of the rows of its class, from one sort.

    >>> above, below = placements(np.array([True, False, True]), np.array([0.5, 0.5, 0.9]))
    >>> above.tolist(), below.tolist()
    ([0.5, 1.0], [0.75])
    """
    positives = int(np.count_nonzero(label))
    return _shares(label, counts_below(label, score), positives, label.size - positives)


def _shares(label: npt.NDArray[np.bool_], below: Floats, positives: int, negatives: int) -> tuple[Floats, Floats]:
    return below[label] / negatives, 1 - below[~label] / positives


def auc(label: npt.NDArray[np.bool_], score: npt.NDArray[np.floating], room: Room | None = None) -> float | None:
    """The area under the curve; None without a row of either class.

    >>> auc(np.array([True, False, True]), np.array([0.5, 0.5, 0.9]))
    0.75
    """
    positives = int(np.count_nonzero(label))
    if not 0 < positives < label.size:
        return None
    below = counts_below(label, score, room)
    won = sum(float(below[span][label[span]].sum()) for span in spans(label.size))
    return won / positives / (label.size - positives)


def delong(label: npt.NDArray[np.bool_], *scores: npt.NDArray[np.floating], room: Room | None = None) -> Aucs:
    """AUCs of paired score vectors and the covariance of the estimates.

    Args:
        label: True for the positive class, shape (n,).
        *scores: one vector of shape (n,) per model; higher means more positive, only the order matters.
        room: for what is as long as the rows, where they are many.

    Raises:
        ValueError: a score is NaN, or there are fewer than two rows of a class.

    Source: DeLong, DeLong, Clarke-Pearson (1988), Biometrics 44:837-845, eq. 3 to 5, computed by sorting as in Sun and
    Xu (2014), IEEE Signal Processing Letters 21:1389-1393.
    """
    positives, negatives = int(np.count_nonzero(label)), int(label.size - np.count_nonzero(label))
    if min(positives, negatives) < 2:  # noqa: PLR2004 - a variance needs two
        raise ValueError(
            f"DeLong's variance needs two rows of each class: {positives} positives, {negatives} negatives"
        )
    places = []
    for score in scores:
        if any(np.isnan(score[span]).any() for span in spans(score.size)):
            raise ValueError("scores hold NaN")
        places.append(counts_below(label, score, room))
        rest(room)
    above, below, won = _Joint(), _Joint(), np.zeros(len(scores))
    for span in spans(label.size, room):
        won += [float(place[span][label[span]].sum()) for place in places]
        mine = [_shares(label[span], place[span], positives, negatives) for place in places]
        above += _Joint.of(np.stack([share for share, _ in mine]))
        below += _Joint.of(np.stack([share for _, share in mine]))
    covariance = above.covariance / positives + below.covariance / negatives
    return Aucs(above.mean, covariance, won / positives / negatives, positives, int(label.size))


@dataclass(frozen=True)
class _Joint:
    """Means of k variables seen so far, and the sums of the products of their distances from them.

    Source: Pébay (2008), Sandia report SAND2008-6212, eq. 3.7.
    """

    n: int = 0
    mean: Floats = field(default_factory=lambda: np.zeros(1))
    products: Floats = field(default_factory=lambda: np.zeros((1, 1)))

    @classmethod
    def of(cls, values: Floats) -> _Joint:
        """Of one block, shape (k, n)."""
        if not values.shape[1]:
            return cls()
        mean = values.mean(axis=1)
        away = values - mean[:, None]
        return cls(values.shape[1], mean, np.einsum("in,jn->ij", away, away))

    def __add__(self, other: _Joint) -> _Joint:
        """Of the values of both."""
        if not self.n or not other.n:
            return other if not self.n else self
        n, apart = self.n + other.n, other.mean - self.mean
        products = self.products + other.products + np.outer(apart, apart) * (self.n * other.n / n)
        return _Joint(n, self.mean + apart * (other.n / n), products)

    @property
    def covariance(self) -> Floats:
        """Shape (k, k), with n - 1 in the denominator."""
        return self.products / (self.n - 1)


def auc_change(aucs: Aucs, *, alpha: float = 0.05, beta: float = 0.05) -> Change:
    """The change of the AUC from the first to the second of two, by DeLong's test for paired curves."""
    change = float(aucs.values[1] - aucs.values[0])
    spread = float(aucs.covariance[0, 0] + aucs.covariance[1, 1] - 2 * aucs.covariance[0, 1])
    error = float(np.sqrt(max(spread, 0.0)))
    return Change(
        old=float(aucs.values[0]),
        new=float(aucs.values[1]),
        change=change,
        low=change + float(ndtri(beta)) * error,
        high=change - float(ndtri(alpha)) * error,
        p=normal_p(change, error),
        n=aucs.rows,
        variance=aucs.rows * max(spread, 0.0),
        method="DeLong",
    )


def auc_estimate(aucs: Aucs, limit: float, *, good: Good = "up", alpha: float = 0.05, beta: float = 0.05) -> Estimate:
    """One AUC against a limit: a normal interval on the logit scale, where it cannot leave [0, 1].

    Source: Pepe (2003), The Statistical Evaluation of Medical Tests, 5.2.5.
    """
    # A perfect separation has no variance of its own: count half a wrongly ordered row per class.
    edge = 0.5 / min(aucs.positives, aucs.rows - aucs.positives)
    inner = float(np.clip(aucs.values[0], edge, 1 - edge))
    variance = max(float(aucs.covariance[0, 0]), inner * (1 - inner) / aucs.rows)
    centre, error = float(np.log(inner / (1 - inner))), float(np.sqrt(variance)) / (inner * (1 - inner))
    bad, better = (beta, alpha) if good == "up" else (alpha, beta)
    away = centre - float(np.log(limit / (1 - limit)))
    return Estimate(
        value=float(aucs.values[0]),
        limit=limit,
        good=good,
        low=float(expit(centre + float(ndtri(bad)) * error)),
        high=float(expit(centre - float(ndtri(better)) * error)),
        p=normal_p(away if good == "up" else -away, error),
        n=aucs.rows,
        variance=aucs.rows * variance,
        method="DeLong, logit",
    )


def normal_p(gain: float, error: float) -> float:
    """One-sided p of 'no worse' from a normal estimate of the gain; without any spread the sign decides, 0 is .5."""
    if error == 0:
        return 0.5 * (1 + float(np.sign(gain)))
    return float(ndtr(gain / error))


def too_few_of_a_class(label: npt.NDArray[np.bool_]) -> TooFew | None:
    """Whether there are too few positives or negatives for a normal interval."""
    positives = int(np.count_nonzero(label))
    for what, seen in (("positives", positives), ("negatives", int(label.size) - positives)):
        if seen < FEWEST_OF_A_CLASS:
            return TooFew(what=what, seen=seen, needed=FEWEST_OF_A_CLASS)
    return None
