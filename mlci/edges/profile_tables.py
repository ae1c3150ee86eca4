"""Look at a table's columns, for a proposal of what to promise of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

from mlci.edges.duck import world_error
from mlci.nouns.profile import MOST_VALUES, ColumnProfile, TableProfile
from mlci.nouns.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from mlci.nouns.table_schema import Kind, TableSchema

_NEAR = 0.85
"""An approximate count of distinct values is off by a few percent."""


def profile_table(
    connection: duckdb.DuckDBPyConnection, schema: TableSchema, keys: Collection[str] = ()
) -> TableProfile:
    """Read all columns once, then only those again that may be categories or keys.

    Args:
        connection: A session in which the table is open.
        schema: Its columns.
        keys: Columns whose uniqueness is asked for in any case.

    Raises:
        WorldError: The rows can't be read.
    """
    try:
        return _profile(connection, schema, keys)
    except duckdb.Error as error:
        raise world_error(error, schema.path) from error


def _profile(connection: duckdb.DuckDBPyConnection, schema: TableSchema, keys: Collection[str]) -> TableProfile:
    asks = [_aggregates(name, schema.kind(name)) for name in schema.columns]
    terms = ["count(*)", *(term for ask in asks for term in ask.values())]
    answer = iter(_row(connection, f"SELECT {', '.join(terms)} FROM {identifier(schema.view)}"))
    rows = next(answer)
    columns = []
    for name, ask in zip(schema.columns, asks, strict=True):
        seen = {word: next(answer) for word in ask}
        seen["missing"] = rows - seen.pop("present")
        columns.append(
            ColumnProfile(
                name=name,
                type_name=schema.columns[name],
                kind=schema.kind(name),
                **seen,
            )
        )
    columns = _with_values(connection, schema, columns)
    return TableProfile(
        path=schema.path, rows=rows, columns=tuple(_with_key(connection, schema, item, rows, keys) for item in columns)
    )


def matching(connection: duckdb.DuckDBPyConnection, schema: TableSchema, patterns: Mapping[str, str]) -> frozenset[str]:
    """Those columns all of whose texts match their pattern as a whole.

    Raises:
        WorldError: The rows can't be read.
    """
    if not patterns:
        return frozenset()
    terms = ", ".join(
        f"bool_and(regexp_full_match({identifier(name)}::VARCHAR, {literal(pattern)}))"
        for name, pattern in patterns.items()
    )
    try:
        held = _row(connection, f"SELECT {terms} FROM {identifier(schema.view)}")
    except duckdb.Error as error:
        raise world_error(error, schema.path) from error
    return frozenset(name for name, holds in zip(patterns, held, strict=True) if holds)


def _row(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    return connection.execute(sql).fetchone() or ()


def _aggregates(name: str, kind: Kind) -> dict[str, str]:
    """What is asked of a column of this kind, by the field of `ColumnProfile` that it fills."""
    column = identifier(name)
    if kind == "other":
        return {"present": f"count({column})"}
    if kind == "boolean":
        return {"present": f"count({column})", "true": f"count(*) FILTER ({column})"}
    asks = {"present": f"count({column})", "distinct": f"approx_count_distinct({column})"}
    if kind == "string":
        text = f"{column}::VARCHAR"
        return {
            **asks,
            "low": f"min({text})",
            "shortest": f"min(length({text}))",
            "longest": f"max(length({text}))",
        }
    if kind == "float":
        asks["present"] = f"count(*) FILTER ({column} <= 'inf'::DOUBLE)"
    if kind in {"float", "timestamp", "date"}:
        finite = f"FILTER (isfinite({column}))"
        asks["infinite"] = f"count(*) FILTER (isinf({column}))"
    else:
        finite = ""
    asks["low"], asks["high"] = f"(min({column}) {finite})::VARCHAR", f"(max({column}) {finite})::VARCHAR"
    if kind in {"timestamp", "date"}:
        asks["newest"] = f"epoch(max({column}) {finite})"
    return asks


def _with_values(
    connection: duckdb.DuckDBPyConnection, schema: TableSchema, columns: list[ColumnProfile]
) -> list[ColumnProfile]:
    """Add the values of text columns that have few of them: one scan of those columns."""
    few = [item.name for item in columns if item.kind == "string" and 0 < item.distinct <= MOST_VALUES * 1.2]
    if not few:
        return columns
    terms = ", ".join(f"histogram({identifier(name)}::VARCHAR)" for name in few)
    counts = dict(zip(few, _row(connection, f"SELECT {terms} FROM {identifier(schema.view)}"), strict=True))
    found = []
    for item in columns:
        seen = counts.get(item.name)
        if seen is None or len(seen) > MOST_VALUES:
            found.append(item)
            continue
        values = tuple(sorted(seen, key=lambda value: (-seen[value], value)))
        found.append(item.model_copy(update={"values": values, "distinct": len(values)}))
    return found


def _with_key(
    connection: duckdb.DuckDBPyConnection,
    schema: TableSchema,
    item: ColumnProfile,
    rows: int,
    keys: Collection[str],
) -> ColumnProfile:
    """Add whether a column that looks like a key really is one; the grouping spills to disk."""
    likely = item.kind in {"integer", "string"} and item.missing == 0 and item.distinct >= _NEAR * rows
    if not (likely or (item.name in keys and item.kind != "other")):
        return item
    column = identifier(item.name)
    sql = (
        f"SELECT coalesce(max(times), 1) = 1 FROM (SELECT count(*) AS times FROM {identifier(schema.view)} "
        f"WHERE {column} IS NOT NULL GROUP BY {column})"
    )
    return item.model_copy(update={"unique": bool(_row(connection, sql)[0])})
