"""An open table and how it is asked: footers first, then as few queries as possible, whichever engine holds it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, runtime_checkable

from mlci.edges.duck_measure import read_footer
from mlci.edges.duck_table import DuckTable
from mlci.edges.tables import materialise, open_table
from mlci.measure.data.footers import finite, proven
from mlci.measure.data.plan import plan
from mlci.nouns.aggregate import Aggregate, Answers, Count
from mlci.nouns.query import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    import duckdb
    import numpy as np
    from numpy.typing import NDArray

    from mlci.edges.tables import TableFiles
    from mlci.flows.data_probe import Prober
    from mlci.nouns.finding import Rows
    from mlci.nouns.footer import Footer
    from mlci.nouns.query import Binned, KeyQuery
    from mlci.nouns.table_schema import TableSchema


_P = ParamSpec("_P")
_T = TypeVar("_T")


class TableEngine(Protocol):
    """What every engine can do with a table that is open in it; all raise WorldError where the table can't be read."""

    @property
    def schema(self) -> TableSchema:
        """The table."""

    @property
    def footer(self) -> Footer | None:
        """What its files prove without being read."""

    def measure(self, plan: Plan, *, rows: int | None = None) -> Answers:
        """The answers to a plan's queries."""

    def rows(self, sql: str) -> Sequence[tuple[Any, ...]]:
        """The rows of a statement."""

    def numbers(self, sql: str) -> NDArray[np.float64]:
        """The values of a statement's only column."""

    def examples(self, sql: str, columns: Sequence[str]) -> Rows:
        """The first rows of a statement."""

    def save(self, sql: str, file: Path) -> None:
        """Write all rows of a statement to a Parquet file."""

    def told(self, schema: TableSchema) -> TableEngine:
        """The same table, with the policy's conditions in the engine's words."""


@runtime_checkable
class BinsValues(Protocol):
    """An engine whose SQL has no histogram, so that its edge counts the values of bins."""

    def binned(self, sql: str, bins: Sequence[Binned]) -> Sequence[tuple[Mapping[float, int], int]]:
        """For every column of a statement, the counts of its bins, and the rows without a value."""


@dataclass
class OpenTable:
    """A table in an engine.

    Attributes:
        engine: The engine's hold on it.
        memory: Bytes that measuring may use.
        told: The plan so far with what each part cost, for a reader.
        prober: Asks an engine that is not known what it knows, before it is asked of real data.
    """

    engine: TableEngine
    memory: int
    told: list[str] = field(default_factory=list)
    prober: Prober | None = None

    @property
    def schema(self) -> TableSchema:
        """The table's columns."""
        return self.engine.schema

    @property
    def footer(self) -> Footer | None:
        """What its files prove without being read; None where they prove nothing."""
        return self.engine.footer

    @property
    def rows(self) -> int:
        """The number of rows."""
        if self.footer is not None:
            return self.footer.rows
        return int(self.ask([Count()]).values[Count()][()] or 0)

    def ask(self, aggregates: Iterable[Aggregate]) -> Answers:
        """Measure the aggregates.

        Raises:
            WorldError: The table can't be read, or the memory or the disk does not suffice.
        """
        wanted = tuple(aggregates)
        known = Answers() if self.footer is None else proven(wanted, self.footer, self.schema)
        if self.prober is not None:
            known = Answers(failures=self.prober.refused(wanted, self.told))
            wanted = tuple(aggregate for aggregate in wanted if aggregate not in known.failures)
        rest = plan([aggregate for aggregate in wanted if aggregate not in known.values], self.schema)
        self.told.append(f"-- {len(known.values)} of {len(wanted)} aggregates are proven by the files' footers")
        rows = self.footer.rows if self.footer is not None else None
        with ThreadPoolExecutor(1) as beside:
            # One core goes through the keys while the other goes on with the scan.
            keys = [beside.submit(self._keyed, key, rows) for key in rest.keys]
            for query in rest.queries:
                many = f"{len(query.aggregates)} aggregate{'' if len(query.aggregates) == 1 else 's'} in one query"
                measure = Plan(queries=(query,))
                known = known.joined(self.timed(many, query.sql, self.engine.measure, measure, rows=rows))
            for key in keys:
                known = known.joined(key.result())
        return known

    def _keyed(self, key: KeyQuery, rows: int | None) -> Answers:
        what = f"repeats of {', '.join(key.aggregate.columns)}, beside the rest, by this or by sorting the key"
        return self.timed(what, key.plain.sql, self.engine.measure, Plan(keys=(key,)), rows=rows)

    def timed(self, what: str, sql: str, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Do a part of the plan, and tell what it took."""
        before = perf_counter()
        found = work(*args, **kwargs)
        self.told.append(f"-- {what}: {1e3 * (perf_counter() - before):,.0f} ms\n{sql};")
        return found


def opened(
    connection: duckdb.DuckDBPyConnection, files: TableFiles, name: str, memory: int, texts: Collection[str] = ()
) -> OpenTable:
    """Open a table under a name, and read its footers or, where it is a text file, parse it once.

    Raises:
        WorldError: It can't be read.
    """
    before = perf_counter()
    schema = materialise(connection, files, open_table(connection, files, name, texts=texts), texts=texts)
    footer = read_footer(connection, files, schema) if schema.format == "parquet" else None
    if footer is not None:
        schema = schema.model_copy(update={"finite": finite(footer)})
    what = "opened, and its footers read" if footer is not None else "parsed once"
    told = [f"-- {files.path}: {what}: {1e3 * (perf_counter() - before):,.0f} ms"]
    return OpenTable(DuckTable(connection, schema, memory, footer), memory, told)
