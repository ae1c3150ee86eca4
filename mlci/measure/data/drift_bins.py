"""The same counts as `drift_sql` in engines that have no histogram: the values are selected, and binned by the edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.measure.data.dialects import dialect_of
from mlci.measure.data.drift import compared_names
from mlci.nouns.query import Binned
from mlci.nouns.reference import NumericReference

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    rows = f"FROM {dialect.table(schema.view)}" + (f" WHERE {where}" if where else "")
    return f"SELECT {', '.join(terms)} {rows}", tuple(bins)
