"""How names and values are written in SQL, whatever characters they hold."""

from __future__ import annotations

import math
from datetime import date, datetime


def identifier(name: str) -> str:
    """A column or table name in double quotes.

    >>> identifier("two words")
    '"two words"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(value: bool | float | str | datetime | date | None) -> str:  # noqa: FBT001 - a value to be written
    """A value as SQL writes it; texts in single quotes, NaN and infinities as casts.

    >>> literal("it's"), literal(3), literal(True), literal(float("inf"))
    ("'it''s'", '3', 'TRUE', "'inf'::DOUBLE")
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
    return f"DATE '{value.isoformat()}'" if isinstance(value, date) else "'" + value.replace("'", "''") + "'"


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    # A cast makes it a DOUBLE; SQL reads `0.1` as a DECIMAL.
    return f"{value!r}::DOUBLE" if math.isfinite(value) else f"'{value}'::DOUBLE"
