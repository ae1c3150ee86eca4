"""The short way of an ordinary request: one row in, no task of its own, one call of the model for all that wait.

What is out of the ordinary (a list of rows, a fault of any kind in the request, a model on trial) goes the long way
through `App`, which answers the same.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from mlci.edges.log.records import Record, now
from mlci.edges.serve import protocol
from mlci.edges.serve.app import late, mistake, refusal
from mlci.edges.serve.http import JSON
from mlci.edges.serve.service import Predicted
from mlci.edges.serve.typed import inference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.edges.serve.batch import Answer
    from mlci.edges.serve.connection import Connection
    from mlci.edges.serve.http import RefusedError
    from mlci.edges.serve.service import Service
    from mlci.edges.serve.side import Side

_LOGGER = logging.getLogger("mlci.serve")
_ENCODE = msgspec.json.Encoder().encode
_PREDICT, _INFER = "/predict", "/v2/models/{name}/infer"
_PATH = _PREDICT.encode()
_RANDOM = 10
"""Random bytes of an id."""


class _Event:
    """Stands where uvicorn wants an event that nobody waits for."""

    def set(self) -> None:
        """Nothing."""


class Waiting:
    """A request that waits for its answer; to uvicorn, it is the one that its connection is at.

    Attributes:
        connection: That it came by.
        scope: Its headers and the rest, for the long way.
        path: As it was sent.
        request: The client's id of it, of the Open Inference Protocol; None: it is of named fields.
        body: Its body, for the long way.
        row: What that holds.
        begin: When it had arrived.
        response_complete: Whether it is answered.
        keep_alive: Whether its connection stays.
        disconnected: Whether its client has gone.
    """

    __slots__ = (
        "begin",
        "body",
        "connection",
        "disconnected",
        "keep_alive",
        "path",
        "request",
        "response_complete",
        "row",
        "scope",
    )
    message_event = _Event()

    def __init__(self, connection: Connection, body: bytes, row: msgspec.Struct, request: str | None) -> None:
        self.connection = connection
        self.scope = connection.scope
        self.path = connection.url
        self.request = request
        self.body = body
        self.row = row
        self.begin = time.perf_counter()
        self.response_complete = False
        self.keep_alive = True
        self.disconnected = False


class Lane:
    """Answers ordinary requests of one server process.

    Args:
        service: What is served, its log and its counts.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._largest = service.policy.body
        self._seconds = service.policy.time.total_seconds()
        self._waiting: list[Waiting] = []
        self._side = service.cast.current
        self._tasks: set[asyncio.Task[None]] = set()
        self._made_of: tuple[object, object] = (None, None)
        self._made = (b"", b"")

    def open(self, path: bytes) -> bool:
        """Whether requests of a path may go this way now."""
        side = self._service.cast.current
        return path in {_PATH, side.infer} and self._service.ordinary and not side.batcher.slow

    def take(self, connection: Connection, body: bytes) -> Waiting | None:
        """Have a request answered at the end of this turn of the event loop; None: it must go the long way."""
        side = self._service.cast.current
        if len(body) > self._largest or (found := _read(side, connection.url, body)) is None:
            return None
        if self._waiting and side is not self._side:
            self._flush()
        if not self._waiting:
            self._side = side
            connection.loop.call_soon(self._flush)
        waiting = Waiting(connection, body, *found)
        self._waiting.append(waiting)
        return waiting

    def _flush(self) -> None:
        """Ask the model for all that wait, and answer them, or have the log keep them first."""
        group, self._waiting = self._waiting, []
        if not group:
            return
        side, at = self._side, now()
        try:
            answer = side.batcher.of_rows([msgspec.structs.astuple(each.row) for each in group])
        except Exception:  # noqa: BLE001 - the long way tells each what is wrong with it
            for each in group:
                each.connection.go_long(each)
            return
        names = ids(at, len(group))
        if not self._service.keeps:
            self._answer(side, group, names, _bodies(side, group, names, answer))
            return
        records = records_of(side, [each.row for each in group], names, answer, at)
        if self._service.policy.durable == "before-reply":
            task = group[0].connection.loop.create_task(
                self._keep(side, group, _bodies(side, group, names, answer), records)
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif self._service.kept_behind(records):
            self._answer(side, group, names, _bodies(side, group, names, answer))
        else:
            # The long way says that the log takes nothing.
            for each in group:
                each.connection.go_long(each)

    async def _keep(
        self, side: Side, group: Sequence[Waiting], bodies: Sequence[bytes], records: Sequence[Record]
    ) -> None:
        """Have the log keep what several requests asked, and answer them then."""
        names = [each.id for each in records]
        refused: dict[int, RefusedError] = {}
        try:
            async with asyncio.timeout(self._seconds):
                refused = await self._service.kept(records)
        except TimeoutError:
            refused = dict.fromkeys(range(len(group)), late(self._seconds))
        except Exception:
            _LOGGER.exception("requests %s to %s failed", names[0], names[-1])
            refused = dict.fromkeys(range(len(group)), mistake())
        if not refused:
            self._answer(side, group, names, bodies)
            return
        for place, waiting in enumerate(group):
            if place in refused:
                self._refuse(side, waiting, names[place], refused[place])
            else:
                self._answer(side, [waiting], [names[place]], [bodies[place]])

    def _answer(self, side: Side, group: Sequence[Waiting], names: Sequence[str], bodies: Sequence[bytes]) -> None:
        counts, end = self._service.counts, time.perf_counter()
        counts.predicted("current", side.served.version, len(group))
        for route, mine in ((_PREDICT, True), (_INFER, False)):
            if times := [end - each.begin for each in group if (each.request is None) is mine]:
                counts.answered_together(route, 200, times)
        before, after = self._head(side, group[0].connection.server_state.default_headers)
        for waiting, name, body in zip(group, names, bodies, strict=True):
            waiting.connection.answer(waiting, before, b"%b%b\r\n" % (after, name.encode()), body)

    def _refuse(self, side: Side, waiting: Waiting, name: str, error: RefusedError) -> None:
        told = refusal(error, side, name)
        route = _PREDICT if waiting.request is None else _INFER
        self._service.counts.answered(route, told.status, time.perf_counter() - waiting.begin)
        if (b"connection", b"close") in error.headers:
            waiting.keep_alive = False
        headers = [*side.headers, (b"mlci-request", name.encode()), *error.headers]
        more = b"".join(b"%b: %b\r\n" % each for each in headers if each[0] != b"connection")
        dates = waiting.connection.server_state.default_headers
        waiting.connection.answer(waiting, _before(told.status, dates), more, told.body)

    def _head(self, side: Side, dates: list[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
        """The head of a prediction, but for its length and its id; made anew when the date is."""
        if self._made_of[0] is not side or self._made_of[1] is not dates:
            after = b"".join(b"%b: %b\r\n" % each for each in side.headers) + b"mlci-request: "
            self._made_of, self._made = (side, dates), (_before(200, dates), after)
        return self._made


def _before(status: int, dates: list[tuple[bytes, bytes]]) -> bytes:
    lines = b"".join(b"%b: %b\r\n" % each for each in (*dates, (b"content-type", JSON)))
    return b"HTTP/1.1 %d %b\r\n%bcontent-length: " % (status, HTTPStatus(status).phrase.encode(), lines)


def ids(at: float, count: int) -> list[str]:
    """Ids of requests: the time, and what nobody can guess."""
    stamp, drawn = f"{int(at * 1000):011x}", secrets.token_hex(_RANDOM * count)
    return [stamp + drawn[place : place + 2 * _RANDOM] for place in range(0, len(drawn), 2 * _RANDOM)]


def _read(side: Side, path: bytes, body: bytes) -> tuple[msgspec.Struct, str | None] | None:
    """The row of a body, and of the protocol the client's id of it; None where it isn't plainly right."""
    if path == _PATH:
        row = side.fields.row_of(body)
        return None if row is None else (row, None)
    asked = inference(body)
    row = None if asked is None else side.fields.row_of_tensors(asked.inputs)
    return None if asked is None or row is None else (row, asked.id)


def _bodies(side: Side, group: Sequence[Waiting], names: Sequence[str], answer: Answer) -> list[bytes]:
    """The answers, as `App` writes them."""
    keys, about = side.score_columns, side.about
    return [
        _ENCODE({"id": name, "prediction": prediction, "scores": dict(zip(keys, scores, strict=True)), **about})
        if waiting.request is None
        else _ENCODE(protocol.short(Predicted(side, [name], 0.0, [prediction], [scores]), waiting.request))
        for waiting, name, prediction, scores in zip(group, names, answer.predictions, answer.scores, strict=True)
    ]


def records_of(
    side: Side, rows: Sequence[msgspec.Struct], names: Sequence[str], answer: Answer, at: float
) -> list[Record]:
    """The rows of several requests, as they are stored."""
    served, keys = side.served, side.score_columns
    return [
        Record(
            name,
            at,
            served.name,
            served.version,
            served.commit,
            side.fields.stored(row),
            _ENCODE(prediction).decode(),
            _ENCODE(dict(zip(keys, scores, strict=True))).decode(),
            name,
        )
        for row, name, prediction, scores in zip(rows, names, answer.predictions, answer.scores, strict=True)
    ]
