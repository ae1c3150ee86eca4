"""How each engine writes what a plan asks: one definition of every aggregate, in the words of each engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.measure.data.dialects.duck import DuckDialect
from mlci.measure.data.dialects.motherduck import MotherduckDialect
from mlci.measure.data.dialects.mysql import MariadbDialect, MysqlDialect
from mlci.measure.data.dialects.postgres import PostgresDialect
from mlci.measure.data.dialects.spark import SparkDialect

if TYPE_CHECKING:
    from mlci.measure.data.dialects.base import Dialect
    from mlci.nouns.table_schema import DialectName, TableSchema

DIALECTS: dict[DialectName, Dialect] = {
    "duckdb": DuckDialect(),
    "spark": SparkDialect(),
    "postgres": PostgresDialect(),
    "motherduck": MotherduckDialect(),
    "mariadb": MariadbDialect(),
    "mysql": MysqlDialect(),
}


def dialect_of(schema: TableSchema) -> Dialect:
    """The dialect of the engine that a table is open in."""
    return DIALECTS[schema.dialect]
