"""The numbers that data checks ask of a table, and the answers of whichever engine measured them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from mlci.nouns.base import Noun
from mlci.nouns.condition import Condition, Over, Under

SliceKey = tuple[str | None, ...]
"""The values of the columns in `Part.by`, as text; `()` for a part that is not split."""


class Part(Noun):
    """The rows that an aggregate speaks of, and the columns that they are split by.

    Attributes:
        where: Conditions in the policy's SQL, all of which a row must meet.
        by: Columns; there is one answer for each of their values.
    """

    where: tuple[str, ...] = ()
    by: tuple[str, ...] = ()


class Count(Noun):
    """Rows that meet a condition; all rows of the part without one."""

    kind: Literal["count"] = "count"
    what: Condition | None = None
    part: Part = Part()


class Number(Noun):
    """A number of a column's values; nulls and NaN are left out.

    `newest` is the largest timestamp, in microseconds since 1970 in UTC. A `quantile` of n values is the smallest one
    that at least `quantile` * n values do not exceed; engines hold all values in memory for it, or those that
    meet `among`.
    """

    kind: Literal["number"] = "number"
    what: Literal["mean", "sum", "std", "newest", "quantile"]
    column: str
    quantile: float | None = None
    among: Under | Over | None = None
    part: Part = Part()


class Repeats(Noun):
    """Rows whose key an earlier row has already; rows with a missing key column are left out."""

    kind: Literal["repeats"] = "repeats"
    columns: tuple[str, ...]
    part: Part = Part()


class Shared(Noun):
    """Rows whose key is also in another table, which is open under the name `other`."""

    kind: Literal["shared"] = "shared"
    other: str
    columns: tuple[str, ...]
    part: Part = Part()


class Conflicting(Noun):
    """Rows that agree in all features with a row of another label."""

    kind: Literal["conflicting"] = "conflicting"
    label: str
    features: tuple[str, ...]
    part: Part = Part()


Aggregate = Count | Number | Repeats | Shared | Conflicting
Value = int | float | None


@dataclass(frozen=True)
class Answers:
    """What was measured.

    Attributes:
        values: For each aggregate, the value of each slice of its part; None where it has none (no rows).
        failures: Why an aggregate could not be measured.
        hints: Some of the repeated keys, where they were met anyway.
    """

    values: dict[Aggregate, dict[SliceKey, Value]] = field(default_factory=dict)
    failures: dict[Aggregate, str] = field(default_factory=dict)
    hints: dict[Aggregate, tuple[int, ...]] = field(default_factory=dict)

    def joined(self, other: Answers) -> Answers:
        """Both; what was measured twice is the other's."""
        return Answers(
            {**self.values, **other.values}, {**self.failures, **other.failures}, {**self.hints, **other.hints}
        )
