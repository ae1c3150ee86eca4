"""Numbers that show how a column's values moved between two versions of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlci.nouns.sql import identifier
from mlci.nouns.table_diff import ColumnStats

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from mlci.nouns.table_schema import TableSchema

QUANTILES = (0.05, 0.5, 0.95)
_TOP = 20
_BYTES_A_VALUE = 16
"""What a value costs where a quantile is exact."""


def unequal_columns(
    connection: duckdb.DuckDBPyConnection, old: TableSchema, new: TableSchema, columns: Mapping[str, str]
) -> tuple[str, ...]:
    """The columns whose values are not the same as a whole, in any order.

    Args:
        connection: The session.
        old: Schema of the old version.
        new: Schema of the new version.
        columns: Column → the form in which it is compared.
    """
    if not columns:
        return ()
    terms = ", ".join(f"coalesce(sum(hash({form})::HUGEINT), 0), count(*)" for form in columns.values())
    before, after = (
        connection.execute(f"SELECT {terms} FROM {identifier(schema.view)}").fetchone() or () for schema in (old, new)
    )
    return tuple(
        name
        for place, name in enumerate(columns)
        if before[2 * place : 2 * place + 2] != after[2 * place : 2 * place + 2]
    )


def column_stats(
    connection: duckdb.DuckDBPyConnection, schema: TableSchema, name: str, rows: int, memory: int
) -> ColumnStats:
    """The column's numbers; quantiles are exact where they fit into half of the memory, else within about 1 %."""
    kind, column, view = schema.kind(name), identifier(name), identifier(schema.view)
    missing = f"count(*) FILTER ({column} IS NULL{f' OR isnan({column})' if kind == 'float' else ''})"
    terms = {"missing": missing}
    finite = f"FILTER (isfinite({column}))" if kind in {"float", "timestamp", "date"} else ""
    if kind in {"integer", "float", "decimal"}:
        exact = rows * _BYTES_A_VALUE <= memory / 2
        function = "quantile_cont" if exact else "approx_quantile"
        terms["mean"] = f"avg({column}::DOUBLE) {finite}"
        terms["quantiles"] = f"{function}({column}::DOUBLE, {list(QUANTILES)}) {finite}"
    if kind == "boolean":
        terms["share_true"] = f"avg({column}::INTEGER)"
    if kind not in {"boolean", "string", "other"}:
        terms["low"], terms["high"] = f"(min({column}) {finite})::VARCHAR", f"(max({column}) {finite})::VARCHAR"
    if kind == "string":
        terms["distinct"] = f"approx_count_distinct({column})"
    values = connection.execute(f"SELECT {', '.join(terms.values())} FROM {view}").fetchone() or ()
    seen: dict[str, Any] = dict(zip(terms, values, strict=True))
    if (found := seen.pop("quantiles", None)) is not None:
        seen["quantiles"] = dict(zip(QUANTILES, found, strict=True))
    if kind == "string":
        seen["top"] = tuple(
            connection.execute(
                f"SELECT {column}::VARCHAR AS value, count(*) AS times FROM {view} WHERE {column} IS NOT NULL "
                f"GROUP BY value ORDER BY times DESC, value LIMIT {_TOP}"
            ).fetchall()
        )
    return ColumnStats(rows=rows, **seen)
