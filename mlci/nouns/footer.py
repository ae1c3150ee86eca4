"""What a file proves of its columns without a row being read."""

from __future__ import annotations

from mlci.nouns.base import Noun


class ColumnFooter(Noun):
    """A column's statistics; None where the file does not state one for all of its parts.

    Attributes:
        nulls: Rows that are null.
        nans: Rows that are NaN.
        low: Smallest integer, or smallest moment in microseconds since 1970.
        high: Largest integer or moment.
        least: Smallest of the DOUBLE numbers that are not NaN.
        most: Largest of them.
    """

    nulls: int | None = None
    nans: int | None = None
    low: int | None = None
    high: int | None = None
    least: float | None = None
    most: float | None = None


class Footer(Noun):
    """A table's number of rows and its columns' statistics."""

    rows: int
    columns: dict[str, ColumnFooter] = {}
