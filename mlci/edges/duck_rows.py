"""Fetch or save the rows that break a check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from mlci.edges.duck import world_error
from mlci.edges.files import replaced
from mlci.nouns.finding import Rows
from mlci.nouns.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MOST_EXAMPLES = 10
_MOST_LETTERS = 80


def fetch_examples(connection: duckdb.DuckDBPyConnection, sql: str, columns: Sequence[str], path: str) -> Rows:
    """The first rows of a statement in the table's order, cells as text of at most 80 characters.

    Raises:
        WorldError: The table cannot be read.
    """
    try:
        connection.execute("SET preserve_insertion_order = true")
        found = cells(connection, f"{sql} LIMIT {MOST_EXAMPLES}", columns)
        connection.execute("SET preserve_insertion_order = false")
    except duckdb.Error as error:
        raise world_error(error, path) from error
    return found


def keep_first(connection: duckdb.DuckDBPyConnection, view: str, name: str, rows: int, path: str) -> None:
    """Keep the first rows of a view, in its order, as a table of another name.

    Raises:
        WorldError: The table cannot be read.
    """
    try:
        connection.execute("SET preserve_insertion_order = true")
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {identifier(name)} AS FROM {identifier(view)} LIMIT {int(rows)}"
        )
        connection.execute("SET preserve_insertion_order = false")
    except duckdb.Error as error:
        raise world_error(error, path) from error


def cells(connection: duckdb.DuckDBPyConnection, sql: str, columns: Sequence[str]) -> Rows:
    """All rows of a statement, cells as text of at most 80 characters."""
    texts = ", ".join(f"left(CAST({identifier(name)} AS VARCHAR), {_MOST_LETTERS + 1})" for name in columns)
    found = connection.execute(f"SELECT {texts} FROM ({sql})").fetchall()
    return Rows(columns=tuple(columns), rows=tuple(tuple(cut(cell) for cell in row) for row in found))


def cut(cell: str | None) -> str | None:
    """A cell of at most 80 characters."""
    return cell[: _MOST_LETTERS - 1] + "…" if cell is not None and len(cell) > _MOST_LETTERS else cell


def save_rows(connection: duckdb.DuckDBPyConnection, sql: str, file: Path, path: str) -> None:
    """Write all rows of a statement to a Parquet file.

    Raises:
        WorldError: The table cannot be read or the file cannot be written.
    """
    with replaced(file) as temporary:
        try:
            connection.execute(f"COPY ({sql}) TO {literal(str(temporary))} (FORMAT parquet)")
        except duckdb.Error as error:
            raise world_error(error, path) from error
