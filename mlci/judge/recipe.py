"""Tell a change of the recipe from the noise of training it: spread over seeds, and an interval that holds both.

Two models of one recipe differ because their seeds do. The gate judges the model at hand, whose seed is fixed; whether
the *recipe* got better is another question, with another source of variance (Bouthillier et al. 2021, "Accounting for
Variance in Machine Learning Benchmarks", MLSys 3).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import chdtri, stdtrit

from mlci.nouns.training import RecipeChange, Spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.nouns.change import Good

_LEVEL = 0.95
_FEWEST = 2


class Draws(NamedTuple):
    """A model and its recipe's other models.

    Attributes:
        model: The metric of the model that was compared.
        spread: Of the same recipe with other seeds.
    """

    model: float
    spread: Spread

    @property
    def luck(self) -> float:
        """How far the model is from what its recipe gives on average."""
        return self.model - self.spread.mean


def spread(values: Sequence[float]) -> Spread | None:
    """Sample standard deviation over seeds with its 95 % interval; None for fewer than two values.

    The interval is the chi-square one for normal values: sd sqrt(f / chi2(.975; f)) to sd sqrt(f / chi2(.025; f)) with
    f = n - 1. Five seeds know the spread no better than from .6 to 2.9 times.

    >>> found = spread([0.70, 0.71, 0.72, 0.73, 0.74])
    >>> round(found.sd, 5), round(found.low, 5), round(found.high, 5)
    (0.01581, 0.00947, 0.04543)
    """
    count = len(values)
    if count < _FEWEST:
        return None
    freedom = count - 1
    same = len(set(values)) == 1
    sd = 0.0 if same else float(np.std(np.asarray(values), ddof=1))
    tail = (1 - _LEVEL) / 2
    return Spread(
        count=count,
        mean=values[0] if same else math.fsum(values) / count,
        sd=sd,
        low=sd * math.sqrt(freedom / float(chdtri(freedom, tail))),
        high=sd * math.sqrt(freedom / float(chdtri(freedom, 1 - tail))),
    )


def is_lucky(draws: Draws, good: Good) -> bool:
    """Whether the model is better than 95 of 100 models of its recipe: beyond a one-sided prediction bound.

    The next value of a normal sample lies below mean + t sd sqrt(1 + 1 / n) with 95 % (t of n - 1 degrees).
    """
    count = draws.spread.count
    reach = float(stdtrit(count - 1, _LEVEL)) * draws.spread.sd * math.sqrt(1 + 1 / count)
    luck = draws.luck if good == "up" else -draws.luck
    return draws.spread.sd > 0 and luck > reach


def recipe_change(
    baseline: str, change: float, error: float, rows: int, new: Draws, old: Draws | None = None
) -> RecipeChange:
    """Estimate the change of the recipe from the change of two of its models.

    recipe = change - luck(new) + luck(old), where luck is a model's value less the mean over its recipe's other seeds.
    Its variance is error^2 + sd_new^2 / k_new + sd_old^2 / k_old. Where nobody knows the old recipe's spread, its model
    stands for it with luck 0 and variance sd_new^2: it is as noisy as the new one. The interval is Student's with
    Satterthwaite's (1946) degrees of freedom: variance^2 over the sum of each part^2 / its own degrees.

    `error` holds the sampling of test rows. The spread over seeds on one test set holds the part of it that differs
    from seed to seed too, so that this part counts twice: the interval is a little too wide, never too narrow.

    Args:
        baseline: Its name.
        change: New minus old model, on the same rows.
        error: Standard error of it, over test rows.
        rows: Test rows (or groups).
        new: The candidate and its recipe's other models.
        old: The baseline's, where they are known.
    """
    parts = [(error**2, max(rows - 1, 1)), *_seeds(new, old)]
    variance = math.fsum(part for part, _ in parts)
    recipe = change - new.luck + (old.luck if old is not None else 0.0)
    reach = _reach(parts, variance)
    # What two trainings of one recipe differ by: twice the variance of one.
    own = (new.spread.sd**2, new.spread.count - 1)
    pair = [own, (old.spread.sd**2, old.spread.count - 1)] if old is not None else [(2 * own[0], own[1])]
    return RecipeChange(
        baseline=baseline,
        change=change,
        recipe=recipe,
        low=recipe - reach,
        high=recipe + reach,
        times=abs(change) / new.spread.sd if new.spread.sd > 0 else None,
        old_seeds=old.spread.count if old is not None else 0,
        told="recipe"
        if abs(recipe) > reach
        else "seed"
        if abs(change) <= _reach(pair, math.fsum(part for part, _ in pair))
        else "rows",
    )


def _seeds(new: Draws, old: Draws | None) -> list[tuple[float, int]]:
    """Variances that come from seeds, with their degrees of freedom."""
    square, count = new.spread.sd**2, new.spread.count
    if old is None:
        # One estimate serves both recipes, so that it is one part.
        return [(square * (1 + 1 / count), count - 1)]
    return [(square / count, count - 1), (old.spread.sd**2 / old.spread.count, old.spread.count - 1)]


def _reach(parts: Sequence[tuple[float, int]], variance: float) -> float:
    """Half the width of the 95 % interval."""
    below = math.fsum(part**2 / freedom for part, freedom in parts)
    if variance == 0 or below == 0:
        return 0.0
    return float(stdtrit(variance**2 / below, (1 + _LEVEL) / 2)) * math.sqrt(variance)
