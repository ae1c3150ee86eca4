"""The bias-corrected and accelerated bootstrap: bounds and, by inverting them, a p-value.

`scipy.stats.bootstrap` gives the same bounds but no p-value, takes two seconds to import, and holds all
resamples at once unless told not to.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from mlci.judge.stats.tail import FEW, LEAST, at_least, lower_quantile

Floats = npt.NDArray[np.float64]

RESAMPLES = 10_000
_FARTHEST = 0.5
_CELLS_AT_ONCE = 1_000_000  # 8 MB of indices and 8 MB of values


class Bca(NamedTuple):
    """A bootstrap distribution and its two corrections."""

    resampled: Floats
    """Sorted estimates of the resamples."""
    bias: float
    acceleration: float

    def bound(self, level: float) -> float:
        """The end of the one-sided interval below which the parameter lies with probability `level`.

        Source: Efron (1987), JASA 82:171-185, eq. 2.3.
        """
        z = self.bias + float(ndtri(level))
        at = self.bias + z / (1 - self.acceleration * z)
        if min(ndtr(at), ndtr(-at)) * self.resampled.size >= FEW:
            return float(np.quantile(self.resampled, float(ndtr(at))))
        if at < 0:
            return lower_quantile(self.resampled, float(ndtr(at)))
        return -lower_quantile(-self.resampled, float(ndtr(-at)))

    def p_at_least(self, value: float) -> float:
        """One-sided p of 'the parameter is at least `value`': the level at which the upper bound is the value."""
        size = self.resampled.size
        left, right = (int(np.searchsorted(self.resampled, value, side=side)) for side in ("left", "right"))
        above = size - (left + right) / 2
        beyond = at_least(self.resampled, value) if size - left < FEW else min(above, size * size / (size + 1)) / size
        w = -float(ndtri(beyond)) - self.bias
        if self.acceleration < 0:
            # Beyond, the transform turns back: it says nothing of so far a tail.
            w = min(w, _FARTHEST / -self.acceleration)
        z = w / (1 + self.acceleration * w) - self.bias
        return float(np.clip(ndtr(-z), LEAST, 1.0))


def bootstrap_ratio(top: Floats, bottom: Floats, rng: np.random.Generator, resamples: int = RESAMPLES) -> Bca:
    """Bootstrap sum(top) / sum(bottom) over units (rows or groups); with a bottom of ones it is a mean.

    Memory stays at about 20 MB: resamples are drawn in batches.

    Args:
        top: numerators, shape (units,).
        bottom: denominators, shape (units,), positive.
        rng: the caller's generator.
        resamples: B.
    """
    estimate = float(top.sum() / bottom.sum())
    step = max(1, _CELLS_AT_ONCE // top.size)
    resampled = np.empty(resamples)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = rng.integers(0, top.size, size=(size, top.size))
        resampled[start : start + size] = top[drawn].sum(axis=1) / bottom[drawn].sum(axis=1)
    resampled.sort()
    return Bca(resampled, _bias(resampled, estimate), _acceleration(top, bottom))


def _bias(resampled: Floats, estimate: float) -> float:
    """Efron's z0, ties with the estimate counted half; 0 where all resamples agree."""
    below = np.searchsorted(resampled, estimate, side="left") + np.searchsorted(resampled, estimate, side="right")
    share = below / (2 * resampled.size)
    return float(ndtri(np.clip(share, 1 / (resampled.size + 1), resampled.size / (resampled.size + 1))))


def _acceleration(top: Floats, bottom: Floats) -> float:
    """A sixth of the skewness of the jackknife's influences."""
    without = (top.sum() - top) / (bottom.sum() - bottom)
    away = without.mean() - without
    spread = float(np.sum(away**2)) ** 1.5
    return float(np.sum(away**3)) / (6 * spread) if spread > 0 else 0.0
