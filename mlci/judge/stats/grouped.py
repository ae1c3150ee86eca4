"""Rows that come in groups (several per user, per day): groups, not rows, are what was sampled.

Everything is computed from sums per group. The estimate is a ratio of sums, so groups may differ in size. With few
groups two answers are computed, the cluster-robust t and the BCa bootstrap over groups, and the more careful one is
taken.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from mlci.judge.stats.bca import RESAMPLES, bootstrap_ratio
from mlci.judge.stats.losses import MOST_FOR_BOOTSTRAP
from mlci.judge.stats.paired import accuracy_change
from mlci.judge.stats.student import mean_test, skewness, t_suffices
from mlci.nouns.change import Bounds, Change, Good, TooFew, sign

FEWEST_GROUPS = 30


def group_sums(group: npt.NDArray[np.int64], *values: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], ...]:
    """Sum each vector by group, after the rows per group.

    Args:
        group: codes from 0, shape (n,); codes that do not occur are left out of the answer.
        *values: vectors of shape (n,).
    """
    rows = np.bincount(group).astype(np.float64)
    there = rows > 0
    sums = [np.bincount(group, weights=np.asarray(v, dtype=np.float64)) for v in values]
    return (rows[there], *(np.asarray(s[there], dtype=np.float64) for s in sums))


def grouped_change(
    rows: npt.ArrayLike,
    old: npt.ArrayLike,
    new: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    good: Good = "down",
    alpha: float = 0.05,
    beta: float = 0.05,
    resamples: int = RESAMPLES,
) -> Change | TooFew:
    """The change of a mean over rows, from the sums per group.

    Args:
        rows: rows of each group, shape (groups,), positive.
        old: sum of the old model's losses in each group.
        new: sum of the new model's.
        rng: the caller's generator.
        good: down for a loss, up for a gain.
        alpha: of the upper bound of the gain.
        beta: of the lower bound of the gain.
        resamples: of the bootstrap.

    Raises:
        ValueError: a sum is not finite.

    Source: the ratio estimator's linearised variance, Cochran (1977), Sampling Techniques, eq. 9A.13 and 6.13.
    """
    size, before, after = (np.asarray(x, dtype=np.float64) for x in (rows, old, new))
    if not (np.isfinite(before).all() and np.isfinite(after).all()):
        raise ValueError("losses hold NaN or infinities")
    groups, n = int(size.size), int(size.sum())
    if groups < FEWEST_GROUPS:
        return TooFew(what="groups", seen=groups, needed=FEWEST_GROUPS)
    gains = sign(good) * (after - before)
    gain = float(gains.sum() / n)
    influence = gains - gain * size
    error = math.sqrt(groups / (groups - 1) * float(np.sum(influence**2))) / n
    skew = skewness(influence)
    bounds, p, method = mean_test(gain, error, groups, skew, alpha=alpha, beta=beta)
    method = f"cluster-robust {method}"
    if not t_suffices(groups, skew) and groups <= MOST_FOR_BOOTSTRAP:
        drawn = bootstrap_ratio(gains, size, rng, resamples)
        bounds = Bounds(min(bounds.lower, drawn.bound(beta)), max(bounds.upper, drawn.bound(1 - alpha)))
        p, method = max(p, drawn.p_at_least(0.0)), f"{method}, BCa over groups"
    low, high = bounds.natural(good)
    return Change(
        old=float(before.sum() / n),
        new=float(after.sum() / n),
        change=sign(good) * gain,
        good=good,
        low=low,
        high=high,
        p=p,
        n=n,
        variance=n * error**2,
        method=method,
    )


def grouped_accuracy_change(
    rows: npt.ArrayLike,
    both_right: npt.ArrayLike,
    gained: npt.ArrayLike,
    lost: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    alpha: float = 0.05,
    beta: float = 0.05,
    resamples: int = RESAMPLES,
) -> Change | TooFew:
    """The change of a share of right rows, from the paired tables of the groups (arguments of shape (groups,)).

    Never surer than the same rows without groups: a sample with hardly a discordant row has hardly a variance
    between groups, and the exact test and Tango's bound know better.
    """
    size, right, g, ell = (np.asarray(x, dtype=np.float64) for x in (rows, both_right, gained, lost))
    seen = grouped_change(size, right + ell, right + g, rng, good="up", alpha=alpha, beta=beta, resamples=resamples)
    if isinstance(seen, TooFew):
        return seen
    wrong = size - right - g - ell
    cells = (int(x.sum()) for x in (right, g, ell, wrong))
    plain = accuracy_change(*cells, alpha=alpha, beta=beta)
    if isinstance(plain, TooFew):  # fewer rows than groups: some groups hold none
        return plain
    return seen.model_copy(
        update={
            "low": min(seen.low, plain.low),
            "high": max(seen.high, plain.high),
            "p": max(seen.p, plain.p),
            "smallest_p": plain.smallest_p,
            "variance": max(seen.variance, plain.variance),
            "discordant": plain.discordant,
            "method": f"{seen.method}, not surer than {plain.method}",
        }
    )
