"""Propose a policy for a table."""

from __future__ import annotations

import difflib
import re
from datetime import UTC, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING

from mlci.edges.duck import session
from mlci.edges.profile_tables import matching, profile_table
from mlci.edges.tables import find_table, materialise, open_table
from mlci.errors import PolicyError, WorldError
from mlci.measure.infer import likely_patterns, propose
from mlci.nouns.engine import Engine

if TYPE_CHECKING:
    from pathlib import Path


def infer_data(
    root: Path,
    path: str,
    name: str | None = None,
    id: str | None = None,  # noqa: A002 - the policy's word
    label: str | None = None,
    *,
    engine: Engine | None = None,
    now: datetime | None = None,
) -> str:
    """The YAML of `mlci.data.<name>` that a table would pass today, with comments that say what was seen.

    Args:
        root: The repository.
        path: The table's file or glob, relative to it.
        name: What the policy is to call the table; default: the file's name up to its first dot.
        id: Column that joins predictions and labels.
        label: Column that is predicted.
        engine: Memory and threads.
        now: The moment that freshness is seen from, default: now.

    Raises:
        WorldError: The table can't be read, or has no rows.
        PolicyError: The table has no such id or label column.
    """
    table = find_table(root, path)
    with session(engine or Engine()) as connection:
        schema = materialise(connection, table, open_table(connection, table, "inferred"))
        for column in (id, label):
            if column is not None and column not in schema.columns:
                close = difflib.get_close_matches(column, schema.columns, n=1)
                hint = f"; did you mean `{close[0]}`?" if close else ""
                raise PolicyError(f"{path} has no column `{column}`{hint}", "Name a column of the table.")
        profile = profile_table(connection, schema, [id] if id is not None else [])
        likely = likely_patterns(profile)
        held = matching(connection, schema, likely)
    if not profile.rows:
        raise WorldError(f"{path} has no rows to infer anything from", "Write the table first, then infer its policy.")
    patterns = {column: pattern for column, pattern in likely.items() if column in held}
    called = name or _called(path)
    return propose(profile, called, now or datetime.now(UTC), patterns=patterns, id_column=id, label=label)


def _called(path: str) -> str:
    """`data/flights-*.csv.gz` is called flights."""
    stem = PurePath(path).name.partition(".")[0]
    return re.sub(r"\W+", "_", stem).strip("_") or "table"
