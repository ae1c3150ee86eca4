"""Keys, overlaps and conflicts in the forms that engines have in common; DuckDB has quicker ones."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from mlci.measure.data.dialects import dialect_of
from mlci.measure.data.sql import all_of, condition_sql, where_sql
from mlci.nouns.condition import Present
from mlci.nouns.query import MOST_SLICES, Query

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlci.nouns.aggregate import Conflicting, Number, Repeats, Shared
    from mlci.nouns.table_schema import TableSchema


def row(columns: Iterable[str], schema: TableSchema, prefix: str = "") -> str:
    """Columns, one after the other."""
    dialect = dialect_of(schema)
    return ", ".join(prefix + dialect.identifier(column) for column in columns)


def ordered(columns: Iterable[str], schema: TableSchema) -> str:
    """By these columns, then by all others, nulls last, so that the first rows are the same every time."""
    dialect = dialect_of(schema)
    names = dict.fromkeys((*columns, *schema.columns))
    return ", ".join(dialect.nulls_last(dialect.identifier(name)) for name in names)


def rows_of(schema: TableSchema, *conditions: str, order: bool = False) -> str:
    """Selects the rows that meet conditions; in the file's order where an engine can tell it."""
    where = all_of(*conditions)
    rows = f"SELECT {row(schema.columns, schema)} FROM {dialect_of(schema).source(schema)}"
    rows += f" WHERE {where}" if where else ""
    return f"{rows} ORDER BY {row(schema.order, schema)}" if order and schema.order else rows


def ranked_quantile(aggregate: Number, schema: TableSchema) -> Query:
    """The quantile of every slice by the rank of its rows, where an engine has no exact quantile."""
    dialect, by = dialect_of(schema), aggregate.part.by
    among = condition_sql(aggregate.among, schema) if aggregate.among is not None else ""
    present = condition_sql(Present(columns=(aggregate.column,)), schema)
    rows = all_of(where_sql(aggregate.part, schema), present, among)
    keys = [(f"s{place}", dialect.slice_key(dialect.identifier(name))) for place, name in enumerate(by)]
    sliced = f"PARTITION BY {', '.join(key for _, key in keys)}" if by else ""
    named = "".join(f"{key} AS {name}, " for name, key in keys)
    value = dialect.identifier(aggregate.column)
    ranked = (
        f"SELECT {named}{value} AS v, row_number() OVER ({sliced} ORDER BY {value}) AS mlci_rank,"
        f" count(*) OVER ({sliced}) AS mlci_rows FROM {dialect.source(schema)} WHERE {rows}"
    )
    names = "".join(f"{name}, " for name, _ in keys)
    exact = format(Decimal(repr(aggregate.quantile or 0.5)), "f")
    smallest = dialect.cast("min(v)", "DOUBLE")
    sql = f"SELECT {names}{smallest} FROM ({ranked}) AS met WHERE mlci_rank >= {exact} * mlci_rows"
    if by:
        sql += f" GROUP BY {names[:-2]} LIMIT {MOST_SLICES + 1}"
    return Query(sql=sql, aggregates=(aggregate,), keys=len(by))


def shared_rows(aggregate: Shared, schema: TableSchema, *conditions: str) -> str:
    """Selects the rows whose key is also in the other table."""
    dialect = dialect_of(schema)
    names = [(dialect.identifier(name), schema.columns[name]) for name in aggregate.columns]
    on = " AND ".join(f"mine.{name} = {dialect.compared(f'other.{name}', kind)}" for name, kind in names)
    mine = rows_of(schema, where_sql(aggregate.part, schema), *conditions)
    other = dialect.table(aggregate.other)
    columns = row(schema.columns, schema, "mine.")
    return f"SELECT {columns} FROM ({mine}) AS mine WHERE EXISTS (SELECT 1 FROM {other} AS other WHERE {on})"


def repeated_rows(aggregate: Repeats, schema: TableSchema, *conditions: str) -> str:
    """Selects the rows whose key another row has too."""
    present = condition_sql(Present(columns=aggregate.columns), schema)
    where = all_of(where_sql(aggregate.part, schema), present, *conditions)
    columns = row(schema.columns, schema)
    counted = f"count(*) OVER (PARTITION BY {row(aggregate.columns, schema)}) AS mlci_times"
    rows = f"SELECT {columns}, {counted} FROM {dialect_of(schema).source(schema)} WHERE {where}"
    return f"SELECT {columns} FROM ({rows}) AS counted WHERE mlci_times > 1"


def conflicting_count(aggregate: Conflicting, schema: TableSchema) -> str:
    """Selects the number of rows that agree in all features with a row of another label."""
    label = dialect_of(schema).identifier(aggregate.label)
    features = row(aggregate.features, schema)
    labels = f"count(DISTINCT {label}) + max(CASE WHEN {label} IS NULL THEN 1 ELSE 0 END) AS labels"
    rows = f"({rows_of(schema, where_sql(aggregate.part, schema))}) AS mine"
    groups = f"SELECT count(*) AS n, {labels} FROM {rows} GROUP BY {features}"
    total = dialect_of(schema).cast("coalesce(sum(n), 0)", "BIGINT")
    return f"SELECT {total} FROM ({groups}) AS met WHERE labels > 1"


def conflicting_rows(aggregate: Conflicting, schema: TableSchema) -> str:
    """Selects those rows; a missing label is a label of its own."""
    dialect = dialect_of(schema)
    label = dialect.identifier(aggregate.label)
    if schema.kind(aggregate.label) == "boolean":  # which has no smallest value everywhere
        label = dialect.as_text(label, schema.columns[aggregate.label])
    over = f"OVER (PARTITION BY {row(aggregate.features, schema)})"
    columns = row(schema.columns, schema)
    values = (
        f"min({label}) {over} AS mlci_low, max({label}) {over} AS mlci_high, "
        f"count({label}) {over} AS mlci_held, count(*) {over} AS mlci_rows"
    )
    rows = f"SELECT {columns}, {values} FROM ({rows_of(schema, where_sql(aggregate.part, schema))}) AS mine"
    several = "mlci_low <> mlci_high OR (mlci_held > 0 AND mlci_held < mlci_rows)"
    return f"SELECT {columns} FROM ({rows}) AS met WHERE {several}"
