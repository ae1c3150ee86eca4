"""ClickHouse, with settings in its session that let nulls and empty tables answer as in standard SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mlci.measure.data.dialects.base import Dialect
from mlci.measure.data.dialects.patterns import translated

if TYPE_CHECKING:
    from mlci.measure.data.dialects.patterns import Target
    from mlci.nouns.table_schema import Kind


class ClickhouseDialect(Dialect):
    """ClickHouse 25 or newer: `cast_keep_nullable`, `aggregate_functions_null_for_empty`, UTC in its session."""

    types: ClassVar[dict[str, str]] = {
        "VARCHAR": "String",
        "HUGEINT": "Int256",
        "BIGINT": "Int64",
        "INTEGER": "Int32",
        "DOUBLE": "Float64",
        "FLOAT": "Float32",
        "BOOLEAN": "Bool",
        "DATE": "Date32",
        "TIMESTAMP": "DateTime64(6, 'UTC')",
        "TIMESTAMP WITH TIME ZONE": "DateTime64(6, 'UTC')",
    }
    patterns: ClassVar[Target] = "re2"
    name: ClassVar[str] = "ClickHouse"
    nan_is_greatest: ClassVar[bool] = False
    finds_quantiles: ClassVar[bool] = False
    functions: ClassVar[dict[str, str]] = {"lower": "lowerUTF8", "upper": "upperUTF8"}
    strange: ClassVar[frozenset[str]] = frozenset({"greatest", "least"})

    def table(self, name: str) -> str:
        """A table, with its database or without."""
        return ".".join(self.identifier(part) for part in name.split("."))

    def identifier(self, name: str) -> str:
        r"""A name in double quotes, in which `\` begins an escape."""
        return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def text(self, value: str | None) -> str:
        r"""A text as a literal, in which `\` begins an escape."""
        return "NULL" if value is None else "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def is_nan(self, name: str) -> str:
        """Whether a float is NaN."""
        return f"isNaN({name})"

    def is_finite(self, name: str) -> str:
        """Whether a float is a number and finite."""
        return f"isFinite({name})"

    def moment(self, text: str, type_name: str) -> str:
        """A moment as a literal, which is compared with days too."""
        del type_name
        return f"toDateTime64({self.text(text)}, 6, 'UTC')"

    def mismatch(self, name: str, pattern: str) -> str:
        r"""Its patterns are RE2's own, but that `.` would match a newline."""
        return f"NOT match({name}, {self.text(translated(pattern, self.patterns))})"

    def length(self, name: str) -> str:
        """The number of characters of a text."""
        return f"lengthUTF8({name})"

    def sum(self, name: str, rows: str, kind: Kind) -> str:
        """The sum of the values as DOUBLE; of integers in 256 bits, since it would go round silently."""
        kept = self.kept(name, rows)
        if kind == "float":
            return f"sumKahan({self.cast(kept, 'DOUBLE')})"
        return super().sum(name, rows, kind)

    def deviation(self, value: str) -> str:
        """The standard deviation of finite values, which is NaN of a single one."""
        found = f"stddevSampStable({self.cast(value, 'DOUBLE')})"
        return f"CASE WHEN count({value}) > 1 THEN {found} END"

    def newest(self, name: str, rows: str) -> str:
        """The latest of the moments in some rows, in microseconds since 1970."""
        return f"toUnixTimestamp64Micro({self.cast(f'max({self.kept(name, rows)})', 'TIMESTAMP')})"

    def seconds(self, name: str) -> str:
        """A moment as seconds since 1970, exact to the microsecond."""
        return f"toUnixTimestamp64Micro({self.cast(name, 'TIMESTAMP')}) / 1e6"
