"""What may be asked of one row: the conditions whose rows a data check counts."""

from __future__ import annotations

from typing import Literal

from mlci.nouns.base import Noun
from mlci.nouns.scalars import Bound

Scalar = bool | int | float | str


class Missing(Noun):
    """The value is null or NaN."""

    kind: Literal["missing"] = "missing"
    column: str


class Present(Noun):
    """None of these values is null or NaN."""

    kind: Literal["present"] = "present"
    columns: tuple[str, ...]


class Outside(Noun):
    """The value is there and does not lie in a closed range; infinities lie in none."""

    kind: Literal["outside"] = "outside"
    column: str
    low: int | float | str | None = None
    high: int | float | str | None = None


class NotAmong(Noun):
    """The value is there and is none of these."""

    kind: Literal["not_among"] = "not_among"
    column: str
    values: tuple[Scalar, ...]


class NoMatch(Noun):
    """The text is there and does not match a regular expression as a whole."""

    kind: Literal["no_match"] = "no_match"
    column: str
    pattern: str


class WrongLength(Noun):
    """The text is there and has too few or too many characters."""

    kind: Literal["wrong_length"] = "wrong_length"
    column: str
    length: Bound


class Under(Noun):
    """The value is there and lies under a limit, or at it where `inclusive`: what a rank test counts."""

    kind: Literal["under"] = "under"
    column: str
    limit: float
    inclusive: bool = False


class Over(Noun):
    """The value is there and lies over a limit, or at it where `inclusive`."""

    kind: Literal["over"] = "over"
    column: str
    limit: float
    inclusive: bool = False


class Equals(Noun):
    """The value is this one, written as text."""

    kind: Literal["equals"] = "equals"
    column: str
    value: str


class Breaks(Noun):
    """A condition in the policy's SQL does not hold.

    Attributes:
        sql: The condition.
        nulls: Whether a row holds for which it is null.
    """

    kind: Literal["breaks"] = "breaks"
    sql: str
    nulls: bool = True


Condition = Missing | Present | Outside | NotAmong | NoMatch | WrongLength | Under | Over | Equals | Breaks
