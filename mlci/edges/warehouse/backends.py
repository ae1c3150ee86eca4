"""The warehouses whose words are known: how each is set up for a session, and how it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.nouns.table_schema import DialectName

_MODE = "ANSI_QUOTES,PIPES_AS_CONCAT"


@dataclass(frozen=True)
class Backend:
    """One of Ibis's connections.

    Attributes:
        dialects: The words that it may speak, each with what its version says then.
        session: Statements that make nulls, moments and quotes mean what the dialect expects.
        extra: The extra of mlci that brings its driver.
        closes: Whether what a statement gives is to be closed.
        booleans: Selects the names of the columns of `{name}` in `{place}` that are created as BOOLEAN.
    """

    dialects: tuple[tuple[str, DialectName], ...]
    session: tuple[str, ...] = ()
    extra: str = "warehouse"
    version: str = "SELECT version()"
    closes: bool = True
    booleans: str = ""

    def dialect(self, version: str) -> DialectName:
        """The words of this version."""
        return next(dialect for said, dialect in self.dialects if said in version.lower())


BACKENDS: dict[str, Backend] = {
    "postgres": Backend(dialects=(("", "postgres"),), session=("SET TimeZone = 'UTC'",)),
    "mysql": Backend(
        dialects=(("mariadb", "mariadb"), ("", "mysql")),
        session=("SET SESSION time_zone = '+00:00'", f"SET SESSION sql_mode = '{_MODE}'"),
        extra="mysql",
        booleans="SELECT column_name FROM information_schema.columns WHERE column_type = 'tinyint(1)'"
        " AND table_name = {name} AND table_schema = coalesce(nullif({place}, ''), database())",
    ),
    "duckdb": Backend(dialects=(("", "motherduck"),), session=("SET TimeZone = 'UTC'",), closes=False),
}
"""By Ibis's names."""
WHY_NOT = {
    "sqlite": "it has no types; read its tables by `path: sqlite:///file.db#table`",
    "mssql": "it has no regular expressions, and texts equal what they are with spaces at their ends",
    "pyspark": "Spark is an engine of its own: `mlci.engine.name: spark`",
}
"""Why some others are not."""


def all_rows(found: Any) -> Sequence[tuple[Any, ...]]:  # noqa: ANN401 - each driver has a type of its own
    """Everything that a statement gave."""
    return [tuple(row) for row in found.fetchall()]


def some_rows(found: Any, most: int) -> Sequence[tuple[Any, ...]]:  # noqa: ANN401 - each driver has a type of its own
    """The next rows of a statement; none at its end."""
    return [tuple(row) for row in found.fetchmany(most)]
