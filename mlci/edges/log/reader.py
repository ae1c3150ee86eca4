"""Read a log that a server may be writing."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlci.edges.log.window_schema import Asked

_SQLITE = "sqlite:///"
_BUSY_SECONDS = 10


class Reader:
    """A log that is open for reading."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def pages(self, asked: Asked) -> Iterator[list[tuple[Any, ...]]]:
        """Yield what was predicted in [since, until), in the order of time; each page is a statement of its own."""
        roles = ", ".join("?" for _ in asked.roles)
        named = "" if asked.version is None else "AND p.version = ?"
        query = (
            "SELECT p.id, p.at, p.role, p.model, p.version, p.revision, p.inputs, p.prediction, p.scores, "
            "l.label, l.labelled_at, NULL, l.contradicted FROM predictions p LEFT JOIN labelled l ON l.id = p.id "
            f"WHERE (p.at, p.id) > (?, ?) AND p.at < ? AND p.role IN ({roles}) {named} ORDER BY p.at, p.id LIMIT ?"
        )
        # No id sorts before the empty one, so what was made at `since` itself is behind this.
        after: tuple[float, str] = (asked.since.timestamp(), "")
        while True:
            version = [] if asked.version is None else [asked.version]
            values = [*after, asked.until.timestamp(), *asked.roles, *version, asked.batch_rows]
            page = self._database.execute(query, values).fetchall()
            if not page:
                return
            yield page
            after = page[-1][1], page[-1][0]


@contextmanager
def open_reader(log: str, root: Path) -> Iterator[Reader]:
    """Open a log for reading.

    Raises:
        WorldError: There is no such log, or it can't be read.
    """
    path = root / log.removeprefix(_SQLITE)
    if not path.is_file():
        raise WorldError(f"there is no log {path}", "a server writes it: `mlci serve`")
    try:
        database = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", timeout=_BUSY_SECONDS, uri=True)
        try:
            yield Reader(database)
        finally:
            database.close()
    except sqlite3.Error as error:
        raise WorldError(f"{path} can't be read: {error}", "see that it is a log that `mlci serve` wrote") from error
