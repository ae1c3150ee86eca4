"""One model against a fixed limit: a floor such as 'accuracy stays above 85 %', or a ceiling such as 'cost below 2'.

Pass where the one-sided bound on the bad side is beyond the limit, fail where the other is short of it:
`decide_change(estimate, tolerance=0, threshold=...)`. The AUC's is `mlci.judge.stats.auc.auc_estimate`.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from mlci.judge.stats.confusion import Confusion, Costs, CountMetric, Floats, evaluate, good_direction
from mlci.judge.stats.counts import FEWEST_POSITIVES, RESAMPLES, lower_percentile, no_worse
from mlci.judge.stats.losses import FEWEST_ROWS
from mlci.judge.stats.paired import at_least
from mlci.judge.stats.student import mean_test
from mlci.nouns.change import Bounds, Estimate, Good, TooFew, sign

_PLAIN = Costs()
_SHARES: Final[frozenset[CountMetric]] = frozenset({"precision", "recall", "accuracy", "specificity"})


def clopper_pearson(k: int, n: int, *, lower_tail: float = 0.05, upper_tail: float = 0.05) -> tuple[float, float]:
    """Exact bounds of a share: each end is a one-sided bound that is wrong with at most its tail's probability.

    The default is the two-sided 90 % interval, whose ends are the 95 % bounds that a gate decides on.
    Source: Clopper, Pearson (1934), Biometrika 26:404-413.

    >>> [round(end, 3) for end in clopper_pearson(88, 100)]
    [0.813, 0.929]
    """
    low = float(betaincinv(k, n - k + 1, lower_tail)) if k > 0 else 0.0
    high = float(betaincinv(k + 1, n - k, 1 - upper_tail)) if k < n else 1.0
    return low, high


def share_estimate(
    k: int, n: int, limit: float, *, good: Good = "up", alpha: float = 0.05, beta: float = 0.05
) -> Estimate | TooFew:
    """A share k of n (right rows, for an accuracy) against a limit, exactly.

    Raises:
        ValueError: the limit is not inside (0, 1): no sample can be on both sides of it.
    """
    if not 0 < limit < 1:
        raise ValueError(f"a limit of a share is between 0 and 1, not {limit}")
    if n < FEWEST_ROWS:
        return TooFew(what="rows", seen=n, needed=FEWEST_ROWS)
    bad, better = (beta, alpha) if good == "up" else (alpha, beta)
    low, high = clopper_pearson(k, n, lower_tail=bad, upper_tail=better)
    # Up: so few right, that is so many wrong rows. Down: so many.
    p = at_least(n - k, n, 1 - limit) if good == "up" else at_least(k, n, limit)
    return Estimate(
        value=k / n,
        limit=limit,
        good=good,
        low=low,
        high=high,
        p=float(p),
        smallest_p=(1 - limit if good == "up" else limit) ** n,
        n=n,
        variance=k / n * (1 - k / n),
        method="Clopper-Pearson",
    )


def mean_estimate(
    mean: float,
    n: int,
    variance: float,
    limit: float,
    *,
    skew: float = 0.0,
    good: Good = "down",
    alpha: float = 0.05,
    beta: float = 0.05,
) -> Estimate | TooFew:
    """A mean loss against a limit, by Student's t, corrected where the losses' skewness `skew` asks for it.

    Raises:
        ValueError: a statistic is not finite.
    """
    if not (math.isfinite(mean) and math.isfinite(variance)):
        raise ValueError("losses hold NaN or infinities")
    if n < FEWEST_ROWS:
        return TooFew(what="rows", seen=n, needed=FEWEST_ROWS)
    error, away = math.sqrt(variance / n), sign(good) * (mean - limit)
    test = mean_test(away, error, n, sign(good) * skew, alpha=alpha, beta=beta)
    low, high = (limit + end for end in test.bounds.natural(good))
    return Estimate(
        value=mean,
        limit=limit,
        good=good,
        low=low,
        high=high,
        p=test.p,
        n=n,
        variance=variance,
        method=test.method,
    )


def count_estimate(
    counts: npt.ArrayLike,
    metric: CountMetric,
    limit: float,
    rng: np.random.Generator,
    *,
    alpha: float = 0.05,
    beta: float = 0.05,
    costs: Costs = _PLAIN,
    resamples: int = RESAMPLES,
) -> Estimate | TooFew:
    """A metric of counts against a limit: exact for a share of rows, else a bootstrap on the four cells.

    Args:
        counts: rows by [label, decision], shape (2, 2), 1 for positive.
        metric: one of `COUNT_METRICS`. A cost's limit is a ceiling.
        limit: in the metric's units.
        rng: the caller's generator.
        alpha: of the upper bound.
        beta: of the lower bound. One row more in each wrong cell keeps it honest where the sample has hardly any.
        costs: weights of the metric `cost`.
        resamples: of the bootstrap.
    """
    cells = np.asarray(counts, dtype=np.float64).reshape(2, 2)
    (tn, fp), (fn, tp) = cells
    whole = Confusion(tn, fp, fn, tp)
    if metric in _SHARES:
        k, n = _share(metric, whole)
        return share_estimate(k, n, limit, alpha=alpha, beta=beta)
    if fn + tp < FEWEST_POSITIVES:
        return TooFew(what="positives", seen=int(fn + tp), needed=FEWEST_POSITIVES)
    good = good_direction(metric)
    tested = _values(cells, metric, costs, rng, resamples)
    bounding = _values(cells + np.array([[0, 1], [1, 0]]), metric, costs, rng, resamples)
    upper = -lower_percentile(-sign(good) * tested, alpha)
    low, high = Bounds(lower_percentile(sign(good) * bounding, beta), upper).natural(good)
    n = int(cells.sum())
    return Estimate(
        value=float(evaluate(metric, whole, costs)),
        limit=limit,
        good=good,
        low=low,
        high=high,
        p=no_worse(sign(good) * (tested - limit)),
        n=n,
        variance=n * float(bounding.var(ddof=1)),
        method="bootstrap",
    )


def _share(metric: CountMetric, c: Confusion) -> tuple[int, int]:
    """(k, n) of a metric that is a share of rows."""
    pairs = {
        "precision": (c.tp, c.tp + c.fp),
        "recall": (c.tp, c.tp + c.fn),
        "specificity": (c.tn, c.tn + c.fp),
        "accuracy": (c.tp + c.tn, c.tn + c.fp + c.fn + c.tp),
    }
    k, n = pairs[metric]
    return int(k), int(n)


def _values(cells: Floats, metric: CountMetric, costs: Costs, rng: np.random.Generator, resamples: int) -> Floats:
    drawn = rng.multinomial(int(cells.sum()), cells.ravel() / cells.sum(), size=resamples)
    tn, fp, fn, tp = drawn.T.astype(np.float64)
    return evaluate(metric, Confusion(tn, fp, fn, tp), costs)
