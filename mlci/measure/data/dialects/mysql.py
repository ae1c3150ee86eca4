"""MariaDB and MySQL, whose texts are told to compare by their characters: by default `a` equals `A`, and `a ` too."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, ClassVar

from mlci.measure.data.dialects.base import Dialect
from mlci.measure.data.dialects.patterns import translated

if TYPE_CHECKING:
    from mlci.measure.data.dialects.patterns import Target

_TEXTS = frozenset({"VARCHAR", "UUID"})


class MariadbDialect(Dialect):
    """MariaDB 10.5 or newer, with `ANSI_QUOTES` and `PIPES_AS_CONCAT` and UTC in its session."""

    types: ClassVar[dict[str, str]] = {
        "VARCHAR": "CHAR",
        "HUGEINT": "DECIMAL(38,0)",
        "BIGINT": "SIGNED",
        "FLOAT": "DOUBLE",
        "TIMESTAMP": "DATETIME(6)",
        "TIMESTAMP WITH TIME ZONE": "DATETIME(6)",
    }
    null_safe: ClassVar[str] = "<=>"
    patterns: ClassVar[Target] = "pcre"
    name: ClassVar[str] = "MariaDB"
    collation: ClassVar[str] = "utf8mb4_nopad_bin"
    has_infinity: ClassVar[bool] = False
    refuses_casts: ClassVar[bool] = False
    finds_quantiles: ClassVar[bool] = False
    # Null as soon as one of the values is null, where DuckDB leaves nulls out.
    strange: ClassVar[frozenset[str]] = frozenset({"greatest", "least"})

    def table(self, name: str) -> str:
        """A table, with its database or without."""
        return ".".join(self.identifier(part) for part in name.split("."))

    def text(self, value: str | None) -> str:
        r"""A text as a literal, in which `\` begins an escape."""
        return "NULL" if value is None else "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"

    def compared(self, value: str, type_name: str) -> str:
        """Texts by their characters, none of them left out; true and false as 1 and 0; FLOAT with all of its digits."""
        if type_name == "FLOAT":
            return f"({value} + 0e0)"
        if type_name == "BOOLEAN":
            return f"({value} <> 0)"
        return f"CONVERT({value} USING utf8mb4) COLLATE {self.collation}" if type_name in _TEXTS else value

    def nulls_last(self, name: str) -> str:
        """Ascending order with nulls at its end."""
        return f"{name} IS NULL, {name}"

    def number(self, digits: str, type_name: str) -> str:
        """A column of FLOAT is compared as DOUBLE, so that a limit is rounded to FLOAT first."""
        value = float(digits)
        if type_name == "FLOAT":
            (value,) = struct.unpack("f", struct.pack("f", value))
        return self.double(value)

    def infinity(self) -> str:
        """There is none: no value is larger than this."""
        return "1.7976931348623157e308"

    def is_nan(self, name: str) -> str:
        """Never; unknown of a null."""
        return f"{name} <> {name}"

    def has_number(self, name: str) -> str:
        """Whether a float is there."""
        return f"{name} IS NOT NULL"

    def is_finite(self, name: str) -> str:
        """Always; unknown of a null."""
        return f"{name} = {name}"

    def mismatch(self, name: str, pattern: str) -> str:
        """Whether a text does not match, with the meaning that RE2 gives the pattern."""
        return f"NOT ({name} REGEXP {self.text(translated(pattern, self.patterns))})"

    def deviation(self, value: str) -> str:
        """The standard deviation of finite values; the squares of very large ones would be none of its floats."""
        value = self.cast(value, "DOUBLE")
        plain, scaled = f"stddev_samp({value})", f"stddev_samp({value} / 1e160) * 1e160"
        return f"CASE WHEN max(abs({value})) > 1e150 THEN {scaled} ELSE {plain} END"

    def as_text(self, name: str, type_name: str) -> str:
        """A value as text; of true and false, which are numbers here, by their names."""
        if type_name == "BOOLEAN":
            return f"CASE WHEN {name} THEN 'true' WHEN NOT {name} THEN 'false' END"
        return super().as_text(name, type_name)

    def same_text(self, name: str, type_name: str, value: str | None) -> str:
        """Whether a value, written as text, is this one."""
        if type_name == "BOOLEAN" and value is not None:
            return name if value == "true" else f"NOT {name}"
        return super().same_text(name, type_name, value)

    def newest(self, name: str, rows: str) -> str:
        """The latest of the moments in some rows, in microseconds since 1970."""
        return f"timestampdiff(MICROSECOND, '1970-01-01', max({self.kept(name, rows)}))"

    def seconds(self, name: str) -> str:
        """A moment as seconds since 1970, exact to the microsecond."""
        return f"timestampdiff(MICROSECOND, '1970-01-01', {name}) / 1e6"


class MysqlDialect(MariadbDialect):
    """MySQL 8.0.17 or newer, with the same settings of its session."""

    patterns: ClassVar[Target] = "icu"
    name: ClassVar[str] = "MySQL"
    collation: ClassVar[str] = "utf8mb4_0900_bin"
