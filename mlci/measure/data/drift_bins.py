"""The same counts as `drift_sql` in engines that have no histogram: the values are selected, and binned by the edge."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from mlci.measure.data.dialects import dialect_of
from mlci.measure.data.drift import compared_names
from mlci.nouns.query import Binned
from mlci.nouns.reference import NumericReference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlci.measure.data.dialects.base import Dialect
    from mlci.nouns.reference import ColumnReference
    from mlci.nouns.table_schema import TableSchema


def binned_values(
    columns: Mapping[str, ColumnReference], schema: TableSchema, where: str
) -> tuple[str, tuple[Binned, ...]]:
    """Selects the columns' values as DOUBLE or as text, and how each of them is counted."""
    dialect = dialect_of(schema)
    terms: list[str] = []
    bins: list[Binned] = []
    for index, (column, reference) in enumerate(columns.items()):
        name, kind = dialect.identifier(column), schema.columns[column]
        if isinstance(reference, NumericReference):
            moment = schema.kind(column) in {"timestamp", "date"}
            value = dialect.seconds(name) if moment else dialect.cast(name, "DOUBLE")
            bins.append(Binned(edges=reference.edges))
        else:
            value = dialect.as_text(name, kind)
            bins.append(Binned(names=compared_names(reference)))
        terms.append(f"{value} AS c{index}")
    rows = f"FROM {dialect.source(schema)}" + (f" WHERE {where}" if where else "")
    return f"SELECT {', '.join(terms)} {rows}", tuple(bins)


def bucket_counts(sql: str, name: str, bins: Binned, dialect: Dialect) -> str:
    """Selects how many values of a column of `sql` are in each bin: the number of edges below, or the value itself."""
    bucket = name if bins.edges is None else dialect.bucket(name, bins.edges)
    return f"SELECT bucket, count(*) FROM (SELECT {bucket} AS bucket FROM ({sql}) AS v) AS met GROUP BY bucket"


def read_buckets(found: Sequence[tuple[Any, int]], bins: Binned) -> tuple[dict[float, int], int]:
    """The counts by upper edge, infinity above the last, or by the place in the list of names; and of no value."""
    counts: dict[float, int] = {}
    edges = (*(bins.edges or ()), math.inf)
    places = {value: place for place, value in enumerate(bins.names, start=1)}
    for bucket, rows in found:
        if bucket is not None:
            key = places.get(bucket, 0) if bins.edges is None else edges[int(bucket)]
            counts[key] = counts.get(key, 0) + int(rows)
    return counts, sum(int(rows) for bucket, rows in found if bucket is None)
