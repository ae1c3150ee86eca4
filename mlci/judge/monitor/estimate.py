"""What a metric will be, before its labels are there: scores calibrated on labelled rows.

It sees what a shift of the inputs does to a metric, as far as it moves the scores. It cannot see a change of what the
labels mean for the same inputs: that shows once labels come, as the estimate's error.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import ndtri

from mlci.nouns.monitor import Estimate, Metric

if TYPE_CHECKING:
    import numpy.typing as npt

    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]

BINS = 50
_FEWEST = 20
"""Rows that a bin of the reference holds at least, where there are so many."""
_LEAST = 1e-6
"""Scores are kept this far from 0 and 1, or one row's log loss would be infinite."""


class CalibrationMap(NamedTuple):
    """Share of positives by score, never falling, estimated in bins of about equally many reference rows.

    Attributes:
        edges: Inner edges of the bins; a score on an edge is in the bin below.
        share: Share of positives by bin, isotonic.
        rows: Reference rows by bin; bins that were pooled count together.
        block: For each bin, which pool it is in.
        ends: The lowest and the highest score of the reference.
    """

    edges: Floats
    share: Floats
    rows: Floats
    block: npt.NDArray[np.intp]
    ends: tuple[float, float]


class Payoff(NamedTuple):
    """What a row contributes to a metric if its label is positive, and if it is negative; shape (n,) each."""

    positive: Floats
    negative: Floats


def calibrate(label: Bools, score: Floats, bins: int = BINS) -> CalibrationMap:
    """The map from score to share of positives, on labelled reference rows.

    Source: Zadrozny and Elkan (2002), KDD (isotonic calibration), by pooling adjacent violators (Ayer et al. 1955).

    Args:
        label: Shape (n,), n at least 1.
        score: Shape (n,), of the positive class.
        bins: At most so many.
    """
    count = max(1, min(bins, label.size // _FEWEST))
    edges = np.unique(np.quantile(score, np.arange(1, count) / count, method="inverted_cdf"))
    at = np.searchsorted(edges, score, side="left")
    rows = np.bincount(at, minlength=edges.size + 1).astype(np.float64)
    hits = np.bincount(at, weights=label.astype(np.float64), minlength=edges.size + 1).astype(np.float64)
    block = _pooled(rows.tolist(), hits.tolist())
    pool_rows, pool_hits = (np.bincount(block, weights=each).astype(np.float64) for each in (rows, hits))
    ends = float(score.min()), float(score.max())
    return CalibrationMap(edges, (pool_hits / pool_rows)[block], pool_rows[block], block, ends)


def payoff(metric: Metric, score: Floats, threshold: float = 0.5, costs: tuple[float, float] = (1.0, 1.0)) -> Payoff:
    """What each row is worth by its label.

    Args:
        metric: Accuracy and cost take a row for positive where its score is at least the threshold.
        score: Shape (n,), of the positive class.
        threshold: Of the decision.
        costs: Of a false positive and of a false negative.
    """
    chosen = score >= threshold
    if metric == "accuracy":
        return Payoff(chosen.astype(np.float64), (~chosen).astype(np.float64))
    if metric == "cost":
        false_positive, false_negative = costs
        return Payoff(np.where(chosen, 0.0, false_negative), np.where(chosen, false_positive, 0.0))
    kept = np.clip(score, _LEAST, 1 - _LEAST)
    return Payoff(-np.log(kept), -np.log1p(-kept))


def estimate(known: CalibrationMap, metric: Metric, score: Floats, worth: Payoff, confidence: float = 0.95) -> Estimate:
    """The metric of rows without labels, with the interval in which it should be found once they have them.

    The interval (delta method) counts two things: that the map comes from a sample, and that labels are drawn, each one
    positive with its row's share. It holds where scores mean what they meant in the reference.

    Args:
        known: From labelled reference rows.
        metric: Which one `worth` is of.
        score: Shape (n,), n at least 1.
        worth: By `payoff`.
        confidence: Of the interval.
    """
    at = np.searchsorted(known.edges, score, side="left")
    share, gain = known.share[at], worth.positive - worth.negative
    value = float(np.mean(share * gain + worth.negative))
    # Half a row of each label more: a pool without hits is not one of which all is known.
    spread = (share * known.rows[at] + 0.5) / (known.rows[at] + 1)
    drawn = float(np.sum(gain**2 * spread * (1 - spread))) / score.size**2
    leverage = np.bincount(known.block[at], weights=gain, minlength=int(known.block[-1]) + 1) / score.size
    first = np.searchsorted(known.block, np.arange(leverage.size))
    rows = known.rows[first]
    pool = (known.share[first] * rows + 0.5) / (rows + 1)
    mapped = float(np.sum(leverage**2 * pool * (1 - pool) / rows))
    margin = float(ndtri((1 + confidence) / 2)) * math.sqrt(drawn + mapped)
    low, high = value - margin, value + margin
    if metric == "accuracy":
        low, high = max(low, 0.0), min(high, 1.0)
    outside = float(np.mean((score < known.ends[0]) | (score > known.ends[1])))
    return Estimate(metric=metric, value=value, low=max(low, 0.0), high=high, rows=int(score.size), outside=outside)


def realised(worth: Payoff, label: Bools) -> float:
    """The metric once all labels of its rows are there."""
    return float(np.mean(np.where(label, worth.positive, worth.negative)))


def _pooled(rows: list[float], hits: list[float]) -> npt.NDArray[np.intp]:
    """For each bin its pool: neighbours are joined until the share of hits rises from pool to pool."""
    pools: list[tuple[float, float, int]] = []
    for n, k in zip(rows, hits, strict=True):
        now = (n, k, 1)
        while pools and pools[-1][1] * now[0] >= now[1] * pools[-1][0]:
            last = pools.pop()
            now = (last[0] + now[0], last[1] + now[1], last[2] + now[2])
        pools.append(now)
    return np.repeat(np.arange(len(pools), dtype=np.intp), [size for _, _, size in pools])
