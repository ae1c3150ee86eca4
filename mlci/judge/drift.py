"""Whether data has drifted: the lower bound of an effect size against a tolerance, never a p-value.

With enough rows every difference is significant, and with few every distance is large by chance: only a lower bound of
the distance tells whether the data has moved by more than somebody allows.
"""

from __future__ import annotations

import math

from scipy.special import chndtr, ndtri

_LARGE = 1e4
"""From here on the noncentral chi-square distribution is taken for normal; its series gets slow."""
_HALVINGS = 80


def ks_margin(rows: int, reference: int, alpha: float) -> float:
    """How far the Kolmogorov-Smirnov distance of two samples may exceed that of their populations.

    With probability 1 - alpha it exceeds it by no more than e(n) + e(m), e(n) = sqrt(ln(4 / alpha) / 2n): the
    Dvoretzky-Kiefer-Wolfowitz inequality with Massart's constant, for each sample at alpha / 2.

    >>> round(ks_margin(500, 500, 0.05), 4)
    0.1324
    """
    return sum(math.sqrt(math.log(4 / alpha) / (2 * n)) for n in (rows, reference))


def psi_lower(psi: float, bins: int, rows: int, reference: int, alpha: float) -> float:
    """The (1 - alpha) lower bound of the populations' stability index.

    n_e PSI is distributed about as noncentral chi-square with bins - 1 degrees of freedom and noncentrality n_e psi,
    n_e = n m / (n + m) (Yurdakul 2018): the bound is the psi for which what was seen is the (1 - alpha) quantile.

    Args:
        psi: The index of the samples.
        bins: Categories, at least 1.
        rows: Rows now.
        reference: Rows of the reference.
        alpha: One minus the confidence.
    """
    effective = rows * reference / (rows + reference)
    seen, freedom = effective * psi, bins - 1
    if freedom < 1:
        return 0.0
    return noncentrality(seen, freedom, 1 - alpha) / effective


def noncentrality(seen: float, freedom: int, quantile: float) -> float:
    """The noncentrality of which `seen` is the quantile; 0 where even the central distribution has a larger one."""
    if seen > _LARGE:
        # seen = f + c + z sqrt(2 (f + 2c)), solved for s = sqrt(f + 2c).
        z = float(ndtri(quantile))
        root = -z * math.sqrt(2) + math.sqrt(2 * z * z + 2 * (seen - freedom / 2))
        return max((root * root - freedom) / 2, 0.0)
    low, high = 0.0, seen
    if chndtr(seen, freedom, 0.0) <= quantile:
        return 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if chndtr(seen, freedom, middle) > quantile else (low, middle)
    return low
