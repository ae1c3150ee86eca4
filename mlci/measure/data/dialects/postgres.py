"""PostgreSQL, and warehouses that speak as it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mlci.measure.data.dialects.base import Dialect
from mlci.measure.data.dialects.patterns import translated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.measure.data.dialects.patterns import Target


class PostgresDialect(Dialect):
    """PostgreSQL 12 or newer."""

    types: ClassVar[dict[str, str]] = {
        "VARCHAR": "TEXT",
        "DOUBLE": "DOUBLE PRECISION",
        "FLOAT": "REAL",
        "HUGEINT": "NUMERIC",
        "TINYINT": "SMALLINT",
    }
    patterns: ClassVar[Target] = "postgres"
    name: ClassVar[str] = "PostgreSQL"

    def table(self, name: str) -> str:
        """A table, with its schema or without."""
        return ".".join(self.identifier(part) for part in name.split("."))

    def mismatch(self, name: str, pattern: str) -> str:
        """Whether a text does not match, with the meaning that RE2 gives the pattern."""
        return f"NOT ({name} ~ {self.text(translated(pattern, self.patterns))})"

    def bucket(self, name: str, edges: Sequence[float]) -> str:
        """Its buckets are closed below and ours above, so both are turned round."""
        listed = ", ".join(f"{-edge!r}" for edge in reversed(edges))
        under = f"{len(edges)} - width_bucket(-{name}, ARRAY[{listed}]::float8[])"
        return f"CASE WHEN {self.has_number(name)} THEN {under} END"

    def endless(self, name: str) -> str:
        """Whether a moment is infinite."""
        return f"NOT isfinite({name})"

    def in_order(self, name: str) -> str:
        """A text that is compared by its characters, whatever order the database has chosen for words."""
        return f'{name} COLLATE "C"'

    def deviation(self, value: str) -> str:
        """Of exact numbers: squares of large floats would overflow, which is an error here."""
        return f"CAST(stddev_samp(CAST({value} AS NUMERIC)) AS DOUBLE PRECISION)"
