"""A table in Spark, and how it is asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from mlci.edges.duck_rows import MOST_EXAMPLES, cells
from mlci.edges.files import replaced
from mlci.edges.portable import measure_portable
from mlci.edges.spark.bins import count_in_bins
from mlci.edges.spark.errors import OF_THE_DATA, spark_error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pyspark.sql import DataFrame, SparkSession

    from mlci.nouns.aggregate import Answers
    from mlci.nouns.finding import Rows
    from mlci.nouns.footer import Footer
    from mlci.nouns.query import Binned, Plan
    from mlci.nouns.table_schema import TableSchema

_AT_A_TIME = 10_000


@dataclass(frozen=True)
class SparkTable:
    """A view in a session of Spark.

    Attributes:
        session: The session.
        schema: The table.
        footer: Always None: Spark's readers look at the footers themselves.
    """

    session: SparkSession
    schema: TableSchema
    footer: Footer | None = None

    def binned(self, sql: str, bins: Sequence[Binned]) -> Sequence[tuple[Mapping[float, int], int]]:
        """The counts of every column's bins, counted where the rows are. Raises WorldError as `rows` does."""
        return count_in_bins(self.session, sql, bins, self.schema.path)

    def told(self, schema: TableSchema) -> SparkTable:
        """The same table, with the policy's conditions in the engine's words."""
        return replace(self, schema=schema)

    def measure(self, plan: Plan, *, rows: int | None = None) -> Answers:
        """The answers to a plan's queries; one that values of the data make impossible is a failure of its own.

        Raises:
            WorldError: Spark can't read the table.
        """
        del rows
        return measure_portable(plan, self.schema, self.rows, OF_THE_DATA)

    def rows(self, sql: str) -> Sequence[tuple[Any, ...]]:
        """The rows of a statement.

        Raises:
            WorldError: Spark can't read the table.
        """
        try:
            return [tuple(row) for row in self.session.sql(sql).collect()]
        except OF_THE_DATA:
            raise
        except Exception as error:
            raise spark_error(error, self.schema.path) from error

    def numbers(self, sql: str) -> NDArray[np.float64]:
        """The values of a statement's only column. Raises WorldError as `rows` does."""
        return np.array([row[0] for row in self.rows(sql)], dtype=np.float64)

    def examples(self, sql: str, columns: Sequence[str]) -> Rows:
        """The first rows of a statement, cells as DuckDB writes them. Raises WorldError as `rows` does."""
        try:
            found = self.session.sql(f"{sql} LIMIT {MOST_EXAMPLES}").toArrow()
        except Exception as error:
            raise spark_error(error, self.schema.path) from error
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.register("found", found)
            return cells(connection, "FROM found", columns)

    def save(self, sql: str, file: Path) -> None:
        """Write all rows of a statement to a Parquet file, some of them at a time. Raises WorldError as `rows` does."""
        import pyarrow as pa  # noqa: PLC0415 - slow to load
        import pyarrow.parquet as pq  # noqa: PLC0415

        try:
            frame: DataFrame = self.session.sql(sql)
            schema = frame.limit(0).toArrow().schema
            with replaced(file) as temporary, pq.ParquetWriter(temporary, schema) as writer:
                page: list[dict[str, Any]] = []
                for row in frame.toLocalIterator():
                    page.append(row.asDict())
                    if len(page) == _AT_A_TIME:
                        writer.write_table(pa.Table.from_pylist(page, schema))
                        page = []
                writer.write_table(pa.Table.from_pylist(page, schema))
        except Exception as error:
            raise spark_error(error, self.schema.path) from error
