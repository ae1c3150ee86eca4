"""Per-row losses (log loss, Brier, absolute error, cost): paired t, or a test that minds skewness."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from mlci.judge.stats.bca import RESAMPLES, bootstrap_ratio
from mlci.judge.stats.student import mean_test, skewness, t_suffices
from mlci.nouns.change import Bounds, Change, Good, TooFew, sign

FEWEST_ROWS = 30
_NOT_FINITE = "losses hold NaN or infinities"
MOST_FOR_BOOTSTRAP = 2000  # 10,000 resamples of as many take .2 s, and Hall's correction is as good from here on


def loss_change_from_sums(
    old: float,
    new: float,
    n: int,
    variance: float,
    *,
    skew: float = 0.0,
    good: Good = "down",
    alpha: float = 0.05,
    beta: float = 0.05,
) -> Change | TooFew:
    """The change of a mean loss from what one scan can sum up, by the paired t-test, corrected for skewness.

    Args:
        old: mean loss of the old model.
        new: mean loss of the new model, on the same rows.
        n: rows.
        variance: of the per-row differences new - old, with n - 1 in the denominator.
        skew: skewness of the per-row differences new - old.
        good: down for a loss, up for a gain such as a profit.
        alpha: of the upper bound of the gain.
        beta: of the lower bound of the gain.

    Raises:
        ValueError: a statistic is not finite (a log loss of an impossible label is infinite: clip the probabilities).
    """
    if not all(math.isfinite(x) for x in (old, new, variance, skew)):
        raise ValueError(_NOT_FINITE)
    if n < FEWEST_ROWS:
        return TooFew(what="rows", seen=n, needed=FEWEST_ROWS)
    gain, error = sign(good) * (new - old), math.sqrt(variance / n)
    test = mean_test(gain, error, n, sign(good) * skew, alpha=alpha, beta=beta)
    low, high = test.bounds.natural(good)
    return Change(
        old=old,
        new=new,
        change=new - old,
        good=good,
        low=low,
        high=high,
        p=test.p,
        n=n,
        variance=variance,
        method=f"paired {test.method}",
    )


def loss_change(
    old: npt.ArrayLike,
    new: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    good: Good = "down",
    alpha: float = 0.05,
    beta: float = 0.05,
    resamples: int = RESAMPLES,
) -> Change | TooFew:
    """The change of a mean loss from its rows: paired t, or the BCa bootstrap where rows are skewed.

    Above `MOST_FOR_BOOTSTRAP` rows Hall's correction of t takes the bootstrap's place.

    Args:
        old: losses of the old model, shape (n,).
        new: losses of the new model on the same rows, shape (n,).
        rng: the caller's generator; the same seed gives the same answer.
        good: down for a loss, up for a gain.
        alpha: of the upper bound of the gain.
        beta: of the lower bound of the gain.
        resamples: of the bootstrap.

    Raises:
        ValueError: a loss is not finite.
    """
    before, after = np.asarray(old, dtype=np.float64), np.asarray(new, dtype=np.float64)
    n = int(before.size)
    if n < FEWEST_ROWS:
        return TooFew(what="rows", seen=n, needed=FEWEST_ROWS)
    if not (np.isfinite(before).all() and np.isfinite(after).all()):
        raise ValueError(_NOT_FINITE)
    difference = after - before
    skew = skewness(difference)
    seen = loss_change_from_sums(
        float(before.mean()),
        float(after.mean()),
        n,
        float(difference.var(ddof=1)),
        skew=skew,
        good=good,
        alpha=alpha,
        beta=beta,
    )
    if isinstance(seen, TooFew) or n > MOST_FOR_BOOTSTRAP or t_suffices(n, skew):
        return seen
    drawn = bootstrap_ratio(sign(good) * difference, np.ones(n), rng, resamples)
    low, high = Bounds(drawn.bound(beta), drawn.bound(1 - alpha)).natural(good)
    return seen.model_copy(update={"low": low, "high": high, "p": drawn.p_at_least(0.0), "method": "BCa bootstrap"})
