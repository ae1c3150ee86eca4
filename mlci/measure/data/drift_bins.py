"""The same counts as `drift_sql` in engines that have no histogram: the values are selected, and binned by the edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.measure.data.dialects import dialect_of
from mlci.measure.data.drift import compared_names
from mlci.nouns.query import Binned
from mlci.nouns.reference import NumericReference

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    sql = f"SELECT {', '.join(terms)} {rows}"
    return sql, tuple(_counts(sql, index, each, dialect) for index, each in enumerate(bins))


def _counts(sql: str, index: int, bins: Binned, dialect: Dialect) -> Binned:
    """With the statement that counts a column of `sql` by the number of edges below its values, or by the values."""
    bucket = f"c{index}" if bins.edges is None else dialect.bucket(f"c{index}", bins.edges)
    counts = f"SELECT bucket, count(*) FROM (SELECT {bucket} AS bucket FROM ({sql}) AS v) AS met GROUP BY bucket"
    return bins.model_copy(update={"counts": counts})
