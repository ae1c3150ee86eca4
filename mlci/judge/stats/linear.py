"""Any smooth metric, by the delta method: what each row, or each group of rows, adds to the estimate.

The influence of a unit is how far the estimate moves with its weight: estimate - truth is about their sum. They are
independent between units, so their spread is the estimate's, and sums of them over groups are the cluster-robust
version. Where units are few or skewed, a bootstrap over the units is computed too and the more careful answer taken.

Source: van der Vaart (1998), Asymptotic Statistics, ch. 3 and 20; for groups, Liang and Zeger (1986), Biometrika
73:13-22; for ROC AUC over groups, Obuchowski (1997), Biometrics 53:567-578.
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from mlci.judge.stats.bca import RESAMPLES, bootstrap_ratio
from mlci.judge.stats.losses import FEWEST_ROWS, MOST_FOR_BOOTSTRAP
from mlci.judge.stats.moments import Moments, dot
from mlci.judge.stats.student import MeanTest, mean_test, skewness, t_suffices
from mlci.nouns.change import Bounds, Change, Estimate, Good, TooFew, sign

Floats = npt.NDArray[np.float64]
Seen = TypeVar("Seen", Change, Estimate)


class Units(NamedTuple):
    """What was sampled independently, and what each adds."""

    influence: Floats | Moments
    """Shape (units,); of the change or value, in the metric's units; they sum to 0. Of very many, their moments."""
    rows: int
    """Rows in all."""
    what: str = "rows"
    """`rows` or `groups`."""

    @property
    def size(self) -> int:
        """How many units."""
        return self.influence.n if isinstance(self.influence, Moments) else int(self.influence.size)


def linear_change(
    old: float,
    new: float,
    units: Units,
    rng: np.random.Generator,
    *,
    good: Good,
    alpha: float = 0.05,
    beta: float = 0.05,
) -> Change | TooFew:
    """The change of a smooth metric from the influences of the change."""
    if units.size < FEWEST_ROWS:
        return TooFew(what=units.what, seen=units.size, needed=FEWEST_ROWS)
    test, error = _test(sign(good) * (new - old), sign(good), units, rng, (alpha, beta))
    low, high = test.bounds.natural(good)
    return Change(
        old=old,
        new=new,
        change=new - old,
        good=good,
        low=low,
        high=high,
        p=test.p,
        n=units.rows,
        variance=units.rows * error**2,
        method=test.method,
    )


def linear_estimate(
    value: float,
    limit: float,
    units: Units,
    rng: np.random.Generator,
    *,
    good: Good,
    alpha: float = 0.05,
    beta: float = 0.05,
) -> Estimate | TooFew:
    """A smooth metric against a limit, from the influences of its value."""
    if units.size < FEWEST_ROWS:
        return TooFew(what=units.what, seen=units.size, needed=FEWEST_ROWS)
    test, error = _test(sign(good) * (value - limit), sign(good), units, rng, (alpha, beta))
    low, high = (limit + end for end in test.bounds.natural(good))
    return Estimate(
        value=value,
        limit=limit,
        good=good,
        low=low,
        high=high,
        p=test.p,
        n=units.rows,
        variance=units.rows * error**2,
        method=test.method,
    )


def not_surer(grouped: Seen, plain: Seen) -> Seen:
    """The answer over groups, but never surer than the same rows without groups.

    Groups with hardly any spread between them have hardly a variance, and the test for single rows may know better.
    """
    return grouped.model_copy(
        update={
            "low": min(grouped.low, plain.low),
            "high": max(grouped.high, plain.high),
            "p": max(grouped.p, plain.p),
            "smallest_p": plain.smallest_p,
            "variance": max(grouped.variance, plain.variance),
            "method": f"{grouped.method}, not surer than {plain.method}",
            **plain.model_dump(include={"discordant"}),
        }
    )


def _test(
    gain: float, up: int, units: Units, rng: np.random.Generator, tails: tuple[float, float]
) -> tuple[MeanTest, float]:
    size, (alpha, beta), what = units.size, tails, units.what
    name = "delta method, " if what == "rows" else "cluster-robust "
    if isinstance(units.influence, Moments):
        error, skew = math.sqrt(size * units.influence.variance), up * units.influence.skewness
        test = mean_test(gain, error, size, skew, alpha=alpha, beta=beta)
        return test._replace(method=name + test.method), error
    influence = up * units.influence
    away = influence - influence.mean()
    error = math.sqrt(size / (size - 1) * dot(away, away))
    skew = skewness(away)
    test = mean_test(gain, error, size, skew, alpha=alpha, beta=beta)
    if t_suffices(size, skew) or size > MOST_FOR_BOOTSTRAP or error == 0:
        return test._replace(method=name + test.method), error
    drawn = bootstrap_ratio(gain + size * away, np.ones(size), rng, RESAMPLES)
    bounds = Bounds(min(test.bounds.lower, drawn.bound(beta)), max(test.bounds.upper, drawn.bound(1 - alpha)))
    return MeanTest(bounds, max(test.p, drawn.p_at_least(0.0)), f"{name}{test.method}, BCa over {what}"), error
