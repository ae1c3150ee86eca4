"""Precision, recall, F1 and any other function of counts: a paired bootstrap on the eight cells.

The cells (label, old decision, new decision) are all there is to know about the rows, so resampling rows is drawing
from a multinomial with eight cells, whatever the number of rows.

A plain bootstrap never sees a kind of discordant row that the sample happens to lack. At 100 positives of which 2 %
are discordant it lets a drop of exactly the tolerance pass in 11 % of the cases instead of 5. Pseudo-counts in the four
discordant cells mend that (Laplace's for a paired difference: Bonett and Price (2012), J. Educ. Behav. Stat.
37:479-488): one in each for the bound that decides a pass, one half for the test that decides a fail. They vanish as
the rows grow.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mlci.judge.stats.confusion import Confusion, Costs, CountMetric, Floats, evaluate, good_direction
from mlci.judge.stats.paired import smallest_mid_p
from mlci.judge.stats.tail import at_least, lower_quantile
from mlci.nouns.change import Bounds, Change, TooFew, sign

FEWEST_POSITIVES = 100
RESAMPLES = 10_000
_FOR_THE_TEST, _FOR_THE_BOUND = 0.5, 1.0
_PLAIN = Costs()


def count_change(
    counts: npt.ArrayLike,
    metric: CountMetric,
    rng: np.random.Generator,
    *,
    alpha: float = 0.05,
    beta: float = 0.05,
    costs: Costs = _PLAIN,
    resamples: int = RESAMPLES,
) -> Change | TooFew:
    """The change of a metric of counts, by the paired bootstrap.

    Args:
        counts: rows by [label, old decision, new decision], shape (2, 2, 2), 1 for positive.
        metric: one of `COUNT_METRICS`.
        rng: the caller's generator; the same seed gives the same answer.
        alpha: of the upper bound of the gain.
        beta: of the lower bound of the gain.
        costs: weights of the metric `cost`.
        resamples: B.

    Returns:
        The change with percentile bounds and p = (1 + resamples that are no worse) / (B + 1), extended beyond what the
        resamples show (`mlci.judge.stats.tail`); or too few positives.
    """
    cells = np.asarray(counts, dtype=np.float64).reshape(2, 2, 2)
    positives, n = int(cells[1].sum()), int(cells.sum())
    if positives < FEWEST_POSITIVES:
        return TooFew(what="positives", seen=positives, needed=FEWEST_POSITIVES)
    good = good_direction(metric)
    old, new = (float(side) for side in _both(metric, cells, costs))
    tested = _gains(cells, metric, costs, rng, resamples, _FOR_THE_TEST)
    bounding = _gains(cells, metric, costs, rng, resamples, _FOR_THE_BOUND)
    low, high = Bounds(lower_percentile(bounding, beta), -lower_percentile(-tested, alpha)).natural(good)
    lost = int(cells[1, 1, 0] + cells[0, 0, 1])
    gained = int(cells[1, 0, 1] + cells[0, 1, 0])
    return Change(
        old=old,
        new=new,
        change=new - old,
        good=good,
        low=low,
        high=high,
        p=no_worse(tested),
        smallest_p=float(smallest_mid_p(gained, lost)),
        n=n,
        variance=n * float(bounding.var(ddof=1)),
        discordant=(gained, lost),
        method="paired bootstrap",
    )


def paired_counts(
    label: npt.NDArray[np.bool_], old: npt.NDArray[np.bool_], new: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """Rows by [label, old decision, new decision], shape (2, 2, 2)."""
    codes = 4 * label.astype(np.int8) + 2 * old.astype(np.int8) + new.astype(np.int8)
    return np.bincount(codes, minlength=8).reshape(2, 2, 2).astype(np.int64)


def lower_percentile(gains: Floats, beta: float) -> float:
    """The percentile bound: at most a share beta of the resamples lies below it."""
    return lower_quantile(gains, beta)


def no_worse(gains: Floats) -> float:
    """One-sided p of 'no worse': the share of resamples that are no worse, counting the sample itself."""
    return at_least(gains, 0.0)


def _gains(
    cells: Floats, metric: CountMetric, costs: Costs, rng: np.random.Generator, resamples: int, pseudo: float
) -> Floats:
    """Resampled gains, shape (resamples,), drawn after adding `pseudo` rows to each discordant cell."""
    share = cells.copy()
    share[:, 0, 1] += pseudo
    share[:, 1, 0] += pseudo
    drawn = rng.multinomial(int(cells.sum()), share.ravel() / share.sum(), size=resamples)
    old, new = _both(metric, drawn.T.reshape(2, 2, 2, resamples).astype(np.float64), costs)
    return sign(good_direction(metric)) * (new - old)


def _both(metric: CountMetric, cells: Floats, costs: Costs) -> tuple[Floats, Floats]:
    """The metric of the old and of the new model; cells by [label, old, new, ...]."""
    (tn, fp), (fn, tp) = cells.sum(axis=2)
    old = evaluate(metric, Confusion(tn, fp, fn, tp), costs)
    (tn, fp), (fn, tp) = cells.sum(axis=1)
    return old, evaluate(metric, Confusion(tn, fp, fn, tp), costs)
