"""What was measured of two versions of a table."""

from __future__ import annotations

from mlci.nouns.base import Noun
from mlci.nouns.report import RowChange

MOST_EXAMPLES = 10
"""So many changed cells are shown."""


class ColumnStats(Noun):
    """A column in one version.

    Attributes:
        rows: Rows of the table.
        missing: Rows that are null or NaN.
        distinct: About how many different values there are.
        share_true: Of the rows that are true or false.
        mean: Mean of the finite numbers.
        low: Smallest finite value, as the engine writes it.
        high: Largest finite value, as the engine writes it.
        quantiles: Quantile → value, for numbers.
        top: The most frequent texts, each with the number of its rows.
    """

    rows: int
    missing: int
    distinct: int | None = None
    share_true: float | None = None
    mean: float | None = None
    low: str | None = None
    high: str | None = None
    quantiles: dict[float, float] = {}
    top: tuple[tuple[str, int], ...] = ()


class RowCounts(Noun):
    """What became of the rows.

    Attributes:
        added: Rows that only the new version has.
        removed: Rows that only the old version has.
        changed: Rows with the same key and other values; None without a key.
        repeated_old: Keys that stand on several rows of the old version.
        repeated_new: The same in the new version.
        unpaired: Changed rows of repeated keys, of which nobody can say which became which.
    """

    added: int
    removed: int
    changed: int | None = None
    repeated_old: int = 0
    repeated_new: int = 0
    unpaired: int = 0


class TableDiff(Noun):
    """Two versions of a table, set against each other.

    Attributes:
        key: Columns that tell a row; empty where rows are told by all their values.
        rows_old: Rows of the old version.
        rows_new: Rows of the new version.
        types_old: Columns of the old version with the engine's types.
        types_new: Columns of the new version.
        counts: What became of the rows.
        cells: Column → rows in which it changed, where not none.
        stats: Column → its numbers in both versions, for the columns whose values are not the same as a whole.
        examples: Some changed cells.
    """

    key: tuple[str, ...] = ()
    rows_old: int
    rows_new: int
    types_old: dict[str, str]
    types_new: dict[str, str]
    counts: RowCounts
    cells: dict[str, int] = {}
    stats: dict[str, tuple[ColumnStats, ColumnStats]] = {}
    examples: tuple[RowChange, ...] = ()
