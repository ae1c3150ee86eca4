"""The log's tables, the same in SQLite and PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA = 1
"""Changes whenever a table does; a log says which it has."""

TABLES = (
    """CREATE TABLE mlci_log (schema_version INTEGER NOT NULL)""",
    f"""INSERT INTO mlci_log VALUES ({SCHEMA})""",
    # Times are seconds since 1970 in UTC; inputs, prediction, scores and label are JSON.
    """CREATE TABLE predictions (
  id TEXT PRIMARY KEY, at DOUBLE PRECISION NOT NULL, model TEXT NOT NULL, version TEXT NOT NULL,
  revision TEXT NOT NULL, inputs TEXT NOT NULL, prediction TEXT NOT NULL, scores TEXT NOT NULL,
  request TEXT NOT NULL, role TEXT NOT NULL)""",
    """CREATE INDEX predictions_at ON predictions(at, id)""",
    """CREATE INDEX predictions_request ON predictions(request) WHERE role = 'shadow'""",
    """CREATE TABLE feedback (
  id TEXT NOT NULL, place INTEGER NOT NULL, label TEXT NOT NULL, source TEXT NOT NULL,
  at DOUBLE PRECISION NOT NULL, times INTEGER NOT NULL DEFAULT 1, last_at DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (id, place))""",
    # The newest label counts, for the prediction and for its shadow's.
    """CREATE VIEW labelled AS
  SELECT p.*, f.label, f.at AS labelled_at, f.source AS label_source,
    (SELECT count(DISTINCT o.label) FROM feedback o WHERE o.id = p.request) > 1 AS contradicted
  FROM predictions p JOIN feedback f ON f.id = p.request
    AND f.place = (SELECT max(n.place) FROM feedback n WHERE n.id = p.request)""",
)


def check_schema(found: int, shown: str) -> None:
    """Refuse a log of another version of mlci.

    Raises:
        WorldError: Its tables are others than these.
    """
    if found != SCHEMA:
        newer = "newer" if found > SCHEMA else "older"
        raise WorldError(
            f"{shown} was made by a {newer} mlci: its tables are of version {found}, and {SCHEMA} is needed",
            "use that version of mlci, or name another log",
        )


def make(execute: Callable[[str], object]) -> None:
    """Make the tables, in a transaction of the caller's."""
    for statement in TABLES:
        execute(statement)
