"""The probe's rows: values that engines are known to treat in different ways, written into the statement itself."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from mlci.nouns.table_schema import TableSchema

if TYPE_CHECKING:
    from mlci.measure.data.dialects.base import Dialect
    from mlci.nouns.table_schema import DialectName

Cell = bool | int | float | Decimal | str | datetime | date | None
Row = dict[str, Cell]

VIEW = "mlci_probe"
NOWHERE = "no row"
"""A condition that no row meets."""
_TYPES = {
    "id": "BIGINT",
    "f": "DOUBLE",
    "g": "FLOAT",
    "i": "BIGINT",
    "d": "DECIMAL(18,3)",
    "s": "VARCHAR",
    "b": "BOOLEAN",
    "t": "TIMESTAMP",
    "z": "TIMESTAMP WITH TIME ZONE",
    "y": "DATE",
    "n": "DOUBLE",
}
_NAN, _INF = math.nan, math.inf
_MOMENTS = ("2013-03-10T02:30:00", "1969-12-31T23:59:59.999999", None, "2013-12-31T23:59:59.5", "2013-03-10T02:30:00")
_COLUMNS: dict[str, tuple[Cell, ...]] = {
    "id": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
    # Every row beyond the first may lack a value; the first gives a column its type.
    "f": (0.1, _NAN, _INF, -_INF, None, 2.5, -1.0, 0.5, 0.1, 4.0),
    "g": (0.25, 0.5, None, 2.0, -1.5, 0.25, 3.0, 0.0, 8.0, None),
    "i": (2**53 + 1, 2**63 - 1, -(2**63), None, 2**53, 1, 1, -7, 3, 0),
    "d": tuple(map(Decimal, ("0.1", "-0.5", "1.125", "0.1", "0.2", "0.3", "7", "0.001", "-7.25", "2"))),
    "s": ("A1", "a1", "A1 ", "A1\n", "é", "e", "🙂", "", None, "a\\d"),
    "b": (True, False, None, True, True, False, None, False, True, True),
    "t": tuple(None if text is None else datetime.fromisoformat(text) for text in _MOMENTS * 2),
    "z": tuple(None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC) for text in _MOMENTS * 2),
    "y": tuple(None if day == 0 else date(2012, 2, day) for day in (29, 28, 29, 0, 1, 29, 28, 0, 1, 1)),
    "n": (None,) * 10,
}


def probe_schema(dialect: DialectName) -> TableSchema:
    """The probe as a table of an engine."""
    return TableSchema(
        view=VIEW, path="the probe", format="table", columns=_TYPES, dialect=dialect, conditions={NOWHERE: "1 = 0"}
    )


def probe_rows(dialect: Dialect) -> tuple[Row, ...]:
    """The rows, as far as the engine can hold them."""
    found = [dict(zip(_COLUMNS, row, strict=True)) for row in zip(*_COLUMNS.values(), strict=True)]
    return tuple({name: _held(value, dialect) for name, value in row.items()} for row in found)


def _held(value: Cell, dialect: Dialect) -> Cell:
    infinite = isinstance(value, float) and not math.isfinite(value)
    return None if infinite and not dialect.has_infinity else value


def inline_table(dialect: Dialect) -> str:
    """Names the rows in a statement, so that nothing need be written anywhere."""
    rows = probe_rows(dialect)
    first = ", ".join(
        f"{_cell(rows[0][name], kind, dialect)} AS {dialect.identifier(name)}" for name, kind in _TYPES.items()
    )
    rest = (", ".join(_cell(row[name], kind, dialect) for name, kind in _TYPES.items()) for row in rows[1:])
    selected = " UNION ALL ".join(f"SELECT {cells}" for cells in (first, *rest))
    return f"WITH {dialect.identifier(VIEW)} AS ({selected})"


def _cell(value: Cell, kind: str, dialect: Dialect) -> str:
    match value:
        case None:
            return dialect.cast("NULL", kind) if kind == "DOUBLE" else "NULL"
        case bool():
            return str(value).upper()
        case float() if math.isnan(value):
            return dialect.nan()
        case float() if math.isinf(value):
            return dialect.infinity() if value > 0 else f"-{dialect.infinity()}"
        case float():
            return dialect.number(repr(value), kind)
        case datetime():
            return dialect.moment(str(value.replace(tzinfo=None)), kind)
        case str():
            return dialect.cast(dialect.text(value), kind)
        case _:
            return dialect.cast(dialect.text(str(value)), kind)
