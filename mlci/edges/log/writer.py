"""One thread that writes the log: whatever waits when it is free is one transaction."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
import time
from typing import TYPE_CHECKING, Any

from mlci.edges.log.database import Work, write
from mlci.edges.log.records import LogError, LostError, RowError, now
from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from mlci.edges.log.database import Database
    from mlci.edges.log.records import Joined, Label, Record

_LOGGER = logging.getLogger("mlci.serve")
MOST_WAITING = 100_000
_MOST_ROWS = 10_000
"""Rows of one transaction."""
_BITE = 500
"""Predictions that retention removes at once: a few milliseconds of the writer's time."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_SHORTEST_LOOK, _LONGEST_LOOK = 0.1, 60.0
"""Seconds between two looks for what is too old."""
_PATIENCE = 10.0
"""Seconds that a write which has begun is waited for behind the end of a request, and that closing waits."""


class _Job:
    """Work of one request, and who waits for it.

    Attributes:
        behind: Nobody waits: it is tried until the log takes it.
        begun: Whether the thread writes it; from then on it can't be withdrawn.
    """

    __slots__ = ("begun", "behind", "future", "loop", "rows", "settled", "withdrawn", "work")

    def __init__(self, work: Work, *, behind: bool) -> None:
        self.work = work
        self.rows = len(work.records) + len(work.labels)
        self.behind = behind
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()
        self.begun = self.withdrawn = self.settled = False


class PredictionLog:
    """A log that this process writes; others may write it too.

    After a failure it connects again by itself, with pauses that grow. Meanwhile those who wait are refused at once,
    and what is written behind stays in memory, up to `MOST_WAITING` rows.

    Args:
        connect: Opens the database.
        retention: How long predictions are kept; None: for ever.
        shown: How messages to the operator name it.
        absent: Whether the log may be out of reach at the start.

    Attributes:
        waiting: Rows that are not written yet.

    Raises:
        WorldError: The log can't be opened, or is of another version.
    """

    def __init__(
        self,
        connect: Callable[[], Database],
        retention: timedelta | None = None,
        *,
        shown: str = "it",
        absent: bool = False,
    ) -> None:
        self.waiting = 0
        self._fault: LogError | None = None
        self._shown = shown
        self._connect = connect
        self._database: Database | None = None
        self._again = 0.0
        self._pause = _FIRST_PAUSE
        self._keep = None if retention is None else retention.total_seconds()
        self._look = 0.0
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._held: list[_Job] = []
        self._lost = 0
        self._lock = threading.Lock()
        try:
            self._database = connect()
        except LogError as error:
            if not absent:
                raise WorldError(
                    f"the log {shown} can't be opened: {error}",
                    "see that it can be reached and written, or name another",
                ) from error
            self._failed(error)
        self._thread = threading.Thread(target=self._run, name="mlci-log", daemon=True)
        self._thread.start()

    @property
    def fault(self) -> str:
        """Why the log takes nothing at the moment; empty: it does."""
        return "" if self._fault is None else str(self._fault)

    def predictions(
        self, records: Sequence[Record], *, behind: bool = False, apart: bool = False
    ) -> asyncio.Future[list[Any]]:
        """Store predictions; done when they are on the disk.

        Args:
            records: The predictions.
            behind: Whether they are tried again for as long as the log takes nothing.
            apart: Whether they are of several requests: what comes of it are the places of those that the log can't
                hold.

        Raises:
            LogError: More wait already than may.
        """
        return self._put(Work(records=records, apart=apart), behind=behind).future

    def feedback(self, labels: Sequence[Label]) -> asyncio.Future[list[Joined]]:
        """Store labels, all or none; done when they are on the disk. Raises LogError as `predictions`."""
        return self._put(Work(labels=labels), behind=False).future

    async def written_apart(self, records: Sequence[Record]) -> list[int]:
        """Store predictions of several requests, as `written`; gives the places of those that the log can't hold."""
        return await self._written(Work(records=records, apart=True))

    async def written(self, work: Work) -> list[Joined]:
        """Store work, and wait until it is on the disk.

        Whoever is cancelled while waiting can rely on it: nothing was stored. What is being written by then is waited
        for, and told as if nobody had been cancelled.

        Raises:
            LogError: Nothing was stored, or (it says so) nobody knows.
        """
        return await self._written(work)

    async def _written(self, work: Work) -> list[Any]:
        job = self._put(work, behind=False)
        try:
            return list(await asyncio.shield(job.future))
        except asyncio.CancelledError:
            if self._withdrawn(job):
                raise
        try:
            async with asyncio.timeout(_PATIENCE):
                return list(await asyncio.shield(job.future))
        except TimeoutError as error:
            raise LogError("it doesn't answer, and may have stored this or not") from error

    def close(self) -> int:
        """Write what waits, and let go of the log; gives how many rows could not be written."""
        self._jobs.put(None)
        self._thread.join(2 * _PATIENCE)
        return self.waiting if self._thread.is_alive() else self._lost

    def _put(self, work: Work, *, behind: bool) -> _Job:
        job = _Job(work, behind=behind)
        if self.waiting + job.rows > MOST_WAITING:
            raise self._again_said() or LogError("it is slower than the requests")
        self.waiting += job.rows
        self._jobs.put(job)
        return job

    def _withdrawn(self, job: _Job) -> bool:
        with self._lock:
            job.withdrawn = not job.begun
        return job.withdrawn

    def _run(self) -> None:
        last = False
        while not last:
            last = self._gather()
            self._work(last=last)
            if not last:
                self._forget()
        self._lost = sum(job.rows for job in self._held)
        if self._lost:
            _LOGGER.error(
                "%d rows were never written: the log %s takes nothing: %s", self._lost, self._shown, self.fault
            )
        self._settle(self._held, [None] * len(self._held), self._again_said() or LogError("the server ends"))
        self._let_go()

    def _gather(self) -> bool:
        """Take what waits; True where it is the last."""
        last = False
        with contextlib.suppress(queue.Empty):
            job = self._jobs.get(timeout=self._idle())
            while True:
                if job is None:
                    last = True
                else:
                    self._held.append(job)
                job = self._jobs.get_nowait()
        return last

    def _idle(self) -> float | None:
        """Seconds until something is to be done though nobody asks for it; None: nothing is."""
        due = [self._again] if self._fault else []
        due += [self._look] if self._keep is not None else []
        return max(min(due) - time.monotonic(), 0.0) if due else None

    def _work(self, *, last: bool) -> None:
        """Write what waits, as far as the log takes it."""
        while self._held:
            if self._fault and time.monotonic() < self._again and not last:
                waiting = [job for job in self._held if not job.behind]
                self._held = [job for job in self._held if job.behind]
                self._settle(waiting, [None] * len(waiting), self._again_said())
                return
            if not self._round() and last:
                return
        if self._fault and time.monotonic() >= self._again:
            try:
                self._open()
                self._well()
            except LogError as error:
                self._failed(error)

    def _round(self) -> bool:
        """Write the first that wait; False where the log takes nothing."""
        group = self._begun()
        try:
            try:
                self._write(group)
            except LostError:
                # A database that was started again is there, the connection to the old one is not.
                self._let_go()
                self._write([job for job in group if not job.settled])
        except LogError as error:
            self._failed(error)
            left = [job for job in group if not job.settled]
            refused = [job for job in left if not job.behind]
            self._settle(refused, [None] * len(refused), error)
            self._held = [job for job in left if job.behind] + self._held
            return False
        return True

    def _begun(self) -> list[_Job]:
        """The first that wait, up to a transaction's rows, without those that were withdrawn."""
        taken, rows = 0, 0
        for job in self._held:
            if taken and rows + job.rows > _MOST_ROWS:
                break
            taken, rows = taken + 1, rows + job.rows
        group, self._held = self._held[:taken], self._held[taken:]
        with self._lock:
            for job in group:
                job.begun = not job.withdrawn
        gone = [job for job in group if not job.begun]
        self._settle(gone, [None] * len(gone), None)
        return [job for job in group if job.begun]

    def _write(self, group: list[_Job]) -> None:
        """Write jobs in one transaction; where one of them can't be kept, each by itself."""
        if not group:
            return
        try:
            outcomes = write(self._open(), [job.work for job in group])
        except RowError as error:
            if len(group) == 1 and group[0].work.apart:
                self._settle(group, [self._write_apart(group[0].work.records)], None)
                return
            if len(group) == 1:
                self._settle(group, [None], error)
                return
            for job in group:
                self._write([job])
            return
        self._well()
        self._settle(group, outcomes, None)

    def _write_apart(self, records: Sequence[Record]) -> list[int]:
        """Write each in a transaction of its own; gives the places of those that can't be kept."""
        refused = []
        for place, record in enumerate(records):
            try:
                write(self._open(), [Work(records=[record])])
            except RowError:
                refused.append(place)
        return refused

    def _open(self) -> Database:
        if self._database is None:
            try:
                self._database = self._connect()
            except WorldError as error:
                raise LogError(error.problem) from error
        return self._database

    def _again_said(self) -> LogError | None:
        return None if self._fault is None else type(self._fault)(str(self._fault))

    def _let_go(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def _well(self) -> None:
        if self._fault is not None:
            _LOGGER.warning("the log %s takes rows again", self._shown)
        self._fault, self._pause = None, _FIRST_PAUSE

    def _failed(self, error: LogError) -> None:
        self._let_go()
        if self._fault is None:
            _LOGGER.error("the log %s takes nothing: %s", self._shown, error)
        self._fault = error
        self._again = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def _settle(self, group: list[_Job], outcomes: Sequence[Any], error: LogError | None) -> None:
        for job in group:
            job.settled = True
        for loop in {job.loop for job in group}:
            mine = [(job, outcome) for job, outcome in zip(group, outcomes, strict=True) if job.loop is loop]
            # The loop may be closed where nobody waits any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._tell, mine, error)

    def _tell(self, told: list[tuple[_Job, Any]], error: LogError | None) -> None:
        for job, outcome in told:
            self.waiting -= job.rows
            if job.future.done():
                continue
            if error is None:
                job.future.set_result(outcome)
            else:
                job.future.set_exception(error)

    def _forget(self) -> None:
        """Remove a bite of what is too old, now and then."""
        if self._keep is None or self._fault or time.monotonic() < self._look:
            return
        removed = 0
        try:
            removed = self._open().forget(now() - self._keep, _BITE)
        except LogError as error:
            self._failed(error)
        # More may be due: at once, but behind the requests that came meanwhile.
        pause = 0.0 if removed == _BITE else min(_LONGEST_LOOK, max(self._keep / 100, _SHORTEST_LOOK))
        self._look = time.monotonic() + pause
