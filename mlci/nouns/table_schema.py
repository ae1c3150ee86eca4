"""What is known of a table before any of its rows is read."""

from __future__ import annotations

from typing import Literal

from mlci.nouns.base import Noun

Format = Literal["parquet", "csv", "json", "table"]
DialectName = Literal["duckdb", "spark", "postgres", "motherduck", "mariadb", "mysql"]
Kind = Literal["string", "integer", "float", "decimal", "boolean", "timestamp", "date", "other"]

_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"}
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(_INTEGERS, "integer"),
    **{f"U{name}": "integer" for name in _INTEGERS},
    "FLOAT": "float",
    "DOUBLE": "float",
    "VARCHAR": "string",
    "UUID": "string",
    "BOOLEAN": "boolean",
    "DATE": "date",
}


class TableSchema(Noun):
    """A table that is open under a name of the engine.

    Attributes:
        view: The name that SQL reads it by, not yet quoted.
        path: Its path or glob as the policy writes it, for messages.
        format: How it is stored.
        columns: Names in the order of the file, each with its type as DuckDB names it.
        dialect: The words of the engine that it is open in.
        conditions: The policy's conditions in those words, where they are not DuckDB's.
        order: Further columns that tell the order of the file's rows, where the engine does not keep it.
        finite: Float columns of which the files prove that no value is NaN or infinite, nor so large that a sum is.
    """

    view: str
    path: str
    format: Format
    columns: dict[str, str]
    dialect: DialectName = "duckdb"
    conditions: dict[str, str] = {}
    order: tuple[str, ...] = ()
    finite: tuple[str, ...] = ()

    def kind(self, column: str) -> Kind:
        """The family of the column's type: what may be asked of it."""
        return kind_of(self.columns[column])


def kind_of(type_name: str) -> Kind:
    """The family of an engine's type name.

    >>> kind_of("DECIMAL(18,3)"), kind_of("UINTEGER"), kind_of("TIMESTAMP WITH TIME ZONE"), kind_of("INTEGER[]")
    ('decimal', 'integer', 'timestamp', 'other')
    """
    if type_name.endswith("]"):
        return "other"
    if type_name.startswith("TIMESTAMP"):
        return "timestamp"
    if type_name.startswith("DECIMAL"):
        return "decimal"
    if type_name.startswith("ENUM"):
        return "string"
    return _KINDS.get(type_name, "other")
