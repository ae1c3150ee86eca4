"""Read a log that a server may be writing, in steps that hold up no writer."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mlci.edges.log.address import postgres_parts, sqlite_path
from mlci.edges.log.postgres import driver
from mlci.edges.log.schema import check_schema
from mlci.errors import WorldError
from mlci.nouns.log_url import POSTGRES, without_password

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from mlci.edges.log.window_schema import Asked

    Ask = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]

_BUSY_SECONDS = 10
_MEND = "see that it is a log that `mlci serve` wrote, and that it can be reached"


class Reader:
    """A log that is open for reading.

    Args:
        ask: Asks a statement with `?` for its values.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def pages(self, asked: Asked) -> Iterator[list[tuple[Any, ...]]]:
        """Yield what was predicted in the window, in the order of time; each page is a statement of its own.

        A transaction over all of them would keep what others remove and write from being tidied up.
        """
        roles = ", ".join("?" for _ in asked.roles)
        named = "" if asked.version is None else "AND p.version = ?"
        query = (
            "SELECT p.id, p.at, p.role, p.model, p.version, p.revision, p.inputs, p.prediction, p.scores, "
            "l.label, l.at, l.source, "
            "CASE WHEN l.id IS NULL THEN NULL "
            "ELSE (SELECT count(DISTINCT o.label) FROM feedback o WHERE o.id = p.request) > 1 END "
            "FROM predictions p LEFT JOIN feedback l ON l.id = p.request "
            "AND l.place = (SELECT max(n.place) FROM feedback n WHERE n.id = p.request) "
            f"WHERE (p.at, p.id) > (?, ?) AND p.at < ? AND p.role IN ({roles}) {named} ORDER BY p.at, p.id LIMIT ?"
        )
        # No id sorts before the empty one, so what was made at `since` itself is behind this.
        after: tuple[float, str] = (asked.since.timestamp(), "")
        while True:
            version = [] if asked.version is None else [asked.version]
            page = self._ask(query, [*after, asked.until.timestamp(), *asked.roles, *version, asked.batch_rows])
            if page:
                yield page
            if len(page) < asked.batch_rows:
                return
            after = page[-1][1], page[-1][0]

    def labels(self, asked: Asked) -> Iterator[list[tuple[Any, ...]]]:
        """Yield all labels of predictions in the window, also those that do not count: id, label, source, time.

        Each page is a statement of its own, as those of `pages` are. A label that was said again counts once.
        """
        roles = ", ".join("?" for _ in asked.roles)
        named = "" if asked.version is None else "AND p.version = ?"
        query = (
            "SELECT f.id, f.place, f.label, f.source, f.at FROM feedback f JOIN predictions p ON p.id = f.id "
            f"WHERE (f.id, f.place) > (?, ?) AND p.at >= ? AND p.at < ? AND p.role IN ({roles}) {named} "
            "ORDER BY f.id, f.place LIMIT ?"
        )
        after: tuple[str, int] = ("", 0)
        while True:
            version = [] if asked.version is None else [asked.version]
            window = [asked.since.timestamp(), asked.until.timestamp()]
            page = self._ask(query, [*after, *window, *asked.roles, *version, asked.batch_rows])
            if page:
                yield page
            if len(page) < asked.batch_rows:
                return
            after = page[-1][0], page[-1][1]


@contextmanager
def open_reader(log: str, root: Path) -> Iterator[Reader]:
    """Open a log for reading.

    Raises:
        PolicyError: The URL can't be read, or names a variable that isn't set.
        WorldError: There is no such log, it is of another version, or it can't be read.
    """
    opened = _postgres(log) if log.startswith(POSTGRES) else _sqlite(sqlite_path(log, root))
    with opened as ask:
        check_schema(ask("SELECT schema_version FROM mlci_log", ())[0][0], without_password(log))
        yield Reader(ask)


@contextmanager
def _sqlite(path: Path) -> Iterator[Ask]:
    if not path.is_file():
        raise WorldError(f"there is no log {path}", "a server writes it: `mlci serve`")
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", timeout=_BUSY_SECONDS, uri=True)) as database:
            yield lambda query, values: database.execute(query, values).fetchall()
    except sqlite3.Error as error:
        raise WorldError(f"{path} can't be read: {error}", _MEND) from error


@contextmanager
def _postgres(url: str) -> Iterator[Ask]:
    psycopg = driver()
    parts = postgres_parts(url)
    try:
        with psycopg.connect(**parts, autocommit=True, prepare_threshold=None) as database:
            yield lambda query, values: database.execute(query.replace("?", "%s"), values or None).fetchall()
    except psycopg.Error as error:
        said = " ".join((error.diag.message_primary or str(error)).split())
        hidden = said.replace(parts.get("password") or "\0", "***")
        raise WorldError(f"{without_password(url)} can't be read: {hidden}", _MEND) from None
