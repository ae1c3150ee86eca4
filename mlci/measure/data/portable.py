"""Keys, overlaps and conflicts in the forms that engines have in common; DuckDB has quicker ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.measure.data.dialects import dialect_of
from mlci.measure.data.sql import all_of, condition_sql, where_sql
from mlci.nouns.condition import Present

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlci.nouns.aggregate import Conflicting, Repeats, Shared
    from mlci.nouns.table_schema import TableSchema


def row(columns: Iterable[str], schema: TableSchema, prefix: str = "") -> str:
    """Columns, one after the other."""
    dialect = dialect_of(schema)
    return ", ".join(prefix + dialect.identifier(column) for column in columns)


def ordered(columns: Iterable[str], schema: TableSchema) -> str:
    """By these columns, then by all others, nulls last, so that the first rows are the same every time."""
    dialect = dialect_of(schema)
    names = dict.fromkeys((*columns, *schema.columns))
    return ", ".join(f"{dialect.identifier(name)} ASC NULLS LAST" for name in names)


def rows_of(schema: TableSchema, *conditions: str, order: bool = False) -> str:
    """Selects the rows that meet conditions; in the file's order where an engine can tell it."""
    where = all_of(*conditions)
    rows = f"SELECT {row(schema.columns, schema)} FROM {dialect_of(schema).table(schema.view)}"
    rows += f" WHERE {where}" if where else ""
    return f"{rows} ORDER BY {row(schema.order, schema)}" if order and schema.order else rows


def shared_rows(aggregate: Shared, schema: TableSchema, *conditions: str) -> str:
    """Selects the rows whose key is also in the other table."""
    dialect = dialect_of(schema)
    names = [dialect.identifier(name) for name in aggregate.columns]
    on = " AND ".join(f"mine.{name} = other.{name}" for name in names)
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
    rows = f"SELECT {columns}, {counted} FROM {dialect_of(schema).table(schema.view)} WHERE {where}"
    return f"SELECT {columns} FROM ({rows}) AS counted WHERE mlci_times > 1"


def conflicting_count(aggregate: Conflicting, schema: TableSchema) -> str:
    """Selects the number of rows that agree in all features with a row of another label."""
    label = dialect_of(schema).identifier(aggregate.label)
    features = row(aggregate.features, schema)
    labels = f"count(DISTINCT {label}) + max(CASE WHEN {label} IS NULL THEN 1 ELSE 0 END) AS labels"
    rows = f"({rows_of(schema, where_sql(aggregate.part, schema))}) AS mine"
    groups = f"SELECT count(*) AS n, {labels} FROM {rows} GROUP BY {features}"
    return f"SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM ({groups}) AS met WHERE labels > 1"


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
