"""A metric of the project's own, of which nothing is known but its value: the paired bootstrap of rows or groups.

Of more than `MOST_ROWS` rows each resample draws that many, and its deviation is scaled down by the root of the ratio
(the m out of n bootstrap: Bickel, Goetze, van Zwet (1997), Statistica Sinica 7:1-31), so that a slow function is
called on a bounded number of rows. That is right for every metric whose error falls with the root of the rows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mlci.judge.stats.counts import lower_percentile, no_worse
from mlci.judge.stats.grouped import FEWEST_GROUPS
from mlci.nouns.change import Bounds, Change, Estimate, Good, TooFew, sign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Rows = npt.NDArray[np.integer[Any]]
    Floats = npt.NDArray[np.float64]

FEWEST_ROWS = 100
RESAMPLES = 2_000
MOST_ROWS = 20_000


def own_change(
    value: Callable[[Rows | None], tuple[float, float]],
    n: int,
    group: npt.NDArray[np.int64] | None,
    rng: np.random.Generator,
    *,
    good: Good,
    alpha: float = 0.05,
    beta: float = 0.05,
) -> Change | TooFew | None:
    """The change of a metric that is a function of rows.

    Args:
        value: The old and the new model's metric on some rows, or on all of them for None; NaN where it has none.
        n: Rows.
        group: Codes of rows that belong together, shape (n,).
        rng: The caller's generator.
        good: Which way is good.
        alpha: Of the upper bound of the gain.
        beta: Of the lower bound of the gain.

    Returns:
        None where the metric has no value on all rows. A resample without a value speaks for neither side.
    """
    old, new = value(None)
    if not (math.isfinite(old) and math.isfinite(new)):
        return None
    seen = _gains(lambda rows: _difference(value(rows)), new - old, n, group, rng, good)
    if isinstance(seen, TooFew):
        return seen
    gains, method = seen
    low, high = _bounds(gains, alpha, beta).natural(good)
    return Change(
        old=old,
        new=new,
        change=new - old,
        good=good,
        low=low,
        high=high,
        p=no_worse(np.nan_to_num(gains, nan=np.inf)),
        n=n,
        variance=n * _variance(gains),
        method=f"paired {method}",
    )


def own_estimate(
    value: Callable[[Rows | None], float],
    limit: float,
    n: int,
    group: npt.NDArray[np.int64] | None,
    rng: np.random.Generator,
    *,
    good: Good,
    alpha: float = 0.05,
    beta: float = 0.05,
) -> Estimate | TooFew | None:
    """The metric of one model against a limit; arguments and answer as for `own_change`."""
    whole = value(None)
    if not math.isfinite(whole):
        return None
    seen = _gains(value, whole, n, group, rng, good)
    if isinstance(seen, TooFew):
        return seen
    values, method = seen
    gains = values - sign(good) * limit
    low, high = (limit + end for end in _bounds(gains, alpha, beta).natural(good))
    return Estimate(
        value=whole,
        limit=limit,
        good=good,
        low=low,
        high=high,
        p=no_worse(np.nan_to_num(gains, nan=np.inf)),
        n=n,
        variance=n * _variance(gains),
        method=method,
    )


def _difference(both: tuple[float, float]) -> float:
    return both[1] - both[0]


def _bounds(gains: Floats, alpha: float, beta: float) -> Bounds:
    worst, best = np.nan_to_num(gains, nan=-np.inf), np.nan_to_num(gains, nan=np.inf)
    return Bounds(lower_percentile(worst, beta), -lower_percentile(-best, alpha))


def _variance(gains: Floats) -> float:
    known = gains[np.isfinite(gains)]
    return float(known.var(ddof=1)) if known.size > 1 else 0.0


def _gains(
    value: Callable[[Rows], float],
    whole: float,
    n: int,
    group: npt.NDArray[np.int64] | None,
    rng: np.random.Generator,
    good: Good,
) -> tuple[Floats, str] | TooFew:
    """Resampled values in the good direction, and what was done."""
    if n < FEWEST_ROWS:
        return TooFew(what="rows", seen=n, needed=FEWEST_ROWS)
    if group is None:
        drawn, units = min(n, MOST_ROWS), n
        draws: Iterator[Rows] = (rng.integers(0, n, drawn) for _ in range(RESAMPLES))
    else:
        units = int(np.unique(group).size)
        if units < FEWEST_GROUPS:
            return TooFew(what="groups", seen=units, needed=FEWEST_GROUPS)
        drawn = max(FEWEST_GROUPS, min(units, units * MOST_ROWS // n))
        draws = _groups(group, drawn, rng)
    shrink = math.sqrt(drawn / units)
    found = np.array([whole + shrink * (value(rows) - whole) for rows in draws])
    what = "rows" if group is None else "groups"
    method = f"bootstrap of {what}" + (f", {drawn:,} of {units:,}" if drawn < units else "")
    return sign(good) * found, method


def _groups(group: npt.NDArray[np.int64], drawn: int, rng: np.random.Generator) -> Iterator[Rows]:
    """The rows of `drawn` groups, with replacement."""
    order = np.argsort(group, kind="stable")
    sizes = np.bincount(group)
    sizes = sizes[sizes > 0]
    starts = np.cumsum(sizes) - sizes
    for _ in range(RESAMPLES):
        chosen = rng.integers(0, sizes.size, drawn)
        many = sizes[chosen]
        within = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
        yield order[np.repeat(starts[chosen], many) + within]
