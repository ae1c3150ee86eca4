"""Edges between which a reference's values are counted, so that distances of distributions can be read off the counts.

Between two neighbouring edges lies at most 1/2,000 of the reference, or a single value: what the Kolmogorov-Smirnov
distance loses is at most 5e-4. Edges in and beyond the tails are there for Wasserstein's distance: with quantiles alone
a heavy tail would be cut off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 2_000
_TAIL = 20
_BEYOND = 2.0 ** np.arange(-3, 9)


def edges_of(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Increasing edges for values that are sorted and hold neither NaN nor infinity.

    Args:
        values: Sorted, shape (n,), n >= 1.
    """
    n = len(values)
    ranks = np.unique(np.ceil(np.arange(1, BINS) * n / BINS).astype(np.int64) - 1) if n >= BINS else np.arange(n)
    quantiles = np.unique(np.concatenate([values[ranks], values[[0, -1]]]))
    # Where a value alone fills a bin, an edge just below it keeps its mass apart from what is smaller.
    below = np.nextafter(quantiles, -np.inf)
    upto = np.searchsorted(values, quantiles, side="right")
    frequent = upto - np.searchsorted(values, quantiles, side="left") >= max(n / BINS, 1) - 1e-9
    frequent[0] = True
    edges = np.concatenate([quantiles, below[frequent], _tails(quantiles)])
    return np.unique(edges[np.isfinite(edges)])


def _tails(quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges between the outermost quantiles, growing away from the middle, and beyond the extremes."""
    low, high = quantiles[0], quantiles[-1]
    span = high - low if high > low else max(abs(high), 1.0)
    steps = np.geomspace(1e-3, 1.0, _TAIL)
    inner_high = quantiles[-2] + (high - quantiles[-2]) * steps if len(quantiles) > 1 else quantiles[:0]
    inner_low = quantiles[1] - (quantiles[1] - low) * steps if len(quantiles) > 1 else quantiles[:0]
    return np.concatenate([inner_high, inner_low, high + span * _BEYOND, low - span * _BEYOND])


def lost(edges: NDArray[np.float64], counts: NDArray[np.int64]) -> float:
    """The largest share of the reference that lies strictly inside a bin: the error bound of a distance read off it."""
    single = np.zeros(len(counts), dtype=bool)
    single[1:-1] = np.nextafter(edges[1:], -np.inf) <= edges[:-1]
    inside = np.where(single, 0, counts)
    return float(inside.max() / max(int(counts.sum()), 1))
