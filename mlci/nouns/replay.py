"""What `mlci replay` found: each period of the past, and what the loop was worth."""

from __future__ import annotations

from typing import Literal

from mlci.nouns.alarm import Cause
from mlci.nouns.base import Level, Noun
from mlci.nouns.change import Good
from mlci.nouns.report import DriftBar
from mlci.nouns.retrain import Decision

Strategy = Literal["mlci", "never", "always"]
STRATEGIES: tuple[Strategy, ...] = ("mlci", "never", "always")


class AlarmSeen(Noun):
    """An alarm that was on in a period.

    Attributes:
        cause: Of it.
        level: Of it.
        since: Start of the day (or whatever is judged at once) that raised it, in UTC.
        seen: The moment of the look that found it first in this period.
        headline: With its numbers.
        on: Whether it was still on at the period's end.
    """

    cause: Cause
    level: Level
    since: str
    seen: str
    headline: str
    on: bool


class Judged(Noun):
    """What the gate said of a challenger on rows that neither it nor the model in service was trained on.

    Attributes:
        outcome: Of the gate.
        headline: The number that decided it.
        rows: Rows of the test.
        trained_rows: Rows that the challenger was trained on.
        metrics: Of the challenger on these rows; cost is that of a row.
        against: The same of the model in service.
        blocked: Why it was refused: the first findings that block, in words.
    """

    outcome: Literal["pass", "inconclusive", "fail"]
    headline: str
    rows: int
    trained_rows: int
    metrics: dict[str, float]
    against: dict[str, float]
    blocked: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the gate lets it in."""
        return self.outcome != "fail"


class Served(Noun):
    """How a strategy did in a period.

    Attributes:
        model: The period up to which the data of its model reaches.
        metrics: Of its answers to the period's rows; cost is that of a row.
    """

    model: str
    metrics: dict[str, float]


class Period(Noun):
    """One period of the past.

    Attributes:
        name: As the policy's parameter names it: `2013-04`.
        rows: Predictions.
        positives: Share of rows with a positive label; null where the task has none.
        served: What each strategy served, and how well.
        alarms: Those of the model that `mlci` served.
        drift: Inputs that moved farthest, against what that model was tested on.
        decision: Whether to train, and why.
        challenger: What the gate said; null where none was trained.
        rival: What the gate says of the other challenger, whether or not one was asked for; null where none is named.
    """

    name: str
    rows: int
    positives: float | None = None
    served: dict[Strategy, Served]
    alarms: tuple[AlarmSeen, ...] = ()
    drift: tuple[DriftBar, ...] = ()
    decision: Decision
    challenger: Judged | None = None
    rival: Judged | None = None

    @property
    def accepted(self) -> bool:
        """Whether the next period is served by another model."""
        return self.challenger is not None and self.challenger.accepted


class Replayed(Noun):
    """The whole replay.

    Attributes:
        model: Its name.
        first: The period that the first model was made with, and tested on.
        metric: What strategies are compared by; its mean over the rows.
        good: Which way it is good.
        parameters: Of the rival.
        periods: In the order of time.
        totals: Strategy → its metric over the rows of all periods.
        trainings: Strategy → how many models it trained after the first.
        tool: Name and version.
    """

    schema_version: Literal[1] = 1
    model: str
    first: str
    metric: str
    good: Good
    parameters: dict[str, bool | int | float | str | None] = {}
    periods: tuple[Period, ...]
    totals: dict[Strategy, float]
    trainings: dict[Strategy, int]
    tool: str
