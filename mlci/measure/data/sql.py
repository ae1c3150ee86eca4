"""A small SQL compiler: conditions and aggregates in the forms that engines have in common."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from mlci.measure.data.times import read_time
from mlci.nouns.condition import (
    Breaks,
    Condition,
    Equals,
    Missing,
    NoMatch,
    NotAmong,
    Outside,
    Over,
    Present,
    Under,
    WrongLength,
)
from mlci.nouns.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.nouns.aggregate import Part
    from mlci.nouns.condition import Scalar
    from mlci.nouns.scalars import Bound
    from mlci.nouns.table_schema import TableSchema

_LARGEST = {"FLOAT": "3.4028234663852886e38", "DOUBLE": "1.7976931348623157e308"}
_MOST_IN_LIST = 200
"""Up to so many values a list is searched for each entry of a column's dictionary; beyond, a hash table is quicker."""


def condition_sql(condition: Condition, schema: TableSchema) -> str:  # noqa: C901, PLR0911 - one case a kind
    """The condition as a boolean expression; where it is null, the row does not meet it."""
    match condition:
        case Missing(column=column):
            return _missing(column, schema)
        case Present(columns=columns):
            return " AND ".join(_present(column, schema) for column in columns)
        case Outside():
            return _outside(condition, schema)
        case NotAmong(column=column, values=values):
            return _not_among(column, values, schema)
        case NoMatch(column=column, pattern=pattern):
            return f"NOT regexp_full_match({identifier(column)}, {literal(pattern)})"
        case WrongLength(column=column, length=length):
            return _wrong_length(f"length({identifier(column)})", length)
        case Under(column=column, limit=limit, inclusive=inclusive):
            return _under(column, limit, schema, inclusive=inclusive)
        case Over(column=column, limit=limit, inclusive=inclusive):
            under = _under(column, limit, schema, inclusive=not inclusive)
            return f"{_present(column, schema)} AND NOT ({under})"
        case Equals(column=column, value=value):
            return _equals(column, value, schema)
        case Breaks(sql=sql, nulls=nulls):
            return f"NOT (\n{sql}\n)" if nulls else f"NOT coalesce((\n{sql}\n), FALSE)"


def where_sql(part: Part) -> str:
    """The conditions of a part, one after the other; empty where it is all rows."""
    return " AND ".join(f"(\n{sql}\n)" for sql in part.where)


def all_of(*conditions: str) -> str:
    """Those that are not empty, joined by AND."""
    return " AND ".join(f"({condition})" for condition in conditions if condition)


def _is_float(column: str, schema: TableSchema) -> bool:
    return schema.kind(column) == "float"


def _missing(column: str, schema: TableSchema) -> str:
    name = identifier(column)
    return f"({name} IS NULL OR isnan({name}))" if _is_float(column, schema) else f"{name} IS NULL"


def _present(column: str, schema: TableSchema) -> str:
    name = identifier(column)
    # In the engine's order NaN comes after infinity, so this one comparison leaves out both null and NaN.
    return f"{name} <= 'inf'::DOUBLE" if _is_float(column, schema) else f"{name} IS NOT NULL"


def _wrong_length(size: str, length: Bound) -> str:
    ends = []
    if math.isfinite(length.low):
        ends.append(f"{size} {'<=' if length.low_open else '<'} {_number(length.low)}")
    if math.isfinite(length.high):
        ends.append(f"{size} {'>=' if length.high_open else '>'} {_number(length.high)}")
    return f"({' OR '.join(ends)})" if ends else "FALSE"


def _outside(condition: Outside, schema: TableSchema) -> str:
    name, kind = identifier(condition.column), schema.kind(condition.column)
    low, high = condition.low, condition.high
    if kind == "float":
        cast = schema.columns[condition.column]
        largest = _LARGEST[cast]
        under = f"'{_number(low)}'::{cast}" if _finite(low) else f"'-{largest}'::{cast}"
        over = f"'{_number(high)}'::{cast}" if _finite(high) else f"'{largest}'::{cast}"
        return f"({name} < {under} OR ({name} > {over} AND NOT isnan({name})))"
    ends = []
    if _finite(low):
        ends.append(f"{name} < {_bound(low, kind, schema.columns[condition.column])}")
    if _finite(high):
        ends.append(_over(name, high, kind, schema.columns[condition.column]))
    if kind in {"timestamp", "date"}:
        ends.append(f"NOT isfinite({name})")
    return f"({' OR '.join(ends)})" if ends else "FALSE"


def _over(name: str, high: float | str | None, kind: str, cast: str) -> str:
    if kind == "timestamp" and isinstance(high, str):
        moment = read_time(high)
        if isinstance(moment, date) and not isinstance(moment, datetime):
            # A day as the upper end is meant as a whole.
            return f"{name} >= {literal(str(moment + timedelta(days=1)))}::{cast}"
    return f"{name} > {_bound(high, kind, cast)}"


def _bound(end: float | str | None, kind: str, cast: str) -> str:
    if kind in {"timestamp", "date"}:
        moment = read_time(str(end))
        return f"{literal(str(moment))}::{'TIMESTAMP' if kind == 'date' else cast}"
    return _number(end) if isinstance(end, int | float) else literal(str(end))


def _finite(end: float | str | None) -> bool:
    return end is not None and (isinstance(end, str) or math.isfinite(end))


def _number(value: float | str | None) -> str:
    """A number in plain decimal digits, so that no engine makes an inexact one of it."""
    return format(Decimal(str(value)), "f")


def _under(column: str, limit: float, schema: TableSchema, *, inclusive: bool) -> str:
    cast = schema.columns[column]
    number = f"'{_number(limit)}'::{cast}" if _is_float(column, schema) else _number(limit)
    return f"{identifier(column)} {'<=' if inclusive else '<'} {number}"


def _not_among(column: str, values: Sequence[Scalar], schema: TableSchema) -> str:
    name, kind = identifier(column), schema.kind(column)
    if kind in {"integer", "float", "decimal"}:
        numbers = [number for value in values if (number := _as_number(value)) is not None]
        if not numbers:
            return _present(column, schema)
        cast = f"::{schema.columns[column]}" if kind == "float" else ""
        listed = ", ".join(f"'{number}'{cast}" if cast else number for number in numbers)
        return f"({name} NOT IN ({listed}) AND {_present(column, schema)})"
    texts = ", ".join(literal(_as_text(value)) for value in values)
    text = name if schema.columns[column] == "VARCHAR" else f"{name}::VARCHAR"
    if len(values) > _MOST_IN_LIST:
        return f"{text} NOT IN ({texts})"
    # Evaluated once for each entry of the column's dictionary, not once a row.
    return f"(list_position([{texts}], {text}) IS NULL AND {name} IS NOT NULL)"


def _equals(column: str, value: str, schema: TableSchema) -> str:
    if schema.kind(column) in {"integer", "float", "decimal"}:
        number = _as_number(value)
        if number is None:
            return "FALSE"
        cast = f"::{schema.columns[column]}" if _is_float(column, schema) else ""
        return f"{identifier(column)} = '{number}'{cast}" if cast else f"{identifier(column)} = {number}"
    text = "" if schema.columns[column] == "VARCHAR" else "::VARCHAR"
    return f"{identifier(column)}{text} = {literal(value)}"


def _as_number(value: Scalar) -> str | None:
    try:
        number = float(value)
    except ValueError:
        return None
    if isinstance(value, bool) or not math.isfinite(number):
        return None
    return _number(value)


def _as_text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
