"""What monitoring keeps between two looks: streams, the bets against them, and how far the bets have come."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field, model_validator

from mlci.nouns.base import Noun

Direction = Literal["down", "up", "both"]
Metric = Literal["accuracy", "log_loss", "cost"]


class Bet(Noun):
    """One bet that a mean has left what is allowed.

    Each row x in [0, 1] multiplies its capital by 1 + stake (x - null).

    Attributes:
        part: Which of the stream's means it is about, counted from 0.
        null: The farthest mean that is still allowed: the reference, less or plus the tolerance.
        toward: The mean against which the bet is best.
        stake: Below 0 for a bet on a fall, above 0 for one on a rise; what it bets can never all be lost.
    """

    part: int = 0
    null: float = Field(ge=0, le=1)
    toward: float = Field(ge=0, le=1)
    stake: float

    @model_validator(mode="after")
    def _solvent(self) -> Bet:
        if min(1 + self.stake * (1 - self.null), 1 - self.stake * self.null) <= 0:
            raise ValueError(f"a stake of {self.stake:g} at {self.null:g} can lose everything")
        return self


class Stream(Noun):
    """What is watched: one mean, or the shares of several parts, against a reference.

    Attributes:
        name: Of a rate, a score or a feature.
        parts: Names of its means: one, or the bins of a feature.
        reference: The mean of each part in the reference.
        tolerance: How far each part may be from its reference, at least the reference's own sampling error.
        bets: Bets that a part left what is allowed; empty where nothing could show it.
        horizon: Periods over which the bound on false alarms holds.
        threshold: Streams / alpha: the evidence that raises an alarm.
    """

    name: str
    parts: tuple[str, ...]
    reference: tuple[float, ...]
    tolerance: tuple[float, ...]
    bets: tuple[Bet, ...]
    horizon: int = Field(ge=1)
    threshold: float = Field(gt=1)


class Batch(Noun):
    """Rows of a stream in one part of one period (an hour of a day, a day of a week).

    Attributes:
        period: Which period, as a whole number that grows with time.
        slot: Which part of the period: what came once is not counted again.
        rows: Rows; may be 0.
        sums: Sum of each part's values, for rates the hits.
        evidence: For each bet the logarithm of what the rows multiply its capital by.
    """

    period: int
    slot: int = 0
    rows: int = Field(ge=0)
    sums: tuple[float, ...]
    evidence: tuple[float, ...]


class StreamState(Noun):
    """A stream between two looks; all of it is needed and nothing else, so it may be kept as JSON.

    Attributes:
        stream: What is watched; another reference or threshold is another stream, with a state of its own.
        start: First period of the horizon.
        period: The period that is open.
        slots: Parts of the open period that were counted.
        rows: Rows of the open period.
        sums: Sums of the open period, by part.
        evidence: Evidence of the open period, by bet.
        capital: log(S + 1/T) by bet, S as of the last period that is closed.
        log_m: log M of the last period that is closed, 0 before.
        settled: First and last of each run of closed periods with rows.
        since: The period that raised the alarm that is on; None where there is none.
        alarms: Periods in which an alarm was raised.
    """

    stream: Stream
    start: int
    period: int
    slots: tuple[int, ...] = ()
    rows: int = 0
    sums: tuple[float, ...]
    evidence: tuple[float, ...]
    capital: tuple[float, ...]
    log_m: float = 0.0
    settled: tuple[tuple[int, int], ...] = ()
    since: int | None = None
    alarms: tuple[int, ...] = ()

    @property
    def alarmed(self) -> bool:
        """Whether an alarm is on."""
        return self.since is not None

    @property
    def full(self) -> float:
        """How much of the evidence that an alarm takes is there, on a log scale: 1 raises it."""
        return self.log_m / math.log(self.stream.threshold)


class Suspect(Noun):
    """The part that explains an alarm best, and where it seems to have gone."""

    part: str
    direction: Literal["down", "up"]
    toward: float
    log_evidence: float


class Estimate(Noun):
    """What a metric will be once the labels are there, if scores mean what they meant in the reference.

    Attributes:
        metric: Accuracy, log loss or cost per row.
        value: The expected mean over the window's rows.
        low: Lower end of the interval in which the realised value should lie.
        high: Its upper end.
        rows: Rows of the window.
        outside: Share of them with a score that no reference row came near to: below or above all of those.
    """

    metric: Metric
    value: float
    low: float
    high: float
    rows: int
    outside: float


class Realised(Noun):
    """An estimate once its labels came: what the metric really was, and whether the interval held."""

    estimate: Estimate
    value: float

    @property
    def error(self) -> float:
        """Realised less estimated."""
        return self.value - self.estimate.value

    @property
    def held(self) -> bool:
        """Whether the realised value lies in the interval."""
        return self.estimate.low <= self.value <= self.estimate.high
