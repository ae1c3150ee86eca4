"""The log of predictions and labels in SQLite: what was acknowledged is on the disk."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS predictions (
  id TEXT PRIMARY KEY, at REAL NOT NULL, model TEXT NOT NULL, version TEXT NOT NULL, revision TEXT NOT NULL,
  inputs TEXT NOT NULL, prediction TEXT NOT NULL, scores TEXT NOT NULL,
  request TEXT NOT NULL, role TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS predictions_request ON predictions(request) WHERE role = 'shadow';
CREATE TABLE IF NOT EXISTS feedback (
  place INTEGER PRIMARY KEY, id TEXT NOT NULL REFERENCES predictions(id), label TEXT NOT NULL,
  at REAL NOT NULL, times INTEGER NOT NULL DEFAULT 1, last_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS feedback_id ON feedback(id, place);
CREATE VIEW IF NOT EXISTS labelled AS
  SELECT p.*, f.label, f.at AS labelled_at, (SELECT count(*) FROM feedback o WHERE o.id = p.request) > 1 AS contradicted
  FROM predictions p JOIN feedback f ON f.place = (SELECT max(place) FROM feedback n WHERE n.id = p.request);
"""
_BUSY_SECONDS = 10
_MOST_WAITING = 100_000


class LogError(Exception):
    """The log took nothing: the disk is full, or the file is gone or locked."""


class Record(NamedTuple):
    """One prediction, as it is stored; inputs, prediction and scores are JSON.

    Attributes:
        request: Id of the prediction that the client got for the row: of a shadow's, the one that it stands behind.
        role: `current`, `canary`, or `shadow`, whose answers no client sees.
    """

    id: str
    at: float
    model: str
    version: str
    commit: str
    inputs: str
    prediction: str
    scores: str
    request: str
    role: str = "current"


class Label(NamedTuple):
    """The true value of a prediction, as JSON."""

    id: str
    label: str
    at: float


class Joined(NamedTuple):
    """What became of a label.

    Attributes:
        known: Whether there is such a prediction; nothing is stored where there is none.
        duplicate: Whether it is the label that counted already.
        contradicts: The label that counted before and differs, as JSON; None where there is none.
        after: Seconds since the prediction.
        made_by: Model, version and commit that predicted it.
    """

    known: bool
    duplicate: bool = False
    contradicts: str | None = None
    after: float = 0.0
    made_by: tuple[str, str, str] = ("", "", "")


class _Job(NamedTuple):
    work: Callable[[sqlite3.Connection], Any]
    rows: int
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


class PredictionLog:
    """A file of SQLite that one thread writes: whatever waits when it is free is one transaction."""

    def __init__(self, path: Path) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self.waiting = 0
        self._database = _open(path)
        self._thread = threading.Thread(target=self._run, name="mlci-log")
        self._thread.start()

    def predictions(self, records: Sequence[Record]) -> asyncio.Future[None]:
        """Store predictions; done when they are on the disk.

        Raises:
            LogError: More wait already than may.
        """
        return self._put(lambda database: _insert(database, records), len(records))

    def feedback(self, labels: Sequence[Label]) -> asyncio.Future[list[Joined]]:
        """Store labels, all or none; done when they are on the disk. Raises LogError as `predictions`."""
        return self._put(lambda database: _join(database, labels), len(labels))

    def close(self) -> None:
        """Write what waits, and close the file."""
        self._jobs.put(None)
        self._thread.join()

    def _put(self, work: Callable[[sqlite3.Connection], Any], rows: int) -> asyncio.Future[Any]:
        if self.waiting + rows > _MOST_WAITING:
            raise LogError("the log is slower than the requests")
        loop = asyncio.get_running_loop()
        job = _Job(work, rows, loop.create_future(), loop)
        self.waiting += rows
        self._jobs.put(job)
        return job.future

    def _run(self) -> None:
        last = False
        while not last:
            jobs = [self._jobs.get()]
            while not self._jobs.empty():
                jobs.append(self._jobs.get())
            last = None in jobs
            group = [job for job in jobs if job is not None]
            if group:
                self._write(group)
        self._database.close()

    def _write(self, group: list[_Job]) -> None:
        results: list[Any] = []
        error: LogError | None = None
        try:
            self._database.execute("BEGIN IMMEDIATE")
            results = [job.work(self._database) for job in group]
            self._database.execute("COMMIT")
        except sqlite3.Error as problem:
            error = LogError(str(problem))
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
        # The loop may be closed where nobody waits any more.
        if not group[0].loop.is_closed():
            group[0].loop.call_soon_threadsafe(self._tell, group, results, error)

    def _tell(self, group: list[_Job], results: list[Any], error: LogError | None) -> None:
        for place, job in enumerate(group):
            self.waiting -= job.rows
            if job.future.done():
                continue
            if error is None:
                job.future.set_result(results[place])
            else:
                job.future.set_exception(error)


def _open(path: Path) -> sqlite3.Connection:
    try:
        database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.executescript(_SCHEMA)
    except sqlite3.Error as error:
        raise WorldError(
            f"{path} can't keep the log: {error}", "name another file with --log sqlite:///FILE"
        ) from error
    return database


def _insert(database: sqlite3.Connection, records: Sequence[Record]) -> None:
    database.executemany("INSERT INTO predictions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", records)


def _join(database: sqlite3.Connection, labels: Sequence[Label]) -> list[Joined]:
    # A label belongs to the answer that a client saw, and through it to its shadow's.
    select = "SELECT at, model, version, revision FROM predictions WHERE id = ? AND role <> 'shadow'"
    found = [database.execute(select, (each.id,)).fetchone() for each in labels]
    if None in found:
        return [Joined(known=row is not None) for row in found]
    return [_label(database, each, row) for each, row in zip(labels, found, strict=True)]


def _label(database: sqlite3.Connection, new: Label, predicted: tuple[float, str, str, str]) -> Joined:
    at, *made_by = predicted
    known = Joined(known=True, after=max(new.at - at, 0.0), made_by=(made_by[0], made_by[1], made_by[2]))
    last = database.execute(
        "SELECT place, label FROM feedback WHERE id = ? ORDER BY place DESC LIMIT 1", (new.id,)
    ).fetchone()
    if last is not None and last[1] == new.label:
        database.execute("UPDATE feedback SET times = times + 1, last_at = ? WHERE place = ?", (new.at, last[0]))
        return known._replace(duplicate=True)
    database.execute(
        "INSERT INTO feedback (id, label, at, last_at) VALUES (?, ?, ?, ?)", (new.id, new.label, new.at, new.at)
    )
    return known._replace(contradicts=None if last is None else last[1])


def now() -> float:
    """Seconds since 1970, in UTC."""
    return time.time()
