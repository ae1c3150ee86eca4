"""Per-row losses (log loss, Brier, absolute error, cost): paired t where it is right, else the BCa bootstrap."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from mlci.judge.stats.bca import RESAMPLES, bootstrap_ratio
from mlci.nouns.change import Bounds, Change, Good, TooFew, sign

FEWEST_ROWS = 30
_FEWEST_FOR_T = 100
_COCHRAN = 25
_MOST_FOR_BOOTSTRAP = 20_000  # 10,000 resamples of as many take about two seconds


def t_suffices(n: int, skewness: float) -> bool:
    """Whether Student's t is trusted for a mean: at least 100 values, and more than 25 times their squared skewness.

    Source: Cochran (1977), Sampling Techniques, 3rd ed., eq. 2.22.
    """
    return n >= _FEWEST_FOR_T and n > _COCHRAN * skewness**2


def t_bounds(gain: float, error: float, freedom: int, *, alpha: float, beta: float) -> Bounds:
    """One-sided (1 - beta) lower and (1 - alpha) upper bound of a gain with this standard error."""
    return Bounds(gain + float(stdtrit(freedom, beta)) * error, gain - float(stdtrit(freedom, alpha)) * error)


def t_p(gain: float, error: float, freedom: int) -> float:
    """One-sided p of 'no worse'; without any spread the sign of the gain decides, and no gain is .5."""
    if error == 0:
        return 0.5 * (1 + float(np.sign(gain)))
    return float(stdtr(freedom, gain / error))


def loss_change_from_sums(
    old: float,
    new: float,
    n: int,
    variance: float,
    *,
    good: Good = "down",
    alpha: float = 0.05,
    beta: float = 0.05,
) -> Change | TooFew:
    """The change of a mean loss from what one scan can sum up, by the paired t-test.

    Args:
        old: mean loss of the old model.
        new: mean loss of the new model, on the same rows.
        n: rows.
        variance: of the per-row differences new - old, with n - 1 in the denominator.
        good: down for a loss, up for a gain such as a profit.
        alpha: of the upper bound of the gain.
        beta: of the lower bound of the gain.

    Raises:
        ValueError: a statistic is not finite (a log loss of an impossible label is infinite: clip the probabilities).
    """
    if not all(math.isfinite(x) for x in (old, new, variance)):
        raise ValueError("losses hold NaN or infinities")
    if n < FEWEST_ROWS:
        return TooFew(what="rows", seen=n, needed=FEWEST_ROWS)
    gain, error = sign(good) * (new - old), math.sqrt(variance / n)
    low, high = t_bounds(gain, error, n - 1, alpha=alpha, beta=beta).natural(good)
    return Change(
        old=old,
        new=new,
        change=new - old,
        good=good,
        low=low,
        high=high,
        p=t_p(gain, error, n - 1),
        n=n,
        variance=variance,
        method="paired t",
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
    """The change of a mean loss from its rows: paired t where it suffices, else the BCa bootstrap.

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
    difference = after - before
    seen = loss_change_from_sums(
        float(before.mean()),
        float(after.mean()),
        n,
        float(difference.var(ddof=1)),
        good=good,
        alpha=alpha,
        beta=beta,
    )
    if isinstance(seen, TooFew) or n > _MOST_FOR_BOOTSTRAP or t_suffices(n, skewness(difference)):
        return seen
    drawn = bootstrap_ratio(sign(good) * difference, np.ones(n), rng, resamples)
    low, high = Bounds(drawn.bound(beta), drawn.bound(1 - alpha)).natural(good)
    return seen.model_copy(update={"low": low, "high": high, "p": drawn.p_at_least(0.0), "method": "BCa bootstrap"})


def skewness(x: npt.NDArray[np.float64]) -> float:
    """Third central moment over the cube of the standard deviation; 0 for a constant."""
    away = x - x.mean()
    spread = float(np.mean(away**2))
    return float(np.mean(away**3)) / spread**1.5 if spread > 0 else 0.0
