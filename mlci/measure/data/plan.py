"""All aggregates of a table, asked in as few queries as possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.measure.data.dialects import dialect_of
from mlci.measure.data.portable import conflicting_count, ranked_quantile, shared_rows
from mlci.measure.data.portable import conflicting_rows as portable_conflicts
from mlci.measure.data.sql import all_of, condition_sql, where_sql
from mlci.nouns.aggregate import Aggregate, Conflicting, Count, Number, Repeats, Shared
from mlci.nouns.condition import Present
from mlci.nouns.query import MOST_SLICES, KeyQuery, Plan, Query
from mlci.nouns.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlci.nouns.data_check import DataCheck
    from mlci.nouns.table_schema import TableSchema

_WORDS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
"""Types whose values fit a signed 64-bit number, so that a key need not be hashed."""


def needs(checks: Iterable[DataCheck]) -> tuple[Aggregate, ...]:
    """What the checks need, each once, in their order."""
    return tuple(dict.fromkeys(aggregate for check in checks for aggregate in check.needs))


def plan(aggregates: Iterable[Aggregate], schema: TableSchema) -> Plan:
    """One query for all that is not split, one for each way of splitting, one for each key, overlap and conflict."""
    simple: dict[tuple[str, ...], list[Count | Number]] = {}
    queries: list[Query] = []
    keys: list[KeyQuery] = []
    for aggregate in aggregates:
        match aggregate:
            case Number(what="quantile") if not dialect_of(schema).finds_quantiles:
                queries.append(ranked_quantile(aggregate, schema))
            case Number(what="quantile") if not aggregate.part.by:
                queries.append(_quantile(aggregate, schema))
            case Count() | Number():
                simple.setdefault(aggregate.part.by, []).append(aggregate)
            case Repeats() if aggregate.part.by or schema.dialect != "duckdb":
                queries.append(_plain_repeats(aggregate, schema))
            case Repeats():
                keys.append(_key_query(aggregate, schema))
            case Shared():
                queries.append(_shared(aggregate, schema))
            case Conflicting():
                queries.append(_conflicting(aggregate, schema))
    merged = [_merged(by, tuple(group), schema) for by, group in simple.items()]
    return Plan(queries=(*merged, *queries), keys=tuple(keys))


def _merged(by: tuple[str, ...], aggregates: tuple[Count | Number, ...], schema: TableSchema) -> Query:
    values = [_value(aggregate, schema) for aggregate in aggregates]
    rest = _from(schema)
    alone = tuple(_grouped(by, [value], rest, schema) for value in values)
    return Query(sql=_grouped(by, values, rest, schema), aggregates=aggregates, keys=len(by), alone=alone)


def _grouped(by: tuple[str, ...], values: Iterable[str], rest: str, schema: TableSchema) -> str:
    """SELECT the slice values, then the numbers."""
    if not by:
        return f"SELECT {', '.join(values)} {rest}"
    keys = ", ".join(_slice(column, schema) for column in by)
    # By position: an alias could be the name of a column.
    grouped = ", ".join(str(index) for index in range(1, len(by) + 1))
    return f"SELECT {keys}, {', '.join(values)} {rest} GROUP BY {grouped} LIMIT {MOST_SLICES + 1}"


def _slice(column: str, schema: TableSchema) -> str:
    dialect = dialect_of(schema)
    return dialect.slice_key(dialect.identifier(column))


def _value(aggregate: Count | Number, schema: TableSchema) -> str:
    where = where_sql(aggregate.part, schema)
    if isinstance(aggregate, Count):
        condition = condition_sql(aggregate.what, schema) if aggregate.what is not None else ""
        both = all_of(where, condition)
        # Measured: CASE stops at the first part of a condition that decides it, count_if computes all of them.
        return f"count(CASE WHEN {both} THEN 1 END)" if both else "count(*)"
    dialect, kind = dialect_of(schema), schema.kind(aggregate.column)
    name = dialect.identifier(aggregate.column)
    if aggregate.column in schema.finite and aggregate.what in {"mean", "sum"}:
        return dialect.of_finite("mean" if aggregate.what == "mean" else "sum", name, where)
    present = condition_sql(Present(columns=(aggregate.column,)), schema) if kind == "float" else ""
    rows = all_of(where, present)
    match aggregate.what:
        case "mean":
            return dialect.mean(name, rows, kind)
        case "sum":
            return dialect.sum(name, rows, kind)
        case "std" if kind == "float":
            infinite = f"({present}) AND NOT ({dialect.is_finite(name)})"
            return dialect.spread(name, where, dialect.is_finite(name), infinite)
        case "std":
            return dialect.spread(name, rows, "", "")
        case "quantile":  # of slices; a quantile of all rows has a query of its own
            return dialect.quantile(name, aggregate.quantile or 0.5, rows)
        case "newest":
            endless = dialect.endless(name)
            return dialect.newest(name, all_of(where, f"NOT ({endless})" if endless else ""))


def _quantile(aggregate: Number, schema: TableSchema) -> Query:
    """In a query of its own: the rows that are left out by WHERE cost much less than those that a FILTER leaves out."""
    among = condition_sql(aggregate.among, schema) if aggregate.among is not None else ""
    present = condition_sql(Present(columns=(aggregate.column,)), schema)
    dialect = dialect_of(schema)
    value = dialect.quantile(dialect.identifier(aggregate.column), aggregate.quantile or 0.5, "")
    rows = _from(schema, where_sql(aggregate.part, schema), present, among)
    return Query(sql=f"SELECT {value} {rows}", aggregates=(aggregate,))


def _from(schema: TableSchema, *conditions: str) -> str:
    where = all_of(*conditions)
    return f"FROM {dialect_of(schema).source(schema)}" + (f" WHERE {where}" if where else "")


def _row(columns: Iterable[str], schema: TableSchema) -> str:
    return ", ".join(dialect_of(schema).identifier(column) for column in columns)


def _plain_repeats(aggregate: Repeats, schema: TableSchema, extra: str = "") -> Query:
    by = aggregate.part.by
    rows = _from(
        schema, where_sql(aggregate.part, schema), condition_sql(Present(columns=aggregate.columns), schema), extra
    )
    slices = "".join(f"{_slice(column, schema)} AS s{index}, " for index, column in enumerate(by))
    names = "".join(f"s{index}, " for index in range(len(by)))
    places = "".join(f"{index}, " for index in range(1, len(by) + 1))
    inner = f"SELECT {slices}count(*) AS n {rows} GROUP BY {places}{_row(aggregate.columns, schema)}"
    total = dialect_of(schema).cast("coalesce(sum(n), 0) - count(*)", "BIGINT")
    sql = f"SELECT {names}{total} FROM ({inner}) AS met"
    if by:
        sql += f" GROUP BY {names[:-2]} LIMIT {MOST_SLICES + 1}"
    return Query(sql=sql, aggregates=(aggregate,), keys=len(by))


def _key_query(aggregate: Repeats, schema: TableSchema) -> KeyQuery:
    key, exact = key_sql(aggregate.columns, schema)
    rows = _from(schema, where_sql(aggregate.part, schema), condition_sql(Present(columns=aggregate.columns), schema))
    return KeyQuery(
        aggregate=aggregate,
        keys=f"SELECT key FROM (SELECT {key} AS key {rows}) WHERE {{part}}",
        exact=exact,
        plain=_plain_repeats(aggregate, schema),
        among=_plain_repeats(aggregate, schema, f"{key} IN (SELECT unnest(?))").sql,
    )


def key_sql(columns: tuple[str, ...], schema: TableSchema) -> tuple[str, bool]:
    """A key as one 64-bit number, and whether that is the key itself rather than a hash of it."""
    if len(columns) == 1 and schema.columns[columns[0]] in _WORDS:
        return f"{identifier(columns[0])}::BIGINT", True
    return f"hash({_row(columns, schema)})", False


def _shared(aggregate: Shared, schema: TableSchema) -> Query:
    by = aggregate.part.by
    if schema.dialect != "duckdb":
        rest = f"FROM ({shared_rows(aggregate, schema)}) AS mine"
        return Query(sql=_grouped(by, ["count(*)"], rest, schema), aggregates=(aggregate,), keys=len(by))
    on = " AND ".join(f"mine.{identifier(name)} = other.{identifier(name)}" for name in aggregate.columns)
    where = where_sql(aggregate.part, schema)
    mine = f"(SELECT * {_from(schema, where)})"
    rest = f"FROM {mine} AS mine SEMI JOIN {identifier(aggregate.other)} AS other ON {on}"
    return Query(sql=_grouped(by, ["count(*)"], rest, schema), aggregates=(aggregate,), keys=len(by))


def conflicting_hashes(aggregate: Conflicting, schema: TableSchema) -> str:
    """Selects the hash of every combination of features that may have several labels."""
    label = f"hash({identifier(aggregate.label)})"
    rows = _from(schema, where_sql(aggregate.part, schema))
    return (
        f"SELECT key FROM (SELECT hash({_row(aggregate.features, schema)}) AS key, {label} AS label {rows}) "
        "GROUP BY key HAVING min(label) <> max(label)"
    )


def conflicting_rows(aggregate: Conflicting, schema: TableSchema) -> str:
    """Selects the rows that agree in all features with a row of another label.

    Only rows whose hash occurs with several labels are looked at closely, so that the table need not be grouped by all
    of its columns.
    """
    features, label = _row(aggregate.features, schema), identifier(aggregate.label)
    near = f"hash({features}) IN ({conflicting_hashes(aggregate, schema)})"
    rows = _from(schema, where_sql(aggregate.part, schema), near)
    over = f"OVER (PARTITION BY {features})"
    # The hash of the label stands for it, because a null label is a label of its own here.
    return f"SELECT * {rows} QUALIFY min(hash({label})) {over} <> max(hash({label})) {over}"


def _conflicting(aggregate: Conflicting, schema: TableSchema) -> Query:
    by = aggregate.part.by
    if schema.dialect != "duckdb" and not by:
        return Query(sql=conflicting_count(aggregate, schema), aggregates=(aggregate,))
    rows = conflicting_rows if schema.dialect == "duckdb" else portable_conflicts
    rest = f"FROM ({rows(aggregate, schema)}) AS mine"
    return Query(sql=_grouped(by, ["count(*)"], rest, schema), aggregates=(aggregate,), keys=len(by))
