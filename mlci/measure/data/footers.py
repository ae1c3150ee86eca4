"""What the footers of Parquet files prove need not be scanned.

How many floats are missing is not among it unless the file counts NaN: a footer's smallest and largest value say
nothing of them. Where neither of the two is NaN, all other numbers lie between: "NaNs should not be written to min or
max statistics fields" (Apache Parquet, `parquet.thrift`, ColumnOrder).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mlci.nouns.aggregate import Aggregate, Answers, Count, Number, Value
from mlci.nouns.condition import Missing, Outside, Present

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlci.nouns.footer import Footer
    from mlci.nouns.table_schema import TableSchema


_LARGEST = sys.float_info.max


def proven(aggregates: Iterable[Aggregate], footer: Footer, schema: TableSchema) -> Answers:
    """The aggregates that the footer answers; all others are left out."""
    values: dict[Aggregate, dict[tuple[str | None, ...], Value]] = {}
    for aggregate in aggregates:
        if aggregate.part.by or not isinstance(aggregate, Count | Number):
            continue
        value = _number(aggregate, footer) if isinstance(aggregate, Number) else _count(aggregate, footer, schema)
        # Of some of the rows a footer proves only that none is bad.
        if value is not None and (value == 0 or not aggregate.part.where):
            values[aggregate] = {(): value}
    return Answers(values)


def finite(footer: Footer) -> tuple[str, ...]:
    """The columns of floats without NaN and infinities, whose sum is finite too."""
    most = _LARGEST / 2 / max(footer.rows, 1)
    return tuple(
        name for name, seen in footer.columns.items() if seen.nans == 0 and _between(seen.least, seen.most, -most, most)
    )


def _number(aggregate: Number, footer: Footer) -> int | None:
    column = footer.columns.get(aggregate.column)
    return column.high if aggregate.what == "newest" and column is not None and not aggregate.part.where else None


def _count(aggregate: Count, footer: Footer, schema: TableSchema) -> int | None:
    match aggregate.what:
        case None:
            return footer.rows
        case Missing(column=column):
            return _missing(column, footer, schema)
        case Present(columns=(column,)):
            missing = _missing(column, footer, schema)
            return None if missing is None else footer.rows - missing
        case Present(columns=columns):
            return footer.rows if all(_missing(column, footer, schema) == 0 for column in columns) else None
        case Outside():
            return 0 if _inside(aggregate.what, footer, schema) else None
        case _:
            return None


def _missing(column: str, footer: Footer, schema: TableSchema) -> int | None:
    seen = footer.columns.get(column)
    if seen is None or seen.nulls is None:
        return None
    if schema.kind(column) != "float":
        return seen.nulls
    return None if seen.nans is None else seen.nulls + seen.nans


def _inside(condition: Outside, footer: Footer, schema: TableSchema) -> bool:
    """Whether all numbers of the column lie in the range."""
    seen, low, high = footer.columns.get(condition.column), condition.low, condition.high
    if seen is None or isinstance(low, str) or isinstance(high, str):
        return False
    if schema.kind(condition.column) == "integer":
        return _between(seen.low, seen.high, low, high)
    # Infinite values lie in no range.
    least, most = max(-_LARGEST, -_LARGEST if low is None else low), min(_LARGEST, _LARGEST if high is None else high)
    return _between(seen.least, seen.most, least, most)


def _between(least: float | None, most: float | None, low: float | None, high: float | None) -> bool:
    if least is None or most is None:
        return False
    return (low is None or least >= low) and (high is None or most <= high)
