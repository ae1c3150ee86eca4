"""What a test set says about a change of a metric, or about a metric and a fixed floor.

Sign convention, kept in this file only: `old`, `new`, `change`, `low` and `high` are in the metric's natural units
(`change = new - old`), so that a report prints them as they are. Everything a decision needs (`gain`, `lower_bound`,
`upper_bound`, `p`) is in the metric's good direction: a positive gain is an improvement, whether the metric is an
accuracy or a loss.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic import Field

from mlci.nouns.base import Noun

Good = Literal["up", "down"]
Outcome = Literal["pass", "fail", "inconclusive"]
FailWhen = Literal["any_drop", "worse_than_tolerance"]


def sign(good: Good) -> int:
    """+1 where more is better, -1 where less is better."""
    return 1 if good == "up" else -1


class Bounds(NamedTuple):
    """Lower and upper end of an interval for the gain, in the good direction."""

    lower: float
    upper: float

    def natural(self, good: Good) -> tuple[float, float]:
        """The same interval as (low, high) in the metric's own units."""
        return (self.lower, self.upper) if good == "up" else (-self.upper, -self.lower)


class _Seen(Noun):
    """What a change and an estimate have in common: an interval, a test and how they were computed."""

    good: Good = "up"
    low: float
    """Lower end of the interval. The end on the bad side is a one-sided (1 - beta) bound, the other (1 - alpha)."""
    high: float
    """Upper end of the interval."""
    p: float = Field(ge=0, le=1)
    """One-sided p-value of 'no worse': small when the metric is worse."""
    smallest_p: float = Field(default=0.0, ge=0, le=1)
    """The smallest p that this test could have given, known without its answer (Tarone)."""
    n: int = Field(ge=1)
    """Rows."""
    variance: float = Field(ge=0)
    """Variance per row: the estimate's standard error is sqrt(variance / n)."""
    method: str

    def _bounds(self, centre: float) -> tuple[float, float]:
        if self.good == "up":
            return self.low - centre, self.high - centre
        return centre - self.high, centre - self.low


class Change(_Seen):
    """How a metric differs between the old and the new model on the same rows."""

    old: float
    new: float
    change: float
    discordant: tuple[int, int] | None = None
    """(gained, lost): rows that only the new, only the old model has right; None where rows are not right or wrong."""

    @property
    def gain(self) -> float:
        """The change in the good direction."""
        return sign(self.good) * self.change

    @property
    def lower_bound(self) -> float:
        """One-sided (1 - beta) lower bound of the gain: a drop bigger than its negative is ruled out."""
        return self._bounds(0.0)[0]

    @property
    def upper_bound(self) -> float:
        """One-sided (1 - alpha) upper bound of the gain."""
        return self._bounds(0.0)[1]


class Estimate(_Seen):
    """Where one model's metric stands against a fixed limit: a floor (good is up) or a ceiling (good is down).

    Reads like a change from the limit, so that the same decision applies with a tolerance of 0.
    """

    value: float
    limit: float

    @property
    def gain(self) -> float:
        """Distance to the limit, positive on the good side."""
        return sign(self.good) * (self.value - self.limit)

    @property
    def lower_bound(self) -> float:
        """One-sided (1 - beta) lower bound of the distance."""
        return self._bounds(self.limit)[0]

    @property
    def upper_bound(self) -> float:
        """One-sided (1 - alpha) upper bound of the distance."""
        return self._bounds(self.limit)[1]


class TooFew(Noun):
    """There is not enough to judge: reported, never judged."""

    what: str
    """Plural name of what there is too little of: rows, positives, groups."""
    seen: int
    needed: int


class Missing(Noun):
    """A metric that has no value here, which is not judged and does not pass."""

    why: str
    """A sentence."""
