"""A warehouse as the engine: connected to by Ibis, asked in SQL of our own."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlci.edges.duck_rows import MOST_EXAMPLES, cut
from mlci.edges.files import replaced
from mlci.edges.portable import as_text, first_line, measure_portable
from mlci.errors import WorldError
from mlci.nouns.finding import Rows
from mlci.nouns.table_schema import TableSchema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mlci.nouns.aggregate import Answers
    from mlci.nouns.engine import Engine
    from mlci.nouns.footer import Footer
    from mlci.nouns.query import Binned, Plan
    from mlci.nouns.table_schema import DialectName

_DIALECTS: dict[str, DialectName] = {"postgres": "postgres"}
"""By Ibis's names: the warehouses whose words are known, and tested against a real one."""
_TYPES = {
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "float32": "FLOAT",
    "float64": "DOUBLE",
    "string": "VARCHAR",
    "uuid": "UUID",
    "boolean": "BOOLEAN",
    "date": "DATE",
}
_AT_A_TIME = 10_000


@contextmanager
def warehouse(engine: Engine) -> Iterator[Any]:
    """A connection.

    Raises:
        WorldError: Ibis is not installed, the warehouse can't be reached, or its words are not known.
    """
    url = engine.url or ""
    try:
        import ibis  # noqa: PLC0415 - heavy, and not everybody has it
    except ImportError as error:
        raise WorldError(
            "the policy measures in a warehouse (`mlci.engine.name: warehouse`), and Ibis is not installed",
            "Install it with `pip install 'mlci[warehouse]'`.",
        ) from error
    try:
        connection = ibis.connect(url)
    except Exception as error:  # each of its backends has errors of its own
        raise WorldError(
            f"{url} can't be reached: {first_line(error)}",
            "Check the URL, the network and the credentials (PGPASSWORD or ~/.pgpass).",
        ) from error
    try:
        if connection.name not in _DIALECTS:
            known = ", ".join(_DIALECTS)
            raise WorldError(
                f"mlci does not speak {connection.name}'s dialect (it does {known})",
                "Unload the table to Parquet in an object store, or read it through Spark (`mlci.engine.name: spark`).",
            )
        with _asked(connection, "SET TimeZone = 'UTC'"):
            pass
        yield connection
    finally:
        with suppress(Exception):  # it may be gone already
            connection.disconnect()


def open_in_warehouse(connection: Any, path: str) -> WarehouseTable:  # noqa: ANN401 - Ibis's
    """Look a table up.

    Raises:
        WorldError: There is none of this name.
    """
    place, _, name = path.rpartition(".")
    try:
        found = connection.table(name, database=place or None).schema()
    except Exception as error:
        raise WorldError(
            f"the warehouse has no table {path}: {first_line(error)}", "Correct the name: `table` or `schema.table`."
        ) from error
    columns = {column: _type_name(kind) for column, kind in found.items()}
    dialect = _DIALECTS[connection.name]
    return WarehouseTable(
        connection, TableSchema(view=path, path=path, format="table", columns=columns, dialect=dialect)
    )


def _type_name(kind: Any) -> str:  # noqa: ANN401 - Ibis's
    """DuckDB's name of one of Ibis's types."""
    if kind.is_timestamp():
        return "TIMESTAMP WITH TIME ZONE" if kind.timezone else "TIMESTAMP"
    if kind.is_decimal():
        known = kind.precision is not None and kind.scale is not None
        return f"DECIMAL({kind.precision},{kind.scale})" if known else "DECIMAL(38,10)"
    return _TYPES.get(str(kind.copy(nullable=True)), "VARCHAR[]")


@contextmanager
def _asked(connection: Any, sql: str) -> Iterator[Any]:  # noqa: ANN401 - Ibis's
    cursor = connection.raw_sql(sql)
    try:
        yield cursor
    finally:
        cursor.close()


@dataclass(frozen=True)
class WarehouseTable:
    """A table where it lies.

    Attributes:
        connection: Of Ibis.
        schema: The table.
        footer: Always None: a warehouse proves nothing without being asked.
    """

    connection: Any
    schema: TableSchema
    footer: Footer | None = None

    def told(self, schema: TableSchema) -> WarehouseTable:
        """The same table, with the policy's conditions in the engine's words."""
        return replace(self, schema=schema)

    def measure(self, plan: Plan, *, rows: int | None = None) -> Answers:
        """The answers to a plan's queries. Raises WorldError where the table can't be read."""
        del rows
        from psycopg import DataError, ProgrammingError  # noqa: PLC0415 - comes with the backend

        return measure_portable(plan, self.schema, self._rows, (DataError, ProgrammingError))

    def _rows(self, sql: str) -> Sequence[tuple[Any, ...]]:
        with _asked(self.connection, sql) as cursor:
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found

    def rows(self, sql: str) -> Sequence[tuple[Any, ...]]:
        """The rows of a statement.

        Raises:
            WorldError: The table can't be read.
        """
        try:
            return self._rows(sql)
        except Exception as error:
            raise self._error(error) from error

    def _error(self, error: Exception) -> WorldError:
        return WorldError(
            f"{self.schema.path} can't be read: {first_line(error)}", "Check the warehouse and your rights in it."
        )

    def numbers(self, sql: str) -> NDArray[np.float64]:
        """The values of a statement's only column. Raises WorldError as `rows` does."""
        return np.array([row[0] for row in self.rows(sql)], dtype=np.float64)

    def binned(self, sql: str, bins: Sequence[Binned]) -> Sequence[tuple[Mapping[float, int], int]]:
        """The counts of every column's bins, one grouped query a column. Raises WorldError as `rows` does."""
        return [self._binned(sql, f"c{place}", each) for place, each in enumerate(bins)]

    def _binned(self, sql: str, name: str, bins: Binned) -> tuple[dict[float, int], int]:
        if bins.edges is None:
            found = self.rows(f"SELECT {name}, count(*) FROM ({sql}) AS v GROUP BY 1")
            places = {value: place for place, value in enumerate(bins.names, start=1)}
            counts: dict[float, int] = {}
            for value, n in found:
                if value is not None:
                    counts[places.get(value, 0)] = counts.get(places.get(value, 0), 0) + n
            return counts, sum(n for value, n in found if value is None)
        # Buckets are closed below and ours above, so both are turned round: how many edges are not under the value?
        listed = ", ".join(f"{-edge!r}" for edge in reversed(bins.edges))
        kept = f"CASE WHEN {name} <= 'Infinity'::float8 THEN width_bucket(-{name}, ARRAY[{listed}]::float8[]) END"
        edges = (*bins.edges, np.inf)
        found = self.rows(f"SELECT {kept}, count(*) FROM ({sql}) AS v GROUP BY 1")
        counts = {edges[len(bins.edges) - over]: n for over, n in found if over is not None}
        return counts, sum(n for over, n in found if over is None)

    def examples(self, sql: str, columns: Sequence[str]) -> Rows:
        """The first rows of a statement, cells as DuckDB writes them. Raises WorldError as `rows` does."""
        names = list(self.schema.columns)
        places = [(names.index(column), self.schema.columns[column]) for column in columns]
        found = self.rows(f"{sql} LIMIT {MOST_EXAMPLES}")
        rows = tuple(tuple(cut(as_text(row[place], kind)) for place, kind in places) for row in found)
        return Rows(columns=tuple(columns), rows=rows)

    def save(self, sql: str, file: Path) -> None:
        """Write all rows of a statement to a Parquet file. Raises WorldError as `rows` does."""
        import pyarrow as pa  # noqa: PLC0415 - slow to load
        import pyarrow.parquet as pq  # noqa: PLC0415

        names = list(self.schema.columns)
        try:
            with _asked(self.connection, sql) as cursor, replaced(file) as temporary:
                page = cursor.fetchmany(_AT_A_TIME)
                first = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in page])
                with pq.ParquetWriter(temporary, first.schema) as writer:
                    writer.write_table(first)
                    while page := cursor.fetchmany(_AT_A_TIME):
                        rows = [dict(zip(names, row, strict=True)) for row in page]
                        writer.write_table(pa.Table.from_pylist(rows, first.schema))
        except Exception as error:
            raise self._error(error) from error
