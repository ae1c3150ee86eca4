"""Per-row right or wrong, both models on the same rows: McNemar's mid-p, Tango's score interval, Newcombe's interval.

Every function takes counts: `gained` rows that only the new model has right, `lost` rows that only the old one has
right, `n` rows in all. All but the noun at the end work on numpy arrays, elementwise.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, ndtri

from mlci.nouns.change import Bounds, Change, TooFew

Counts = npt.ArrayLike
Floats = npt.NDArray[np.float64]

FEWEST_ROWS = 30
_HALVINGS = 60  # of an interval no longer than 2: well below what a double can tell apart


def mcnemar_mid_p(gained: Counts, lost: Counts) -> Floats:
    """One-sided mid-p of 'the new model is no worse': P(X > lost) + P(X = lost) / 2, X ~ Bin(gained + lost, 1/2).

    Without a discordant row it is .5, by the same formula: nothing speaks for either side.
    Source: Fagerland, Lydersen, Laake (2013), BMC Medical Research Methodology 13:91.

    >>> float(mcnemar_mid_p(5, 19).round(5))
    0.00204
    """
    g, ell = np.broadcast_arrays(np.asarray(gained, dtype=np.float64), np.asarray(lost, dtype=np.float64))
    return np.asarray((at_least(ell, g + ell) + at_least(ell + 1, g + ell)) / 2, dtype=np.float64)


def mcnemar_mid_p_two_sided(gained: Counts, lost: Counts) -> Floats:
    """Two-sided mid-p of 'both models are equally good': twice the smaller one-sided mid-p."""
    p: Floats = np.minimum(1.0, 2 * np.minimum(mcnemar_mid_p(gained, lost), mcnemar_mid_p(lost, gained)))
    return p


def mcnemar_exact_two_sided(gained: Counts, lost: Counts) -> Floats:
    """Two-sided exact conditional p (a sign test): never below the mid-p."""
    g, ell = np.asarray(gained, dtype=np.float64), np.asarray(lost, dtype=np.float64)
    p: Floats = np.minimum(1.0, 2 * at_least(np.maximum(g, ell), g + ell))
    return p


def smallest_mid_p(gained: Counts, lost: Counts) -> Floats:
    """The smallest one-sided mid-p that this many discordant rows allow, .5 ** (gained + lost + 1)."""
    return np.asarray(np.exp2(-(np.asarray(gained, dtype=np.float64) + np.asarray(lost) + 1)), dtype=np.float64)


def tango_score(gained: Counts, lost: Counts, n: Counts, d0: npt.ArrayLike) -> Floats:
    """Tango's score statistic z of 'the true difference new - old is d0', positive where the sample lies above d0.

    Source: Tango (1998), Statistics in Medicine 17:891-908, with q the
    probability of a lost row, estimated under that difference.
    """
    g, ell = np.asarray(gained, dtype=np.float64), np.asarray(lost, dtype=np.float64)
    rows, delta = np.asarray(n, dtype=np.float64), np.asarray(d0, dtype=np.float64)
    a = 2 * rows
    b = -g - ell + (2 * rows - g + ell) * delta
    c = -ell * delta * (1 - delta)
    root = np.sqrt(np.maximum(b * b - 4 * a * c, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        # The two forms are equal; each is free of cancellation on its side.
        q = np.where(b > 0, -2 * c / (b + root), (root - b) / (2 * a))
        above = g - ell - rows * delta
        z = above / np.sqrt(np.maximum(rows * (2 * q + delta * (1 - delta)), 0.0))
    return np.where(above == 0, 0.0, z)


def tango_lower(gained: Counts, lost: Counts, n: Counts, beta: float) -> Floats:
    """One-sided (1 - beta) lower bound of the difference new - old: the d0 at which Tango's z is z_(1 - beta)."""
    g, ell, rows = np.broadcast_arrays(*(np.asarray(x, dtype=np.float64) for x in (gained, lost, n)))
    z = -float(ndtri(beta))
    low, high = np.full(rows.shape, -1.0), (g - ell) / rows
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        too_low = tango_score(g, ell, rows, middle) > z
        low, high = np.where(too_low, middle, low), np.where(too_low, high, middle)
    return np.asarray(low, dtype=np.float64)


def tango_upper(gained: Counts, lost: Counts, n: Counts, alpha: float) -> Floats:
    """One-sided (1 - alpha) upper bound: the mirror image of the lower one."""
    return -tango_lower(lost, gained, n, alpha)


def tango_interval(gained: int, lost: int, n: int, level: float = 0.95) -> Bounds:
    """Two-sided interval of the difference new - old."""
    tail = (1 - level) / 2
    return Bounds(float(tango_lower(gained, lost, n, tail)), float(tango_upper(gained, lost, n, tail)))


def newcombe_interval(both_right: int, gained: int, lost: int, both_wrong: int, level: float = 0.95) -> Bounds:
    """Newcombe's square-and-add interval of the difference new - old, for reports: it needs no root finding.

    Source: Newcombe (1998), Statistics in Medicine 17:2635-2650, method 10 (with the corrected phi).
    """
    n = both_right + gained + lost + both_wrong
    z = float(ndtri((1 + level) / 2))
    old, new = both_right + lost, both_right + gained
    old_low, old_high = _wilson(old, n, z)
    new_low, new_high = _wilson(new, n, z)
    phi = _corrected_phi(both_right, gained, lost, both_wrong)
    difference = (new - old) / n

    def reach(one: float, other: float) -> float:
        return float(np.sqrt(max(one * one - 2 * phi * one * other + other * other, 0.0)))

    return Bounds(
        difference - reach(new / n - new_low, old_high - old / n),
        difference + reach(new_high - new / n, old / n - old_low),
    )


def accuracy_change(
    both_right: int, gained: int, lost: int, both_wrong: int, *, alpha: float = 0.05, beta: float = 0.05
) -> Change | TooFew:
    """The change of a share of right rows (accuracy, recall and specificity of fixed labels) in a paired table.

    Fail is decided on McNemar's mid-p, pass on Tango's bound, which is why the interval and p do not always agree.
    """
    n = both_right + gained + lost + both_wrong
    if n < FEWEST_ROWS:
        return TooFew(what="rows", seen=n, needed=FEWEST_ROWS)
    return Change(
        old=(both_right + lost) / n,
        new=(both_right + gained) / n,
        change=(gained - lost) / n,
        low=float(tango_lower(gained, lost, n, beta)),
        high=float(tango_upper(gained, lost, n, alpha)),
        p=float(mcnemar_mid_p(gained, lost)),
        smallest_p=float(smallest_mid_p(gained, lost)),
        n=n,
        variance=(gained + lost) / n,
        discordant=(gained, lost),
        method="McNemar mid-p, Tango",
    )


def at_least(k: npt.ArrayLike, n: npt.ArrayLike, share: npt.ArrayLike = 0.5) -> Floats:
    """P(X >= k) for X ~ Bin(n, share): 1 for k <= 0 and 0 for k > n."""
    count, trials = np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64)
    inside = betainc(np.maximum(count, 1.0), np.maximum(trials - count, 0.0) + 1, np.asarray(share, dtype=np.float64))
    return np.asarray(np.where(count <= 0, 1.0, np.where(count > trials, 0.0, inside)), dtype=np.float64)


def _wilson(k: int, n: int, z: float) -> tuple[float, float]:
    """Wilson's score interval of a share."""
    share, spread = k / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    reach = float(np.sqrt(spread * share * (1 - share) + spread * spread / 4)) / (1 + spread)
    return middle - reach, middle + reach


def _corrected_phi(a: int, b: int, c: int, d: int) -> float:
    """The correlation of both models' being right, with Newcombe's continuity correction."""
    product = (a + b) * (c + d) * (a + c) * (b + d)
    if product == 0:
        return 0.0
    excess: float = a * d - b * c
    if excess > 0:
        excess = max(excess - (a + b + c + d) / 2, 0)
    return float(excess / np.sqrt(float(product)))
