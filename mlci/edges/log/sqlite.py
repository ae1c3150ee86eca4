"""The log in a file of SQLite."""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from mlci.edges.log.join import Made, Said
from mlci.edges.log.records import LogError, LostError, RowError
from mlci.edges.log.schema import check_schema, make

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from mlci.edges.log.join import New, Repeat
    from mlci.edges.log.records import Record

BUSY_SECONDS = 5
_IDS = "(SELECT value FROM json_each(?))"


class SqliteDatabase:
    """A file that several processes may write, one at a time.

    Raises:
        LogError: It can't be opened or written.
        WorldError: Its tables are of another version.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with _told():
            self._database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
        except BaseException:
            self._database.close()
            raise

    def _prepare(self) -> None:
        with _told():
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=FULL")
            # What retention removes is gone from the file too.
            self._database.execute("PRAGMA secure_delete=ON")
            self._database.execute("BEGIN IMMEDIATE")
            try:
                self._tables()
                self._database.execute("COMMIT")
            except BaseException:
                self.rollback()
                raise
            self._file = _identity(self._path)

    def _tables(self) -> None:
        if not self._all("SELECT 1 FROM sqlite_master WHERE name = 'mlci_log'"):
            make(self._database.execute)
        check_schema(self._all("SELECT schema_version FROM mlci_log")[0][0], str(self._path))

    def begin(self) -> None:
        """Begin a transaction; see `Database`, also for the other methods."""
        if _identity(self._path) != self._file:
            raise LostError(f"{self._path.name} was moved or removed")
        self._do("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """All is on the disk afterwards."""
        self._do("COMMIT")

    def rollback(self) -> None:
        """Keep nothing."""
        with suppress(sqlite3.Error):
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")

    def insert(self, records: Sequence[Record]) -> None:
        """Add predictions."""
        alone = not self._database.in_transaction
        if alone:
            self.begin()
        marks = ", ".join("?" * len(records[0]))
        try:
            self._many(f"INSERT INTO predictions VALUES ({marks}) ON CONFLICT (id) DO NOTHING", records)
            if alone:
                self.commit()
        except BaseException:
            if alone:
                self.rollback()
            raise

    def made(self, ids: Collection[str]) -> dict[str, Made]:
        """Predictions by id; the transaction has locked them."""
        select = "SELECT id, at, model, version, revision FROM predictions WHERE role <> 'shadow' AND id IN "
        return {row[0]: Made(*row[1:]) for row in self._all(select + _IDS, json.dumps(list(ids)))}

    def said(self, ids: Collection[str]) -> list[Said]:
        """Labels that there are."""
        select = f"SELECT id, place, label, source FROM feedback WHERE id IN {_IDS}"
        return [Said(*row) for row in self._all(select, json.dumps(list(ids)))]

    def label(self, new: Sequence[New], repeats: Sequence[Repeat]) -> None:
        """Add labels."""
        insert = "INSERT INTO feedback (id, place, label, source, at, last_at) VALUES (?, ?, ?, ?, ?, ?)"
        self._many(insert, [(*each, each.at) for each in new])
        self._many("UPDATE feedback SET times = times + 1, last_at = ? WHERE id = ? AND place = ?", repeats)

    def forget(self, before: float, most: int) -> int:
        """Remove the oldest."""
        self.begin()
        try:
            old = self._all("SELECT id FROM predictions WHERE at < ? ORDER BY at, id LIMIT ?", before, most)
            ids = json.dumps([row[0] for row in old])
            self._do(f"DELETE FROM feedback WHERE id IN {_IDS}", ids)
            self._do(f"DELETE FROM predictions WHERE id IN {_IDS}", ids)
            self.commit()
        except BaseException:
            self.rollback()
            raise
        return len(old)

    def close(self) -> None:
        """Let go of the file."""
        with suppress(sqlite3.Error):
            self._database.close()

    def _do(self, statement: str, *values: Any) -> None:  # noqa: ANN401 - what SQL takes
        with _told():
            self._database.execute(statement, values)

    def _many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        with _told():
            self._database.executemany(statement, rows)

    def _all(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - what SQL takes
        with _told():
            return self._database.execute(statement, values).fetchall()


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file this is: one that was removed and made again is another one."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (sqlite3.DataError, sqlite3.IntegrityError, UnicodeError, OverflowError) as error:
        raise RowError(str(error)) from error
    except sqlite3.Error as error:
        raise LogError(str(error)) from error
