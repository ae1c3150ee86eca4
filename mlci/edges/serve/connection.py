"""One connection of a client: how long and how large the headers of a request may be."""

from __future__ import annotations

import http
import json
from typing import TYPE_CHECKING, Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

_LARGEST = 65_536


class Connection(HttpToolsProtocol):
    """uvicorn's connection, which by itself waits for headers without end."""

    header_seconds = 5.0
    about: ClassVar[Callable[[], dict[str, str]]] = dict
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
        super().on_headers_complete()

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


def limited(header_seconds: float, about: Callable[[], dict[str, str]]) -> type[Any]:
    """The connection of a server that waits this long for headers, and says what it serves."""
    return type("Connection", (Connection,), {"header_seconds": header_seconds, "about": staticmethod(about)})
