"""Load on a server of our own: some connections, each with one request under way, for some time."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, NamedTuple, cast

from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Sequence

_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_LONGEST = 60.0
"""Seconds after which a server that is silent is given up."""


class Driven(NamedTuple):
    """What came of it.

    Attributes:
        seconds: How long it took.
        latencies: Seconds of every request.
    """

    seconds: float
    latencies: list[float]

    @property
    def rate(self) -> float:
        """Requests answered per second."""
        return len(self.latencies) / self.seconds


def request(host: str, port: int, path: str, body: bytes, kind: str = "application/json") -> bytes:
    """A request that keeps its connection, as bytes."""
    head = f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def drive(host: str, port: int, requests: Sequence[bytes], *, concurrency: int, seconds: float) -> Driven:
    """Send requests in turn, each connection the next one as soon as it is answered, until the time is over.

    Args:
        host: Of the server.
        port: Of the server.
        requests: In full, as `request` writes them.
        concurrency: Connections.
        seconds: How long to send.

    Raises:
        WorldError: An answer is no success, or the server ends or says nothing.
    """
    return asyncio.run(_drive(host, port, requests, concurrency, seconds))


async def _drive(host: str, port: int, requests: Sequence[bytes], concurrency: int, seconds: float) -> Driven:
    loop = asyncio.get_running_loop()
    begin = time.perf_counter()
    clients = [_Client(requests, at, begin + seconds) for at in range(concurrency)]
    try:
        for client in clients:
            await loop.create_connection(lambda client=client: client, host, port)  # type: ignore[misc] # its own client
        await asyncio.wait_for(asyncio.gather(*(client.done for client in clients)), seconds + _LONGEST)
    except (OSError, TimeoutError) as error:
        raise WorldError(f"the server on port {port} does not answer: {str(error) or 'it says nothing'}") from error
    finally:
        for client in clients:
            client.close()
    return Driven(time.perf_counter() - begin, [each for client in clients for each in client.latencies])


class _Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, requests: Sequence[bytes], first: int, until: float) -> None:
        self._requests = requests
        self._next = first
        self._until = until
        self._got = b""
        self._sent = 0.0
        self._transport: asyncio.Transport | None = None
        self.latencies: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._got = self._got + data if self._got else data
        head, end, body = self._got.partition(b"\r\n\r\n")
        if not end:
            return
        found = _LENGTH.search(head)
        if found is None or not head.startswith(b"HTTP/1.1 2"):
            self._fail(f"the server answers {head.splitlines()[0].decode(errors='replace')!r}: {body[:200]!r}")
            return
        if len(body) < int(found[1]):
            return
        now = time.perf_counter()
        self.latencies.append(now - self._sent)
        self._got = b""
        if now < self._until:
            self._send()
        elif not self.done.done():
            self.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the server closed the connection{f': {exc}' if exc else ''}")

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        if not self.done.done():
            self.done.cancel()

    def _send(self) -> None:
        assert self._transport is not None  # noqa: S101 - it is connected
        self._sent = time.perf_counter()
        self._transport.write(self._requests[self._next % len(self._requests)])
        self._next += 1

    def _fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(WorldError(why))
