"""An open table and how it is asked: footers first, then as few queries as possible."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlci.edges.duck_measure import measure, read_footer
from mlci.edges.tables import materialise, open_table
from mlci.measure.data.footers import proven
from mlci.measure.data.plan import plan
from mlci.nouns.aggregate import Aggregate, Answers, Count

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import duckdb

    from mlci.edges.tables import TableFiles
    from mlci.nouns.footer import Footer
    from mlci.nouns.table_schema import TableSchema


@dataclass
class OpenTable:
    """A table in a session.

    Attributes:
        connection: The session.
        schema: The table's columns.
        memory: Bytes that the session may use.
        footer: What its files prove without being read; None where they prove nothing.
        told: The plan so far, for a reader.
    """

    connection: duckdb.DuckDBPyConnection
    schema: TableSchema
    memory: int
    footer: Footer | None = None
    told: list[str] = field(default_factory=list)

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
        rest = plan([aggregate for aggregate in wanted if aggregate not in known.values], self.schema)
        self.told.append(f"-- {len(known.values)} of {len(wanted)} aggregates are proven by the files' footers")
        self.told += [f"{query.sql};" for query in rest.queries]
        self.told += [f"{query.plain.sql};  -- or the same by sorting the key" for query in rest.keys]
        rows = self.footer.rows if self.footer is not None else None
        return known.joined(measure(self.connection, rest, self.schema, rows=rows, memory=self.memory))


def opened(
    connection: duckdb.DuckDBPyConnection, files: TableFiles, name: str, memory: int, texts: Collection[str] = ()
) -> OpenTable:
    """Open a table under a name, and read its footers or, where it is a text file, parse it once.

    Raises:
        WorldError: It can't be read.
    """
    schema = materialise(connection, files, open_table(connection, files, name, texts=texts), texts=texts)
    footer = read_footer(connection, files, schema) if schema.format == "parquet" else None
    return OpenTable(connection, schema, memory, footer)
