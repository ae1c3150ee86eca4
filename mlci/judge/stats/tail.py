"""The tail of a bootstrap, beyond what its resamples show.

10,000 resamples tell no probability below one in 10,000, and the correction for many checks, a late look or a risk that
is shared by many uses asks for smaller ones. Sums of many rows have a log-concave distribution, and so, nearly, have
smooth functions of them: the logarithm of the tail bends down, and stays below the line through any two of its points.
That line, through the 5 and the 1 percent points, is what is told instead. It errs on the careful side: at 5 standard
errors it says 2 in 100,000 where the normal distribution says 3 in 10 million.

Source: Bagnoli and Bergstrom (2005), Economic Theory 26:445-469, theorem 3; that tails of resamples are better
extended than counted: Knijnenburg et al. (2009), Bioinformatics 25:i161-i168.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FEW = 10
"""Of fewer resamples beyond a point, the line is asked."""
LEAST = 1e-12
"""No smaller probability is told."""
_NEAR, _FAR = 0.05, 0.01


def at_least(values: Floats, at: float) -> float:
    """The share of a distribution that lies at or above a point, from its resamples, counting the sample itself.

    >>> z = np.random.default_rng(1).normal(size=10_000)
    >>> [f"{at_least(z, at):.0e}" for at in (0.0, 3.0, 5.0)]
    ['5e-01', '2e-03', '2e-05']
    """
    counted = int(np.count_nonzero(values >= at))
    far, slope = _line(-values) if counted < FEW else (0.0, 0.0)
    if not slope:
        return (1 + counted) / (values.size + 1)
    beyond = _FAR * math.exp(-slope * (far + at))
    return max(LEAST, min((1 + FEW) / (values.size + 1), beyond))


def lower_quantile(values: Floats, level: float) -> float:
    """The point below which at most a share `level` of the distribution lies, from its resamples."""
    far, slope = _line(values) if level * values.size < FEW else (0.0, 0.0)
    if not slope:
        return float(np.quantile(values, level, method="lower"))
    shown = float(np.quantile(values, FEW / values.size, method="lower"))
    return min(shown, far - math.log(_FAR / max(level, LEAST)) / slope)


def _line(values: Floats) -> tuple[float, float]:
    """The 1 percent point, and how fast the logarithm of the lower tail falls there; 0 where nobody can tell."""
    if values.size < FEW / _FAR:
        return 0.0, 0.0
    near, far = (float(each) for each in np.quantile(values, [_NEAR, _FAR], method="lower"))
    known = math.isfinite(near) and math.isfinite(far) and near > far
    return far, math.log(_NEAR / _FAR) / (near - far) if known else 0.0
