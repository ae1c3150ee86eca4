"""The one query that counts today's values in the bins of a reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlci.measure.data.drift import categorical_shift, compared_names, numeric_shift
from mlci.measure.data.sql import all_of
from mlci.nouns.reference import CategoricalReference, NumericReference
from mlci.nouns.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlci.nouns.reference import ColumnReference
    from mlci.nouns.shift import CategoricalShift, NumericShift
    from mlci.nouns.table_schema import TableSchema

_NUMERIC = frozenset({"integer", "float", "decimal", "timestamp", "date"})
_CATEGORICAL = frozenset({"string", "boolean"})


def kind_of_drift(column: str, schema: TableSchema) -> str | None:
    """`numeric`, `categorical`, or None for a column whose values can't be compared."""
    kind = schema.kind(column)
    return "numeric" if kind in _NUMERIC else "categorical" if kind in _CATEGORICAL else None


def number_sql(column: str, schema: TableSchema) -> str:
    """A numeric column's values as DOUBLE; timestamps as seconds since 1970."""
    name = identifier(column)
    return f"epoch({name})" if schema.kind(column) in {"timestamp", "date"} else f"CAST({name} AS DOUBLE)"


def present_sql(column: str, schema: TableSchema) -> str:
    """The rows that have a value: neither null nor NaN."""
    # NaN comes after infinity in the engine's order.
    return f"{number_sql(column, schema)} <= 'inf'::DOUBLE"


def histogram_sql(column: str, edges: Sequence[float], schema: TableSchema, where: str = "") -> str:
    """Counts a numeric column's values up to each edge, and above the last."""
    listed = ", ".join(repr(edge) for edge in edges)
    kept = all_of(where, present_sql(column, schema))
    return f"histogram({number_sql(column, schema)}, [{listed}]::DOUBLE[]) FILTER (WHERE {kept})"


def drift_sql(columns: Mapping[str, ColumnReference], schema: TableSchema, where: str) -> str:
    """Selects one row: two values for each column, read by `shift_of`."""
    terms: list[str] = []
    for column, reference in columns.items():
        name = identifier(column)
        if isinstance(reference, NumericReference):
            terms += [histogram_sql(column, reference.edges, schema, where), "0"]
            continue
        names = ", ".join(literal(value) for value in compared_names(reference))
        text = name if schema.columns[column] == "VARCHAR" else f"{name}::VARCHAR"
        place = f"coalesce(list_position([{names}], {text}), 0)" if names else "0"
        terms += [
            f"histogram({place}) FILTER (WHERE {all_of(where, f'{name} IS NOT NULL')})",
            f"count(CASE WHEN {all_of(where, f'{name} IS NULL')} THEN 1 END)",
        ]
    return f"SELECT {', '.join(terms)} FROM {identifier(schema.view)}"


def shift_of(
    reference: ColumnReference, counts: Mapping[Any, int] | None, missing: int
) -> NumericShift | CategoricalShift | None:
    """What the query's two values of a column say; None where there is no value to compare."""
    if isinstance(reference, CategoricalReference):
        if reference.rows + reference.missing == 0 or not (counts or missing):
            return None
        return categorical_shift(reference, counts or {}, missing)
    if not counts or reference.rows == 0:
        return None
    return numeric_shift(reference, bin_counts(reference.edges, counts))


def bin_counts(edges: Sequence[float], counts: Mapping[float, int]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The engine's map from edge to count as an array, what is above the last edge at its end."""
    inside = [counts.get(edge, 0) for edge in edges]
    return np.array([*inside, sum(counts.values()) - sum(inside)], dtype=np.int64)
