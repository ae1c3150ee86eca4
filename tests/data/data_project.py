"""A folder with small real tables, written by DuckDB, and the whole check of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb

from mlci.flows.check_data import check_data
from mlci.nouns.policy import Policy, PolicyFile

if TYPE_CHECKING:
    from pathlib import Path

    from mlci.nouns.data_result import DataResult
    from mlci.nouns.finding import Finding

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Project:
    """A folder with tables and a policy about the table `t`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, select: str, name: str = "t.parquet") -> Path:
        """Write what a SELECT gives; the ending tells how."""
        file = self.root / name
        form = {".csv": "csv, header", ".jsonl": "json", ".parquet": "parquet"}[file.suffix]
        with duckdb.connect() as connection:
            connection.execute(f"COPY ({select}) TO '{file}' (FORMAT {form})")
        return file

    def values(self, values: str, columns: str = "x", name: str = "t.parquet") -> Path:
        """Write a VALUES list."""
        return self.write(f"SELECT * FROM (VALUES {values}) AS v({columns})", name)

    def check(self, table: dict[str, Any], *, path: str = "t.parquet", **more: Any) -> DataResult:
        """Check the table `t` against a policy."""
        options = {key: more.pop(key) for key in ("rows_to", "explain", "tables", "now") if key in more}
        policy = Policy.model_validate({"data": {"t": {"path": path, **table}}, **more})
        lines = {("data",): 2, ("data", "t"): 3, ("data", "t", "columns"): 5, ("data", "t", "rules"): 9}
        file = PolicyFile(policy, "params.yaml", lines)
        return check_data(self.root, file, **{"now": NOW, **options})

    def find(self, table: dict[str, Any], check: str, **more: Any) -> Finding:
        """The only finding of one check."""
        found = [finding for finding in self.check(table, **more).findings if finding.check == f"data.t.{check}"]
        assert len(found) == 1, [finding.check for finding in found]
        return found[0]

    def column(self, entry: dict[str, Any], word: str, **more: Any) -> Finding:
        """The finding of one word about the column `x`."""
        return self.find({"columns": {"x": entry}}, f"x.{word}", **more)
