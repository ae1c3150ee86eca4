"""The rows that break a check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.measure.data.dialects import dialect_of
from mlci.measure.data.plan import conflicting_rows, key_sql
from mlci.measure.data.portable import conflicting_rows as portable_conflicts
from mlci.measure.data.portable import ordered, repeated_rows, row, rows_of, shared_rows
from mlci.measure.data.sql import all_of, condition_sql, where_sql
from mlci.nouns.aggregate import Conflicting, Repeats, Shared
from mlci.nouns.condition import Present
from mlci.nouns.data_check import ShareOf
from mlci.nouns.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.nouns.aggregate import SliceKey
    from mlci.nouns.data_check import DataCheck
    from mlci.nouns.table_schema import TableSchema

_MOST_COLUMNS = 12
_MOST_HINTS = 5
"""Keys of which each has two rows at least: ten rows are shown, and each further key would be looked for in vain."""


def broken_rows(check: DataCheck, key: SliceKey, schema: TableSchema, hints: Sequence[int] = ()) -> str | None:
    """Selects all rows of a slice that break a check; None where no single row does.

    Args:
        check: The check.
        key: The slice.
        schema: The table.
        hints: Some of the repeated keys, where that is enough.
    """
    reading = check.reading
    if not isinstance(reading, ShareOf):
        return None
    pairs = zip(check.part.by, key, strict=True) if key else ()
    dialect = dialect_of(schema)
    sliced = [dialect.same_text(dialect.identifier(name), schema.columns[name], value) for name, value in pairs]
    if schema.dialect != "duckdb":
        return _portable(check, reading, sliced, schema)
    rows = f"SELECT * FROM {identifier(schema.view)}"
    match reading.bad:
        case Repeats(columns=columns):
            return _repeated(rows, columns, all_of(where_sql(check.part, schema), *sliced), schema, hints)
        case Shared(other=other, columns=columns):
            on = " AND ".join(f"mine.{identifier(name)} = other.{identifier(name)}" for name in columns)
            mine = _filtered(rows, all_of(where_sql(check.part, schema), *sliced))
            order = _order(columns, schema, "mine.")
            return (
                f"SELECT mine.* FROM ({mine}) AS mine SEMI JOIN {identifier(other)} AS other ON {on} ORDER BY {order}"
            )
        case Conflicting():
            order = _order(reading.bad.features, schema)
            found = _filtered(f"SELECT * FROM ({conflicting_rows(reading.bad, schema)})", all_of(*sliced))
            return f"{found} ORDER BY {order}"
        case _:
            if reading.shows is None:
                return None
            return _filtered(rows, all_of(where_sql(check.part, schema), *sliced, condition_sql(reading.shows, schema)))


def _portable(check: DataCheck, reading: ShareOf, sliced: Sequence[str], schema: TableSchema) -> str | None:
    """The same in the forms that engines have in common."""
    match reading.bad:
        case Repeats(columns=columns):
            return f"{repeated_rows(reading.bad, schema, *sliced)} ORDER BY {ordered(columns, schema)}"
        case Shared(columns=columns):
            return f"{shared_rows(reading.bad, schema, *sliced)} ORDER BY {ordered(columns, schema)}"
        case Conflicting(features=features):
            found = f"SELECT {row(schema.columns, schema)} FROM ({portable_conflicts(reading.bad, schema)}) AS mine"
            return f"{_filtered(found, all_of(*sliced))} ORDER BY {ordered(features, schema)}"
        case _:
            if reading.shows is None:
                return None
            where = where_sql(check.part, schema)
            return rows_of(schema, where, *sliced, condition_sql(reading.shows, schema), order=True)


def _filtered(rows: str, condition: str) -> str:
    return f"{rows} WHERE {condition}" if condition else rows


def _order(columns: tuple[str, ...], schema: TableSchema, prefix: str = "") -> str:
    """By these columns, then by all others, so that the first rows are the same every time."""
    return ", ".join(f"{prefix}{identifier(name)}" for name in dict.fromkeys((*columns, *schema.columns)))


def _repeated(rows: str, columns: tuple[str, ...], where: str, schema: TableSchema, hints: Sequence[int]) -> str:
    order, together = _order(columns, schema), ", ".join(identifier(name) for name in columns)
    key, _ = key_sql(columns, schema)
    present = condition_sql(Present(columns=columns), schema)
    if hints:
        listed = ", ".join(str(hint) for hint in sorted(hints)[:_MOST_HINTS])
        return f"{_filtered(rows, all_of(where, present, f'{key} IN ({listed})'))} ORDER BY {order}"
    found = _filtered(rows, all_of(where, present))
    return f"{found} QUALIFY count(*) OVER (PARTITION BY {together}) > 1 ORDER BY {order}"


def shown_columns(check: DataCheck, schema: TableSchema, id_column: str | None) -> tuple[str, ...]:
    """The columns of an example: the id, those that the check speaks of, then the table's first ones."""
    reading = check.reading
    told: tuple[str, ...] = ()
    if isinstance(reading, ShareOf) and isinstance(reading.bad, Repeats | Shared):
        told = reading.bad.columns
    wanted = (id_column, check.column, *told, *check.part.by, *schema.columns)
    names = dict.fromkeys(name for name in wanted if name is not None and name in schema.columns)
    return tuple(names)[:_MOST_COLUMNS]
