"""A small SQL compiler: conditions and aggregates in the forms that engines have in common."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from mlci.measure.data.dialects import dialect_of
from mlci.measure.data.dialects.base import all_of
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

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.measure.data.dialects.base import Dialect
    from mlci.nouns.aggregate import Part
    from mlci.nouns.condition import Scalar
    from mlci.nouns.scalars import Bound
    from mlci.nouns.table_schema import TableSchema

_LARGEST = {"FLOAT": "3.4028234663852886e38", "DOUBLE": "1.7976931348623157e308"}
__all__ = ["all_of", "condition_sql", "where_sql"]


def condition_sql(condition: Condition, schema: TableSchema) -> str:  # noqa: C901, PLR0911 - one case a kind
    """The condition as a boolean expression; where it is null, the row does not meet it."""
    dialect = dialect_of(schema)
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
            return dialect.mismatch(dialect.identifier(column), pattern)
        case WrongLength(column=column, length=length):
            return _wrong_length(dialect.length(dialect.identifier(column)), length)
        case Under(column=column, limit=limit, inclusive=inclusive):
            return _under(column, limit, schema, inclusive=inclusive)
        case Over(column=column, limit=limit, inclusive=inclusive):
            under = _under(column, limit, schema, inclusive=not inclusive)
            return f"{_present(column, schema)} AND NOT ({under})"
        case Equals(column=column, value=value):
            return _equals(column, value, schema)
        case Breaks(sql=sql, nulls=nulls):
            own = schema.conditions.get(sql, sql)
            return f"NOT (\n{own}\n)" if nulls else f"NOT coalesce((\n{own}\n), FALSE)"


def where_sql(part: Part, schema: TableSchema) -> str:
    """The conditions of a part, one after the other; empty where it is all rows."""
    return " AND ".join(f"(\n{schema.conditions.get(sql, sql)}\n)" for sql in part.where)


def _is_float(column: str, schema: TableSchema) -> bool:
    return schema.kind(column) == "float"


def _missing(column: str, schema: TableSchema) -> str:
    dialect = dialect_of(schema)
    name = dialect.identifier(column)
    return f"({name} IS NULL OR {dialect.is_nan(name)})" if _is_float(column, schema) else f"{name} IS NULL"


def _present(column: str, schema: TableSchema) -> str:
    dialect = dialect_of(schema)
    name = dialect.identifier(column)
    return dialect.has_number(name) if _is_float(column, schema) else f"{name} IS NOT NULL"


def _wrong_length(size: str, length: Bound) -> str:
    ends = []
    if math.isfinite(length.low):
        ends.append(f"{size} {'<=' if length.low_open else '<'} {_number(length.low)}")
    if math.isfinite(length.high):
        ends.append(f"{size} {'>=' if length.high_open else '>'} {_number(length.high)}")
    return f"({' OR '.join(ends)})" if ends else "FALSE"


def _outside(condition: Outside, schema: TableSchema) -> str:
    dialect = dialect_of(schema)
    name, kind = dialect.identifier(condition.column), schema.kind(condition.column)
    cast = schema.columns[condition.column]
    low, high = condition.low, condition.high
    if kind == "float":
        largest = _LARGEST[cast]
        under = dialect.number(_number(low) if _finite(low) else f"-{largest}", cast)
        over = dialect.number(_number(high) if _finite(high) else largest, cast)
        return f"({name} < {under} OR ({name} > {over} AND NOT {dialect.is_nan(name)}))"
    if kind == "string":
        name = dialect.in_order(name)
    ends = []
    if _finite(low):
        ends.append(f"{name} < {_bound(low, kind, cast, dialect)}")
    if _finite(high):
        ends.append(_over(name, high, kind, cast, dialect))
    if kind in {"timestamp", "date"} and (endless := dialect.endless(name)):
        ends.append(endless)
    return f"({' OR '.join(ends)})" if ends else "FALSE"


def _over(name: str, high: float | str | None, kind: str, cast: str, dialect: Dialect) -> str:
    if kind == "timestamp" and isinstance(high, str):
        moment = read_time(high)
        if isinstance(moment, date) and not isinstance(moment, datetime):
            # A day as the upper end is meant as a whole.
            return f"{name} >= {dialect.moment(str(moment + timedelta(days=1)), cast)}"
    return f"{name} > {_bound(high, kind, cast, dialect)}"


def _bound(end: float | str | None, kind: str, cast: str, dialect: Dialect) -> str:
    if kind in {"timestamp", "date"}:
        return dialect.moment(str(read_time(str(end))), "TIMESTAMP" if kind == "date" else cast)
    return _number(end) if isinstance(end, int | float) else dialect.text(str(end))


def _finite(end: float | str | None) -> bool:
    return end is not None and (isinstance(end, str) or math.isfinite(end))


def _number(value: float | str | None) -> str:
    """A number in plain decimal digits, so that no engine makes an inexact one of it."""
    return format(Decimal(str(value)), "f")


def _under(column: str, limit: float, schema: TableSchema, *, inclusive: bool) -> str:
    dialect = dialect_of(schema)
    number = _number(limit)
    if _is_float(column, schema):
        number = dialect.number(number, schema.columns[column])
    return f"{dialect.identifier(column)} {'<=' if inclusive else '<'} {number}"


def _not_among(column: str, values: Sequence[Scalar], schema: TableSchema) -> str:
    dialect = dialect_of(schema)
    name, kind, cast = dialect.identifier(column), schema.kind(column), schema.columns[column]
    if kind in {"integer", "float", "decimal"}:
        numbers = [number for value in values if (number := _as_number(value)) is not None]
        if not numbers:
            return _present(column, schema)
        listed = ", ".join(dialect.number(number, cast) if kind == "float" else number for number in numbers)
        return f"({name} NOT IN ({listed}) AND {_present(column, schema)})"
    return dialect.none_of(name, dialect.as_text(name, cast), [_as_text(value) for value in values])


def _equals(column: str, value: str, schema: TableSchema) -> str:
    dialect = dialect_of(schema)
    name, cast = dialect.identifier(column), schema.columns[column]
    if schema.kind(column) in {"integer", "float", "decimal"}:
        number = _as_number(value)
        if number is None:
            return "FALSE"
        return f"{name} = {dialect.number(number, cast) if _is_float(column, schema) else number}"
    return f"{dialect.as_text(name, cast)} = {dialect.text(value)}"


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
