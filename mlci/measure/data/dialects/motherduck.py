"""DuckDB behind a connection of somebody else's: MotherDuck, or a database file."""

from __future__ import annotations

from typing import ClassVar

from mlci.measure.data.dialects.duck import DuckDialect


class MotherduckDialect(DuckDialect):
    """The same words; keys, overlaps and conflicts are asked in the portable forms."""

    name: ClassVar[str] = "DuckDB"

    def table(self, name: str) -> str:
        """A table, with its database and schema or without."""
        return ".".join(self.identifier(part) for part in name.split("."))
