"""What a test set can see, and how much more of it would settle a check."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, ndtri, xlog1py, xlogy

from mlci.judge.stats.paired import Floats, at_least, mcnemar_mid_p

USUAL_POWER = 0.8
_TAIL = 6.0  # standard deviations of the number of discordant rows that are summed over: 2e-9 is left out
_NEAR = 4
_MOST_ROWS = 10**12  # more than anybody has is no advice
_HALVINGS = 16  # to a hundred-thousandth of the drop
_MANY_DISCORDANT = 2000  # from here on the normal formula is right to .5 %


class Further(NamedTuple):
    """What would settle an inconclusive check."""

    rows: int
    """Further rows, of which the models only need to be run on all."""
    labels: int
    """Of those, rows on which the models disagree: the only ones that need a label."""


def further_rows(
    variance: float,
    n: int,
    tolerance: float,
    *,
    beta: float = 0.05,
    power: float = USUAL_POWER,
    label_share: float = 1.0,
) -> Further | None:
    """Rows to add so that an equally good model passes with this power: ceil(q (z_beta + z_power)^2 / m^2) - n.

    Args:
        variance: of the per-row difference; for right and wrong it is q, the share of discordant rows.
        n: rows so far.
        tolerance: m > 0, in the metric's units; with m = 0 no number of rows settles it and the answer is None.
        beta: the risk of passing a drop of m.
        power: probability of passing when there is no change.
        label_share: share of rows that need a label; q for right and wrong.

    >>> further_rows(102 / 2000, 2000, 0.01, label_share=102 / 2000)
    Further(rows=1154, labels=59)
    """
    if tolerance <= 0:
        return None
    needed = math.ceil(variance * (float(ndtri(power)) - float(ndtri(beta))) ** 2 / tolerance**2)
    rows = max(0, needed - n)
    return Further(rows, math.ceil(rows * min(label_share, 1.0)))


def rows_to_tell(
    gain: float,
    variance: float,
    n: int,
    tolerance: float,
    *,
    alpha: float,
    beta: float,
    power: float = USUAL_POWER,
    label_share: float = 1.0,
) -> Further | None:
    """Rows to add until 'no better' or 'better by the tolerance' is rejected with this power, whichever is wrong.

    Given what the rows so far show: the further ones have a mean gain of 0, which must end below the tolerance at
    `alpha`, or of the tolerance, which must end above 0 at `beta`. The larger number of the two.

    Args:
        gain: mean of the rows so far.
        variance: per row.
        n: rows so far.
        tolerance: m > 0; with m = 0 nothing tells the two apart and the answer is None.
        alpha: of the upper bound, after the correction for all checks.
        beta: of the lower bound.
        power: probability of either.
        label_share: share of rows that need a label.
    """
    if tolerance <= 0:
        return None
    z, spread = float(ndtri(power)), math.sqrt(variance)

    def told(more: int) -> bool:
        rows = n + more
        luck = z * spread * math.sqrt(more) / rows
        reach = spread / math.sqrt(rows)
        as_good = gain * n / rows + luck - float(ndtri(alpha)) * reach < tolerance
        return as_good and (gain * n + tolerance * more) / rows - luck + float(ndtri(beta)) * reach > 0

    low, high = 0, 1
    while not told(high):
        low, high = high, 2 * high
        if high > _MOST_ROWS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if told(middle) else (middle, high)
    return Further(high, math.ceil(high * min(label_share, 1.0)))


def smallest_drop(n: int, discordant_share: float, *, alpha: float = 0.05, power: float = USUAL_POWER) -> float:
    """The smallest drop of a share of right rows that McNemar's mid-p at alpha catches with this power.

    Exact, by summing over the number of discordant rows. For the first of K slices take alpha / K (Holm's first step).
    A drop of d needs at least d discordant rows, so the share is raised to d where it is lower.

    Returns:
        The drop as a share (0.024 is 2.4 points); inf if even the loss of every row would be missed.
    """
    if n * discordant_share > _MANY_DISCORDANT:
        return smallest_drop_normal(discordant_share, n, alpha=alpha, power=power)
    low, high = 0.0, min(1.0, max(1 / n, smallest_drop_normal(discordant_share, n, alpha=alpha, power=power)))
    while _power(high, n, discordant_share, alpha) < power:
        if high == 1:
            return math.inf
        low, high = high, min(1.0, 2 * high + 1 / n)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _power(middle, n, discordant_share, alpha) >= power:
            high = middle
        else:
            low = middle
    return high


def smallest_drop_normal(variance: float, n: int, *, alpha: float = 0.05, power: float = USUAL_POWER) -> float:
    """The same for any metric whose estimate is about normal, from its variance per row."""
    return (float(ndtri(1 - alpha)) + float(ndtri(power))) * math.sqrt(variance / n)


def _power(drop: float, n: int, share: float, alpha: float) -> float:
    """P(mid-p <= alpha) where the true change is -drop and `share` of the rows are discordant."""
    q = max(share, drop)
    spread = _TAIL * math.sqrt(n * q * (1 - q)) + _TAIL
    discordant = np.arange(max(0, math.floor(n * q - spread)), min(n, math.ceil(n * q + spread)) + 1)
    critical = _critical_lost(discordant.astype(np.float64), alpha)
    caught = at_least(critical, discordant, (q + drop) / (2 * q))
    return float(np.dot(_binomial(discordant, n, q), caught))


def _critical_lost(discordant: Floats, alpha: float) -> Floats:
    """The smallest number of lost rows whose mid-p is <= alpha; more than all where no number is."""
    # The binomial is symmetric: its normal quantile is off by a fraction of a row, or by few rows where there are few.
    near: Floats = np.floor((discordant - float(ndtri(alpha)) * np.sqrt(discordant)) / 2)
    low, high = np.maximum(near - _NEAR, np.floor(discordant / 2)), np.minimum(near + _NEAR, discordant + 1)
    high = np.maximum(high, low)
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        rejects = mcnemar_mid_p(discordant - middle, middle) <= alpha
        low, high = np.where(rejects, low, middle), np.where(rejects, middle, high)
    return high


def _binomial(k: npt.NDArray[np.int64], n: int, q: float) -> Floats:
    """Probabilities of Bin(n, q) at k."""
    choose: Floats = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return np.asarray(np.exp(choose + xlogy(k, q) + xlog1py(n - k, -q)), dtype=np.float64)
