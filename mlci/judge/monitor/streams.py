"""Streams to watch: rates, bounded means and the shares of a feature's bins, each with the bets against it."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import betaincinv, ndtri

from mlci.nouns.monitor import Bet, Direction, Stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

CHANGES = (0.01, 0.02, 0.03, 0.05, 0.10)
"""The changes beyond the tolerance that are bet on."""
_SURE = 0.95
"""One-sided confidence that the tolerance covers the sampling error of the reference."""
_MOST = 0.95
"""The largest part of its capital that a bet may lose in one row."""


class Watch(NamedTuple):
    """What all streams of a monitor share.

    Attributes:
        streams: How many streams share alpha (F), or what stands for it where they share it unevenly.
        alpha: The chance of any alarm in a horizon without a change.
        horizon: Periods (T): 365 days, or 52 weeks where a week is the cycle.
    """

    streams: float
    alpha: float = 0.05
    horizon: int = 365

    @property
    def threshold(self) -> float:
        """The evidence that raises an alarm."""
        return self.streams / self.alpha


def watches(others: int, alpha: float = 0.05, horizon: int = 365) -> tuple[Watch, Watch]:
    """Half of alpha for the one stream that matters most, the other half for the others together.

    >>> [watch.threshold for watch in watches(22)]
    [40.0, 880.0]
    """
    if not others:
        only = Watch(1, alpha, horizon)
        return only, only
    return Watch(2, alpha, horizon), Watch(2 * others, alpha, horizon)


def rate_error(hits: int, rows: int) -> tuple[float, float]:
    """How far below and above the true rate may be, each with 95 % confidence: at least 1.645 standard errors.

    Where all or none of the rows are hits the standard error is 0, which is why Clopper and Pearson's bound counts too.

    >>> tuple(round(one, 4) for one in rate_error(9_000, 10_000))
    (0.0051, 0.0049)
    >>> round(rate_error(100, 100)[0], 3)
    0.03
    """
    rate = hits / rows
    plain = float(ndtri(_SURE)) * math.sqrt(rate * (1 - rate) / rows)
    low = float(betaincinv(hits, rows - hits + 1, 1 - _SURE)) if hits else 0.0
    high = float(betaincinv(hits + 1, rows - hits, _SURE)) if hits < rows else 1.0
    return max(plain, rate - low), max(plain, high - rate)


def rate_stream(
    name: str,
    hits: int,
    rows: int,
    watch: Watch,
    *,
    tolerance: float = 0.0,
    direction: Direction = "down",
    changes: Sequence[float] = CHANGES,
) -> Stream:
    """A rate, such as an accuracy or the share of positives, against a reference of so many hits in so many rows.

    Args:
        name: Of the stream.
        hits: Hits in the reference.
        rows: Rows in the reference, at least 1.
        watch: What all streams share.
        tolerance: What may be lost; the reference's sampling error is taken where it is larger.
        direction: Which changes matter.
        changes: Losses beyond the tolerance that are bet on.
    """
    rate = hits / rows
    down, up = (max(tolerance, error) for error in rate_error(hits, rows))
    bets = _rate_bets(0, rate, down, up, direction, changes)
    return _stream(
        name,
        (name,),
        (rate,),
        (max(down, up) if direction == "both" else down if direction == "down" else up,),
        bets,
        watch,
    )


def mean_stream(
    name: str,
    values: Floats,
    watch: Watch,
    *,
    tolerance: float = 0.0,
    direction: Direction = "up",
    changes: Sequence[float] = CHANGES,
) -> Stream:
    """A mean of values in [0, 1], such as a loss or a score, against a sampled reference.

    The stake is the growth-optimal one for values with the reference's variance, (m1 - m0) / (variance + (m1 - m0)²);
    the bound on false alarms holds whatever the variance is.

    Source: Waudby-Smith and Ramdas (2024), J. R. Stat. Soc. B 86:1-27 (arXiv 2010.09686), sections 4.2 and B.

    Args:
        name: Of the stream.
        values: Shape (n,), n at least 2, the reference.
        watch: What all streams share.
        tolerance: What may change; 1.645 standard errors of the reference where that is more.
        direction: Which changes matter.
        changes: Changes beyond the tolerance that are bet on.

    Raises:
        ValueError: A value is not in [0, 1].
    """
    bounded(values)
    mean, variance = float(values.mean()), max(float(values.var(ddof=1)), 1e-6)
    allowed = max(tolerance, float(ndtri(_SURE)) * math.sqrt(variance / values.size))
    bets = []
    for sign in _signs(direction):
        null = mean + sign * allowed
        for change in _reachable(null, sign, changes):
            stake = sign * change / (variance + change * change)
            most = _MOST / (null if sign > 0 else 1 - null)
            bets.append(Bet(null=null, toward=null + sign * change, stake=max(-most, min(most, stake))))
    return _stream(name, (name,), (mean,), (allowed,), tuple(bets), watch)


def share_tolerance(bins: int, rows: int, watch: Watch) -> float:
    """What a share of each bin must be allowed because the reference is a sample: sqrt(ln(2F/alpha) / 2n).

    Hoeffding's bound (1963) for all bins of all streams at once.
    """
    return math.sqrt(math.log(2 * watch.streams * bins / watch.alpha) / (2 * rows))


def shares_stream(
    name: str,
    bins: Sequence[str],
    counts: Sequence[int],
    watch: Watch,
    *,
    tolerance: float = 0.0,
    changes: Sequence[float] = CHANGES,
) -> Stream:
    """A feature's bins, such as the deciles of the reference, each one against the rest, up and down.

    Args:
        name: Of the feature.
        bins: Names of the bins.
        counts: Rows of the reference in each bin.
        watch: What all streams share; the feature counts as one.
        tolerance: How far a share may be off; `share_tolerance` where that is more.
        changes: Changes beyond the tolerance that are bet on.
    """
    rows = sum(counts)
    shares = tuple(count / rows for count in counts)
    allowed = max(tolerance, share_tolerance(len(bins), rows, watch))
    bets = tuple(
        bet for part, share in enumerate(shares) for bet in _rate_bets(part, share, allowed, allowed, "both", changes)
    )
    return _stream(name, tuple(bins), shares, (allowed,) * len(bins), bets, watch)


def decile_edges(values: Floats, bins: int = 10) -> Floats:
    """Inner edges of the reference's deciles, ties together; bins are closed above."""
    return np.unique(np.quantile(values, np.arange(1, bins) / bins, method="inverted_cdf"))


def bin_names(edges: Floats) -> tuple[str, ...]:
    """The bins of the edges in words, and last the bin of missing values."""
    said = [f"{edge:.4g}" for edge in edges]
    middle = tuple(f"{low} to {high}" for low, high in pairwise(said))
    ends = (f"up to {said[0]}", *middle, f"above {said[-1]}") if said else ("all",)
    return (*ends, "missing")


def bin_counts(values: Floats, edges: Floats) -> tuple[int, ...]:
    """Rows in each bin of `bin_names`."""
    missing = np.isnan(values)
    at = np.searchsorted(edges, values[~missing], side="left")
    return (*(int(count) for count in np.bincount(at, minlength=edges.size + 1)), int(missing.sum()))


def bounded(values: Floats) -> None:
    """Make sure that all values are in [0, 1].

    Raises:
        ValueError: One is not, or is not a number.
    """
    if not bool(np.all((values >= 0) & (values <= 1))):
        raise ValueError("a bounded mean needs values between 0 and 1")


def _stream(
    name: str,
    parts: tuple[str, ...],
    reference: tuple[float, ...],
    tolerance: tuple[float, ...],
    bets: tuple[Bet, ...],
    watch: Watch,
) -> Stream:
    return Stream(
        name=name,
        parts=parts,
        reference=reference,
        tolerance=tolerance,
        bets=bets,
        horizon=watch.horizon,
        threshold=watch.threshold,
    )


def _signs(direction: Direction) -> tuple[int, ...]:
    return {"down": (-1,), "up": (1,), "both": (-1, 1)}[direction]


def _reachable(null: float, sign: int, changes: Sequence[float]) -> tuple[float, ...]:
    """Changes that stay inside (0, 1); half of the way where none does, none where there is no way."""
    room = null if sign < 0 else 1 - null
    if not 0 < null < 1:
        return ()
    return tuple(change for change in changes if change < room) or (room / 2,)


def _rate_bets(
    part: int, rate: float, down: float, up: float, direction: Direction, changes: Sequence[float]
) -> tuple[Bet, ...]:
    """For hits and misses the stake (m1 - m0) / m0 (1 - m0) makes the capital the likelihood ratio of m1 to m0."""
    bets = []
    for sign in _signs(direction):
        null = min(max(rate + sign * (up if sign > 0 else down), 0.0), 1.0)
        for change in _reachable(null, sign, changes):
            toward = null + sign * change
            bets.append(Bet(part=part, null=null, toward=toward, stake=sign * change / (null * (1 - null))))
    return tuple(bets)
