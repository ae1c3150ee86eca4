"""The centre of paired differences without any assumption but symmetry: Wilcoxon's signed ranks.

Source: Hollander and Wolfe 1973, Nonparametric Statistical Methods, 3.1 to 3.3: the estimate of Hodges and Lehmann is
the median of the Walsh averages, and Tukey's interval ends at two of them that the exact distribution of the signed
rank statistic names.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class Centre(NamedTuple):
    """An estimate, and the ends of its interval; infinite where there are too few values for one."""

    estimate: float
    low: float
    high: float


def centre(values: ArrayLike, alpha: float) -> Centre:
    """Estimate the centre of symmetry.

    Args:
        values: Differences, shape [n].
        alpha: Chance, on each side, that the interval leaves the centre out.

    >>> depression = [-.952, .147, -1.022, -.430, -.620, -.590, -.490, .080, -.010]  # Hollander and Wolfe, table 3.1
    >>> [round(float(each), 3) for each in centre(depression, .02)]
    [-0.46, -0.786, -0.01]
    """
    seen = np.asarray(values, dtype=np.float64)
    above, below = np.triu_indices(seen.size)
    walsh = np.sort((seen[above] + seen[below]) / 2)
    place = _place(seen.size, alpha)
    if place == 0:
        return Centre(float(np.median(walsh)), -math.inf, math.inf)
    return Centre(float(np.median(walsh)), float(walsh[place - 1]), float(walsh[-place]))


def _place(n: int, alpha: float) -> int:
    """The largest k with P(T < k) <= alpha, where T is the sum of the positive ranks if chance gives the signs."""
    counts = np.zeros(n * (n + 1) // 2 + 1)
    counts[0] = 1
    for rank in range(1, n + 1):
        counts[rank:] = counts[rank:] + counts[: counts.size - rank]
    return int(np.searchsorted(np.cumsum(counts) / 2.0**n, alpha * (1 + 1e-12), side="right"))
