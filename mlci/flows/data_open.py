"""Open the table of a policy in the engine that the policy names."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from mlci.edges.duck import session
from mlci.edges.duck_sql import check_condition, check_pattern, empty_table
from mlci.edges.scratch import scratch
from mlci.edges.tables import find_table, open_table
from mlci.errors import PolicyError
from mlci.flows.data_engine import OpenTable, opened
from mlci.measure.data.dialects import dialect_of
from mlci.measure.data.dialects.patterns import UntranslatableError
from mlci.measure.data.dialects.patterns import translated as translated_pattern
from mlci.measure.data.probe.kinds import words_of
from mlci.measure.data.translate import UntranslatedError, translated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import duckdb

    from mlci.measure.data.dialects.base import Dialect
    from mlci.nouns.base import Place
    from mlci.nouns.data_policy import Table
    from mlci.nouns.engine import Engine
    from mlci.nouns.table_schema import TableSchema

_OTHER = "the other table"


@dataclass
class Opened:
    """A table in an engine, and what reads the policy's SQL.

    Attributes:
        table: The table.
        other: The schema of the table that `overlap` names.
        parser: A session of DuckDB that knows the table's columns: whatever measures, the policy is written in its SQL.
    """

    table: OpenTable
    other: TableSchema | None
    parser: duckdb.DuckDBPyConnection

    def tell(self, conditions: Mapping[str, Place], patterns: Mapping[str, Place]) -> None:
        """Refuse conditions and patterns that are none, and tell the others to the engine in its words.

        Raises:
            PolicyError: One is wrong, or means nothing to this engine.
        """
        schema = self.table.schema
        for sql, place in conditions.items():
            check_condition(self.parser, sql, schema, place)
        for pattern, place in patterns.items():
            check_pattern(self.parser, pattern, place)
        if schema.dialect in {"duckdb", "motherduck"}:
            return
        for pattern, place in patterns.items():
            _check_translation(pattern, place, dialect_of(schema))
        words = {sql: self._translated(sql, place) for sql, place in conditions.items()}
        self.table.engine = self.table.engine.told(schema.model_copy(update={"conditions": words}))

    def _translated(self, sql: str, place: Place) -> str:
        from mlci.edges.duck_tree import condition_tree  # noqa: PLC0415 - only what is to be translated is parsed

        tree = condition_tree(self.parser, sql, place, dialect_of(self.table.schema).name)
        if self.table.prober is not None:
            self.table.prober.words[sql] = words_of(tree, self.table.schema)
        try:
            return translated(tree, self.table.schema)
        except UntranslatedError as error:
            raise PolicyError(
                f"{place}: `{' '.join(sql.split())}` holds {error}, which {dialect_of(self.table.schema).name} is not"
                " told because it could mean something else there",
                "Write it with comparisons, arithmetic and plain functions, or measure with DuckDB (`mlci.engine`).",
            ) from error


def _check_translation(pattern: str, place: Place, dialect: Dialect) -> None:
    try:
        translated_pattern(pattern, dialect.patterns)
    except UntranslatableError as error:
        raise PolicyError(
            f"{place}: the pattern `{pattern}` holds {error}, which {dialect.name} can't be told with the same meaning",
            "Write the pattern without it, or measure with DuckDB (`mlci.engine`).",
        ) from error


@contextmanager
def running(engine: Engine) -> Iterator[None]:
    """Keep the engine up for several tables, where starting it takes long. Raises WorldError where it can't start."""
    if engine.name != "spark":
        yield
        return
    from mlci.edges.spark.session import spark_session  # noqa: PLC0415 - only who measures with Spark has it

    with spark_session(engine):
        yield


@contextmanager
def open_policy_table(
    root: Path, name: str, table: Table, engine: Engine, *, writes: Path | None = None
) -> Iterator[Opened]:
    """Open a table of the policy.

    Args:
        root: Folder that the policy's paths start from.
        name: The table's name.
        table: What the policy says of it.
        engine: The engine.
        writes: Folder that rows may be saved to.

    Raises:
        WorldError: There is no such table, or the engine can't be reached or does not read it.
    """
    with ExitStack() as stack:
        if engine.name == "spark":
            yield _in_spark(stack, root, name, table, engine)
        elif engine.name == "warehouse":
            yield _in_warehouse(stack, table, engine)
        else:
            yield _in_duckdb(stack, root, name, table, engine, writes)


def _in_duckdb(stack: ExitStack, root: Path, name: str, table: Table, engine: Engine, writes: Path | None) -> Opened:
    files = find_table(root, table.path)
    other = find_table(root, table.overlap.table) if table.overlap is not None else None
    reads = [*files.reads, *(other.reads if other is not None else ())]
    texts = [column for column, promised in table.columns.items() if promised.type == "string"]
    connection = stack.enter_context(session(engine, reads=reads, writes=writes))
    held = opened(connection, files, name, engine.memory, texts)
    return Opened(held, open_table(connection, other, _OTHER) if other is not None else None, connection)


def _in_spark(stack: ExitStack, root: Path, name: str, table: Table, engine: Engine) -> Opened:
    from mlci.edges.spark.session import spark_session  # noqa: PLC0415 - only who measures with Spark has it

    before = perf_counter()
    spark = stack.enter_context(spark_session(engine))
    from mlci.edges.spark.open import open_in_spark  # noqa: PLC0415
    from mlci.edges.spark.table import SparkTable  # noqa: PLC0415
    from mlci.edges.spark.texts import in_parquet  # noqa: PLC0415

    started = perf_counter()
    folder = stack.enter_context(scratch("spark"))
    texts = [column for column, promised in table.columns.items() if promised.type == "string"]
    schema = open_in_spark(spark, root, table.path, name, in_parquet(engine, folder, texts=texts))
    overlap = table.overlap
    other = open_in_spark(spark, root, overlap.table, _OTHER, in_parquet(engine, folder)) if overlap else None
    parser = stack.enter_context(session(engine, reads=[]))
    empty_table(parser, schema)
    told = [
        f"-- Spark: started or joined: {1e3 * (started - before):,.0f} ms",
        f"-- {table.path}: opened: {1e3 * (perf_counter() - started):,.0f} ms",
    ]
    return Opened(OpenTable(SparkTable(spark, schema), engine.memory, told), other, parser)


def _in_warehouse(stack: ExitStack, table: Table, engine: Engine) -> Opened:
    from mlci.edges.warehouse.connect import warehouse  # noqa: PLC0415 - only who has one
    from mlci.edges.warehouse.table import open_in_warehouse  # noqa: PLC0415
    from mlci.flows.data_probe import Prober  # noqa: PLC0415

    before = perf_counter()
    connection = stack.enter_context(warehouse(engine))
    held = open_in_warehouse(connection, table.path)
    other = open_in_warehouse(connection, table.overlap.table) if table.overlap is not None else None
    parser = stack.enter_context(session(engine, reads=[]))
    empty_table(parser, held.schema)
    told = [f"-- {table.path}: connected and looked up: {1e3 * (perf_counter() - before):,.0f} ms"]
    opened_table = OpenTable(held, engine.memory, told, Prober(connection, held.schema))
    return Opened(opened_table, other.schema if other is not None else None, parser)
