"""What monitoring alarms about: the cause, since when, and what explains it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mlci.nouns.base import Level, Noun

Cause = Literal["performance", "calibration", "score", "drift", "data", "staleness", "software"]
CAUSES: tuple[Cause, ...] = ("performance", "calibration", "score", "drift", "data", "staleness", "software")


class Raised(Noun):
    """One thing that raised an alarm: a stream, or a limit of the policy that production broke.

    Attributes:
        stream: A metric, `score`, `calibration`, a feature, or the id of a check.
        since: Start of the period that raised it, in UTC: `2026-03-01T00:00:00Z`.
        evidence: Natural logarithm of the evidence of the stream; null for a limit, which needs none.
        threshold: Natural logarithm of the evidence that raises an alarm; null for a limit.
        part: The bin of a feature, or the metric, that explains it best.
        direction: Where that has gone.
        reference: What it was in the reference, in its own unit.
        now: What it is over the periods since the alarm's cause began to show; null where there are no rows.
        message: A sentence with the numbers, for a reader who is no statistician; names in it may be hostile.
    """

    stream: str
    since: str
    evidence: float | None = None
    threshold: float | None = None
    part: str = ""
    direction: Literal["", "down", "up"] = ""
    reference: float | None = None
    now: float | None = None
    message: str = ""


class Alarm(Noun):
    """An alarm that is on: one for each cause, which is one issue on the forge.

    Attributes:
        cause: `performance` and `calibration` need labels, `score` and `drift` none; `data` is a promise of
            `mlci.data` that inputs break, `staleness` and `software` are limits of the policy.
        level: `block` is an alarm that fails the command; `warn` is told on the forge too; `info` is told in reports.
        since: Start of the period in which the first of them was raised, in UTC.
        raised: What raised it, the strongest first.
    """

    cause: Cause
    level: Level
    since: str
    raised: tuple[Raised, ...] = Field(min_length=1)

    @property
    def headline(self) -> str:
        """The first sentence about it."""
        return self.raised[0].message
