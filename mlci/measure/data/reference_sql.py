"""The queries behind the statistics of a reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.measure.data.drift_sql import histogram_sql, number_sql, present_sql
from mlci.nouns.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.nouns.table_schema import TableSchema


def values_sql(column: str, schema: TableSchema, sample: int | None) -> str:
    """Selects the values of a numeric column, or as many of them as `sample` says, drawn at random."""
    drawn = f" USING SAMPLE reservoir({sample} ROWS) REPEATABLE (1)" if sample is not None else ""
    rows = f"FROM {identifier(schema.view)} WHERE {present_sql(column, schema)}"
    return f"SELECT {number_sql(column, schema)} {rows}{drawn}"


def counts_sql(column: str, edges: Sequence[float], schema: TableSchema) -> str:
    """Selects the histogram of a numeric column."""
    return f"SELECT {histogram_sql(column, edges, schema)} FROM {identifier(schema.view)}"


def distinct_sql(column: str, schema: TableSchema) -> str:
    """Selects the number of values of a column, and about how many different ones there are."""
    name = identifier(column)
    return f"SELECT count({name}), approx_count_distinct({name}) FROM {identifier(schema.view)}"


def names_sql(column: str, schema: TableSchema) -> str:
    """Selects the values of a column and how often each occurs, the most frequent first."""
    name = identifier(column)
    rows = f"FROM {identifier(schema.view)} WHERE {name} IS NOT NULL"
    return f"SELECT {name}::VARCHAR, count(*) {rows} GROUP BY 1 ORDER BY 2 DESC, 1"
