"""How many rows a table has, and from when to when they reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import duckdb

from mlci.edges.duck import session
from mlci.errors import WorldError
from mlci.nouns.engine import Engine

if TYPE_CHECKING:
    from pathlib import Path


class Span(NamedTuple):
    """Rows of a table, and the ends of its first time column; empty where it has none."""

    rows: int
    since: str
    until: str


def span(file: Path) -> Span:
    """The span of a Parquet or CSV file.

    Raises:
        WorldError: It cannot be read.
    """
    read = "read_csv(?)" if ".csv" in file.suffixes else "read_parquet(?)"
    name = str(file.resolve())
    try:
        with session(Engine(), reads=[file.resolve()]) as connection:
            described = connection.execute(f"DESCRIBE SELECT * FROM {read}", [name]).fetchall()
            time = next((str(row[0]) for row in described if str(row[1]).startswith(("DATE", "TIMESTAMP"))), None)
            column = '"' + time.replace('"', '""') + '"' if time is not None else "NULL"
            asked = f"SELECT count(*), min({column}), max({column}) FROM {read}"
            row = connection.execute(asked, [name]).fetchone()
    except duckdb.Error as error:
        raise WorldError(f"{file} can't be read: {error}", "fetch it again with `dvc pull`") from error
    rows, since, until = row if row is not None else (0, None, None)
    return Span(int(rows), *("" if each is None else str(each) for each in (since, until)))
