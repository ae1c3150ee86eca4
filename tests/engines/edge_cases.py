"""Values that engines treat in different ways, as rows, and what plain Python and pandas make of them."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd

TYPES = {
    "id": "BIGINT",
    "f": "DOUBLE",
    "g": "FLOAT",
    "i": "BIGINT",
    "h": "SMALLINT",
    "d": "DECIMAL(18,3)",
    "s": "VARCHAR",
    "b": "BOOLEAN",
    "t": "TIMESTAMP",
    "z": "TIMESTAMP WITH TIME ZONE",
    "y": "DATE",
    "n": "DOUBLE",
    "e": "VARCHAR",
    "k": "VARCHAR",
    "two words": "INTEGER",
}
NAN, INF = math.nan, math.inf


def _moment(text):
    return None if text is None else datetime.fromisoformat(text)


def _zoned(text):
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


_F = [NAN, INF, -INF, None, 0.0, -0.0, 1e308, 0.1, 0.1 + 0.2, 2.5, -1.0, 5e-324]
_G = [NAN, INF, None, 0.1, 0.2, 0.25, 3.4028234663852886e38, 1.0, -1.5, 0.0, 2.0, 3.0]
_G = [None if value is None else float(np.float32(value)) for value in _G]
_I = [2**63 - 1, -(2**63), None, 0, 1, 1, 2**53 + 1, 2**53, -1, 2, 3, None]
_S = ["A1", "A1\n", "", None, "ä", "é", "日本", "🙂", "it's", "a\\d", "\ta b", "AB$"]
_T = [None, "1969-12-31T23:59:59.999999", "2013-03-10T02:30:00", "2013-12-31T23:59:59.5", "1900-01-01T00:00:00"]


def rows(times=3):
    """Rows whose ids repeat, and whose columns go through their edge cases in different steps."""
    return [
        {
            "id": at // 2 if at < 6 else at,
            "f": _F[at % 12],
            "g": _G[(at * 5) % 12],
            "i": _I[(at * 7) % 12],
            "h": None if at % 5 == 0 else at % 7,
            "d": None if at % 6 == 0 else Decimal(at - 8) / 8,
            "s": _S[(at * 5) % 12],
            "b": [True, False, None][at % 3],
            "t": _moment(_T[at % 5]),
            "z": _zoned(_T[(at + 1) % 5]),
            "y": None if at % 4 == 0 else date(2012, 2, 29 - at % 2),
            "n": None,
            "e": None,
            "k": ["p", "q", None, "ü"][at % 4],
            "two words": at % 3,
        }
        for at in range(12 * times)
    ]


def write(found, file):
    """A Parquet file of these rows."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("CREATE TABLE t (" + ", ".join(f'"{name}" {kind}' for name, kind in TYPES.items()) + ")")
        if found:
            marks = ", ".join("?" for _ in TYPES)
            connection.executemany(f"INSERT INTO t VALUES ({marks})", [list(row.values()) for row in found])
        connection.execute(f"COPY t TO '{file}' (FORMAT parquet)")


def load(found, connection, name):
    """A table of PostgreSQL with these rows."""
    names = {"HUGEINT": "NUMERIC", "FLOAT": "REAL", "DOUBLE": "DOUBLE PRECISION"}
    columns = ", ".join(f'"{column}" {names.get(kind, kind)}' for column, kind in TYPES.items())
    connection.execute(f'CREATE TABLE "{name}" ({columns})')
    with connection.cursor() as cursor, cursor.copy(f'COPY "{name}" FROM STDIN') as copy:
        for row in found:
            copy.write_row(list(row.values()))


def load_mysql(found, connection, name):
    """A table of MariaDB with these rows, which has no zones of time: it keeps moments in UTC."""
    names = {"VARCHAR": "VARCHAR(50)", "TIMESTAMP": "DATETIME(6)", "TIMESTAMP WITH TIME ZONE": "DATETIME(6)"}
    columns = ", ".join(f"`{column}` {names.get(kind, kind)}" for column, kind in TYPES.items())
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE `{name}` ({columns})")
        marks = ", ".join(["%s"] * len(TYPES))
        for row in found:
            values = [value.replace(tzinfo=None) if isinstance(value, datetime) else value for value in row.values()]
            cursor.execute(f"INSERT INTO `{name}` VALUES ({marks})", values)


def _finite(value):
    """Sums of larger values overflow, where others are infinite."""
    if not isinstance(value, float):
        return value
    return None if not math.isfinite(value) else math.copysign(min(abs(value), 1e153), value)


def finite(found):
    """The rows for an engine whose floats are neither NaN nor infinite."""
    return [{name: _finite(value) for name, value in row.items()} for row in found]


def is_missing(value):
    """Null or NaN."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def values(found, column):
    """What is there of a column, in a pandas Series of Python's own objects."""
    kept = pd.Series([row[column] for row in found], dtype=object)
    return kept[[not is_missing(value) for value in kept]] if len(kept) else kept
