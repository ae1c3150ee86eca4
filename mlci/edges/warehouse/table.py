"""A table of a warehouse, and how it is asked."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlci.edges.duck_rows import MOST_EXAMPLES, cut
from mlci.edges.files import replaced
from mlci.edges.portable import as_text, measure_portable
from mlci.edges.warehouse.backends import some_rows
from mlci.edges.warehouse.connect import RefusedError
from mlci.errors import WorldError
from mlci.nouns.finding import Rows
from mlci.nouns.table_schema import TableSchema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mlci.edges.warehouse.connect import Warehouse
    from mlci.nouns.aggregate import Answers
    from mlci.nouns.footer import Footer
    from mlci.nouns.query import Binned, Plan

_TYPES = {
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "uint8": "UTINYINT",
    "uint16": "USMALLINT",
    "uint32": "UINTEGER",
    "uint64": "UBIGINT",
    "float32": "FLOAT",
    "float64": "DOUBLE",
    "string": "VARCHAR",
    "uuid": "UUID",
    "boolean": "BOOLEAN",
    "date": "DATE",
}
_AT_A_TIME = 10_000


def open_in_warehouse(connection: Warehouse, path: str) -> WarehouseTable:
    """Look a table up.

    Raises:
        WorldError: There is none of this name.
    """
    place, _, name = path.rpartition(".")
    try:
        with warnings.catch_warnings():
            # Ibis calls what the newest drivers call deprecated.
            warnings.simplefilter("ignore", DeprecationWarning)
            found = connection.ibis.table(name, database=place or None).schema()
    except Exception as error:
        raise WorldError(
            f"the warehouse has no table {path}: {connection.said(error)}",
            "Correct the name: `table` or `schema.table`.",
        ) from error
    columns = {column: _type_name(kind) for column, kind in found.items()}
    columns.update(dict.fromkeys(connection.booleans(place, name), "BOOLEAN"))
    return WarehouseTable(
        connection, TableSchema(view=path, path=path, format="table", columns=columns, dialect=connection.dialect)
    )


def _type_name(kind: Any) -> str:  # noqa: ANN401 - Ibis's
    """DuckDB's name of one of Ibis's types."""
    if kind.is_timestamp():
        return "TIMESTAMP WITH TIME ZONE" if kind.timezone else "TIMESTAMP"
    if kind.is_decimal():
        known = kind.precision is not None and kind.scale is not None
        return f"DECIMAL({kind.precision},{kind.scale})" if known else "DECIMAL(38,10)"
    if kind.is_string():
        return "VARCHAR"
    return _TYPES.get(str(kind.copy(nullable=True)), "VARCHAR[]")


def _in_buckets(found: Sequence[tuple[Any, ...]], bins: Binned) -> tuple[dict[float, int], int]:
    """The counts by upper edge, infinity above the last, or by the place in the list of names; and of no value."""
    counts: dict[float, int] = {}
    edges = (*(bins.edges or ()), np.inf)
    places = {value: place for place, value in enumerate(bins.names, start=1)}
    for bucket, rows in found:
        if bucket is not None:
            key = places.get(bucket, 0) if bins.edges is None else edges[int(bucket)]
            counts[key] = counts.get(key, 0) + int(rows)
    return counts, sum(int(rows) for bucket, rows in found if bucket is None)


@dataclass(frozen=True)
class WarehouseTable:
    """A table where it lies.

    Attributes:
        connection: To the warehouse.
        schema: The table.
        footer: Always None: a warehouse proves nothing without being asked.
    """

    connection: Warehouse
    schema: TableSchema
    footer: Footer | None = None

    def told(self, schema: TableSchema) -> WarehouseTable:
        """The same table, with the policy's conditions in the engine's words."""
        return replace(self, schema=schema)

    def measure(self, plan: Plan, *, rows: int | None = None) -> Answers:
        """The answers to a plan's queries. Raises WorldError where the table can't be read."""
        del rows
        try:
            return measure_portable(plan, self.schema, self.connection.rows, (RefusedError,))
        except RefusedError:
            raise
        except Exception as error:
            raise self._error(error) from error

    def rows(self, sql: str) -> Sequence[tuple[Any, ...]]:
        """The rows of a statement.

        Raises:
            WorldError: The table can't be read.
        """
        try:
            return self.connection.rows(sql)
        except Exception as error:
            raise self._error(error) from error

    def _error(self, error: Exception) -> WorldError:
        return WorldError(
            f"{self.schema.path} can't be read: {self.connection.said(error)}",
            "Check the warehouse and your rights in it.",
        )

    def numbers(self, sql: str) -> NDArray[np.float64]:
        """The values of a statement's only column. Raises WorldError as `rows` does."""
        return np.array([row[0] for row in self.rows(sql)], dtype=np.float64)

    def binned(self, sql: str, bins: Sequence[Binned]) -> Sequence[tuple[Mapping[float, int], int]]:
        """The counts of every column's bins, one grouped query a column. Raises WorldError as `rows` does."""
        del sql
        return [_in_buckets(self.rows(each.counts), each) for each in bins]

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
            with self.connection.asked(sql) as found, replaced(file) as temporary:
                page = some_rows(found, _AT_A_TIME)
                first = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in page])
                with pq.ParquetWriter(temporary, first.schema) as writer:
                    writer.write_table(first)
                    while page := some_rows(found, _AT_A_TIME):
                        rows = [dict(zip(names, row, strict=True)) for row in page]
                        writer.write_table(pa.Table.from_pylist(rows, first.schema))
        except Exception as error:
            raise self._error(error) from error


def probed(connection: Warehouse, schema: TableSchema, plan: Plan) -> Answers:
    """The answers to statements that bring their own rows. Raises WorldError where the connection is lost."""
    return WarehouseTable(connection, schema).measure(plan)
