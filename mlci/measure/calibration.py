"""How far scores are from the frequencies that they promise: reported, not judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mlci.measure.binned import binned, some

if TYPE_CHECKING:
    import numpy.typing as npt

    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]

BINS = 15
FEWEST_ROWS = 100
RESAMPLES = 2_000
_TAIL = 0.05


class Calibration(NamedTuple):
    """A model's calibration on some rows."""

    ece: float
    """Expected calibration error, corrected for its bias, at least 0."""
    low: float
    """Lower end of the two-sided 90 % interval of the ECE."""
    high: float
    reliability: float
    """Brier score's part due to miscalibration; below 0 where it is less than chance alone would make it."""
    resolution: float
    """The part that the score gains by telling rows apart."""
    uncertainty: float
    """The part that lies in the labels: the variance of a label."""


def calibration(label: Bools, score: Floats, seed: int) -> Calibration | None:
    """Calibration of the scores of the positive class; None for fewer than 100 rows.

    Rows are put in up to 15 bins of about equally many rows by score. The plug-in ECE, the mean over the bins of
    |share of positives - mean score|, is too large, because chance alone makes a difference: the bias that a bootstrap
    of the labels within the bins sees is taken off, and the interval is the basic (reflected) one.

    Args:
        label: Shape (n,).
        score: Shape (n,), in [0, 1].
        seed: Of the bootstrap.

    Source: ECE: Naeini, Cooper, Hauskrecht (2015), AAAI; bins of equal mass: Nixon et al. (2019), CVPR workshops;
    bootstrap estimate of bias and basic interval: Davison and Hinkley (1997), Bootstrap Methods, 2.1 and 5.2.
    Decomposition: Murphy (1973), J. Appl. Meteorology 12:595-600, with the correction of its bias by Ferro and Fricker
    (2012), Q. J. R. Meteorol. Soc. 138:1954-1960. Reliability - resolution + uncertainty is the Brier score but for the
    spread of the scores within bins.
    """
    if label.size < FEWEST_ROWS:
        return None
    rows, said, seen = _bins(label, score)
    share = rows / label.size
    plain = float(np.dot(share, np.abs(seen - said)))
    drawn = np.random.default_rng(seed).binomial(rows.astype(np.int64), seen, size=(RESAMPLES, rows.size)) / rows
    resampled = np.abs(drawn - said) @ share
    high, low = (max(0.0, 2 * plain - float(np.quantile(resampled, tail))) for tail in (_TAIL, 1 - _TAIL))
    mean = float(label.mean())
    chance = float(np.dot(share, np.where(rows > 1, seen * (1 - seen) / np.maximum(rows - 1, 1), 0.0)))
    uncertainty = mean * (1 - mean)
    own = uncertainty / (label.size - 1)
    return Calibration(
        ece=max(0.0, 2 * plain - float(resampled.mean())),
        low=low,
        high=high,
        reliability=float(np.dot(share, (seen - said) ** 2)) - chance,
        resolution=float(np.dot(share, (seen - mean) ** 2)) - chance + own,
        uncertainty=uncertainty + own,
    )


def _bins(label: Bools, score: Floats) -> tuple[Floats, Floats, Floats]:
    """Rows, mean score and share of positives of each bin; rows of one score stay together."""
    edges = np.unique(np.quantile(some(score), np.arange(1, BINS) / BINS, method="inverted_cdf"))
    rows, said, seen = binned(label, score, edges)
    kept = rows > 0
    return rows[kept], said[kept] / rows[kept], seen[kept] / rows[kept]
