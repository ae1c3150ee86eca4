"""Text files told to Spark with the types and values that DuckDB finds in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from mlci.edges.duck import session, world_error
from mlci.edges.tables import open_table
from mlci.errors import WorldError
from mlci.nouns.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from mlci.edges.tables import TableFiles
    from mlci.nouns.engine import Engine

_UNKNOWN = {"TIME", "TIME WITH TIME ZONE", "HUGEINT", "UHUGEINT", "UBIGINT", "INTERVAL", "TIMESTAMP_NS", "BIT", "JSON"}
"""Types that Spark has not, or that Parquet would change."""


def in_parquet(
    engine: Engine, folder: Path, *, texts: Collection[str] = (), widen: bool = True
) -> Callable[[TableFiles], Path]:
    """What writes the rows of CSV or JSON lines as Parquet, within the engine's memory, in their order.

    Args:
        engine: How much memory may be used.
        folder: For the files that it writes.
        texts: Columns of a CSV file that hold text even where they look like numbers.
        widen: Whether a value that does not fit the type that the first rows suggested widens the type, as if all rows
            had been looked at; else it is an error.

    Raises:
        WorldError: When it is called: the file can't be parsed, or holds types that Spark has not.
    """

    def convert(table: TableFiles) -> Path:
        file = folder / f"{len([*folder.iterdir()])}.parquet"
        with session(engine, reads=table.reads, writes=folder) as connection:
            connection.execute("SET preserve_insertion_order = true")
            try:
                try:
                    _write(connection, table, file, texts, whole=False)
                except (duckdb.ConversionException, duckdb.InvalidInputException):
                    if not widen:
                        raise
                    _write(connection, table, file, texts, whole=True)
            except duckdb.Error as error:
                raise world_error(error, table.path) from error
        return file

    return convert


def _write(
    connection: duckdb.DuckDBPyConnection, table: TableFiles, file: Path, texts: Collection[str], *, whole: bool
) -> None:
    schema = open_table(connection, table, "text", texts=texts, whole=whole)
    odd = next(((name, kind) for name, kind in schema.columns.items() if kind in _UNKNOWN), None)
    if odd is not None:
        raise WorldError(
            f"{table.path}: `{odd[0]}` is {odd[1]}, which Spark has not",
            "Write the table as Parquet with another type, or measure it with DuckDB.",
        )
    connection.execute(f"COPY (FROM {identifier(schema.view)}) TO {literal(str(file))} (FORMAT parquet)")
