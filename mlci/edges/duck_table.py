"""A table in DuckDB, and how it is asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlci.edges.duck import interrupted_by_signals
from mlci.edges.duck_measure import measure
from mlci.edges.duck_reference import fetch_numbers, fetch_rows
from mlci.edges.duck_rows import fetch_examples, keep_first, save_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import duckdb
    import numpy as np
    from numpy.typing import NDArray

    from mlci.nouns.aggregate import Answers
    from mlci.nouns.finding import Rows
    from mlci.nouns.footer import Footer
    from mlci.nouns.query import Plan
    from mlci.nouns.table_schema import TableSchema


@dataclass(frozen=True)
class DuckTable:
    """A view in a session of DuckDB.

    Attributes:
        connection: The session.
        schema: The table.
        memory: Bytes that the session may use.
        footer: What its files prove without being read; None where they prove nothing.
    """

    connection: duckdb.DuckDBPyConnection
    schema: TableSchema
    memory: int
    footer: Footer | None = None

    def told(self, schema: TableSchema) -> DuckTable:
        """The same table, with the policy's conditions in the engine's words."""
        return replace(self, schema=schema)

    def measure(self, plan: Plan, *, rows: int | None = None) -> Answers:
        """The answers to a plan's queries, given the number of rows where it is known. Raises as `measure` does.

        Threads may ask at the same time.
        """
        with self.connection.cursor() as cursor, interrupted_by_signals(cursor):
            return measure(cursor, plan, self.schema, rows=rows, memory=self.memory)

    def rows(self, sql: str) -> Sequence[tuple[Any, ...]]:
        """The rows of a statement. Raises WorldError where the table can't be read."""
        return fetch_rows(self.connection, sql, self.schema.path)

    def numbers(self, sql: str) -> NDArray[np.float64]:
        """The values of a statement's only column. Raises WorldError where the table can't be read."""
        return fetch_numbers(self.connection, sql, self.schema.path)

    def examples(self, sql: str, columns: Sequence[str]) -> Rows:
        """The first rows of a statement, as text. Raises WorldError where the table can't be read."""
        return fetch_examples(self.connection, sql, columns, self.schema.path)

    def head(self, rows: int) -> DuckTable:
        """Its first rows in the file's order, kept in memory. Raises WorldError where the table can't be read."""
        view = f"first rows of {self.schema.view}"
        keep_first(self.connection, self.schema.view, view, rows, self.schema.path)
        return replace(self, schema=self.schema.model_copy(update={"view": view}), footer=None)

    def save(self, sql: str, file: Path) -> None:
        """Write all rows of a statement to a Parquet file. Raises WorldError where that is impossible."""
        save_rows(self.connection, sql, file, self.schema.path)
