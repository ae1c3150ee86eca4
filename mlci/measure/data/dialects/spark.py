"""Apache Spark 4, in ANSI mode and with UTC as its session's time zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mlci.measure.data.dialects.base import Dialect
from mlci.measure.data.dialects.patterns import translated

if TYPE_CHECKING:
    from mlci.measure.data.dialects.patterns import Target


class SparkDialect(Dialect):
    """Spark SQL."""

    types: ClassVar[dict[str, str]] = {
        "VARCHAR": "STRING",
        "HUGEINT": "DECIMAL(38,0)",
        "TIMESTAMP": "TIMESTAMP_NTZ",
        "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
    }
    null_safe: ClassVar[str] = "<=>"
    patterns: ClassVar[Target] = "java"
    name: ClassVar[str] = "Spark"

    def identifier(self, name: str) -> str:
        """A name in backticks."""
        return "`" + name.replace("`", "``") + "`"

    def text(self, value: str | None) -> str:
        r"""A text as a literal, in which Spark reads `\` as the beginning of an escape."""
        if value is None:
            return "NULL"
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def is_nan(self, name: str) -> str:
        """Whether a float is NaN."""
        return f"isnan({name})"

    def mismatch(self, name: str, pattern: str) -> str:
        """Whether a text does not match, in Java's syntax with the meaning that RE2 gives the pattern."""
        return f"NOT ({name} RLIKE {self.text(translated(pattern, self.patterns))})"

    def newest(self, name: str, rows: str) -> str:
        """The latest of the moments in some rows, in microseconds since 1970."""
        return f"unix_micros(CAST(max({self.kept(name, rows)}) AS TIMESTAMP))"

    def seconds(self, name: str) -> str:
        """A moment as seconds since 1970, exact to the microsecond."""
        return f"(unix_micros(CAST({name} AS TIMESTAMP)) / CAST(1000000 AS DOUBLE))"
