"""One connection of a client: how long and how large the headers of a request may be."""

from __future__ import annotations

import asyncio
import http
import json
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlci.edges.serve.lane import Lane, Waiting

_LARGEST = 65_536


class Connection(HttpToolsProtocol):
    """uvicorn's connection, which by itself waits for headers without end."""

    header_seconds = 5.0
    about: ClassVar[Callable[[], dict[str, str]]] = dict
    lane: ClassVar[Lane | None] = None
    _reading: bytes | None = None
    """Body so far of a request that may go the short way."""
    _timer: asyncio.TimerHandle | None = None
    _received = 0
    _complete = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """A client has come: its first request begins."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has gone."""
        self._end()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; where no request is under way, another one begins."""
        # uvicorn's cycle is none until there was a request, whatever its type says.
        if self._timer is None and bool(self.cycle) and not self.cycle.response_complete:
            super().data_received(data)
            return
        if self._timer is None:
            self._received = 0
        self._received += len(data)
        self._complete = False
        super().data_received(data)
        if self._reading is not None:
            # The rest of the body comes later.
            self._start_long(self._reading)
        if self._complete or self.transport.is_closing():
            return
        if self._received > _LARGEST:
            self._refuse(431, f"the headers are larger than the {_LARGEST:,} bytes that are allowed")
        elif self._timer is None:
            # Most headers come in one piece, and need no timer.
            self._wait()

    def on_headers_complete(self) -> None:
        """A request can be answered."""
        self._end()
        self._complete = True
        if self._is_ordinary():
            self._reading = b""
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body has come."""
        if self._reading is None:
            super().on_body(body)
        else:
            self._reading += body

    def on_message_complete(self) -> None:
        """A request is there."""
        if self._reading is None or self.lane is None:
            super().on_message_complete()
            return
        waiting = self.lane.take(self, self._reading)
        if waiting is None:
            self._start_long(self._reading)
            super().on_message_complete()
        else:
            self._reading, self.cycle = None, waiting  # type: ignore[assignment] # all that uvicorn asks of one

    def _is_ordinary(self) -> bool:
        """Whether a request can be answered the short way: nothing that HTTP has rules of its own for."""
        if self.lane is None or not self.lane.open(self.url) or self.expect_100_continue:
            return False
        if (bool(self.cycle) and not self.cycle.response_complete) or self.flow.write_paused:
            return False
        parser = self.parser
        if parser.get_method() != b"POST" or parser.get_http_version() != "1.1":
            return False
        if parser.should_upgrade() or not parser.should_keep_alive():
            return False
        return all(
            b"json" in value.lower() if name == b"content-type" else name != b"transfer-encoding"
            for name, value in self.headers
        )

    def _start_long(self, body: bytes) -> None:
        """Go on as uvicorn does, which knows nothing of this request yet."""
        self._reading = None
        super().on_headers_complete()
        if body:
            super().on_body(body)

    def go_long(self, waiting: Waiting) -> None:
        """Have a request that went the short way answered as any other."""
        scope = waiting.scope | {"method": "POST", "query_string": b""}
        scope |= {"path": unquote(waiting.path.decode()), "raw_path": waiting.path}
        cycle = RequestResponseCycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=waiting.keep_alive,
            on_response=self.on_response_complete,
        )
        cycle.body += waiting.body
        cycle.more_body, cycle.disconnected = False, waiting.disconnected
        cycle.message_event.set()
        current: object = self.cycle
        if current is waiting:
            self.cycle = cycle
        self._start_asgi_task(cycle, self.app)

    def answer(self, waiting: Waiting, before: bytes, after: bytes, body: bytes) -> None:
        """Send an answer whose headers are written but for its length.

        Args:
            waiting: The request.
            before: The head until then.
            after: The rest of the headers, without the empty line behind them.
            body: The body.
        """
        if waiting.disconnected or self.transport.is_closing():
            waiting.response_complete = True
            return
        end = b"\r\n" if waiting.keep_alive else b"connection: close\r\n\r\n"
        self.transport.write(b"%b%d\r\n%b%b%b" % (before, len(body), after, end, body))
        waiting.response_complete = True
        if not waiting.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """What came is not HTTP."""
        self._refuse(400, f"this is no HTTP that is understood: {msg}")

    def _wait(self) -> None:
        self._timer = self.loop.call_later(self.header_seconds, self._late)

    def _late(self) -> None:
        self._refuse(408, f"the headers took longer than the {self.header_seconds:g} s that are allowed")

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: int, problem: str) -> None:
        self._end()
        if self.transport.is_closing():
            return
        if not self._received:
            # A connection that was opened ahead of time: an answer to no request would be taken for the next one's.
            self.transport.close()
            return
        body = json.dumps({"error": problem, "id": "", **type(self).about()}).encode()
        head = (
            f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


def limited(header_seconds: float, about: Callable[[], dict[str, str]], lane: Lane) -> type[Any]:
    """The connection of a server that waits this long for headers, says what it serves, and has a short way."""
    more = {"header_seconds": header_seconds, "about": staticmethod(about), "lane": lane}
    return type("Connection", (Connection,), more)
