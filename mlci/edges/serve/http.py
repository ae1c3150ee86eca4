"""Requests and answers over ASGI: bodies within limits, JSON in and out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

JSON = b"application/json"
TEXT = b"text/plain; version=0.0.4; charset=utf-8"
HTML = b"text/html; charset=utf-8"
_SHOWN = 80
_DRAINED = 16_000_000
"""Bytes beyond the limit that are read and thrown away: a client that is still sending would not see the answer."""


class GoneError(Exception):
    """The client left before it had sent everything."""


class RefusedError(Exception):
    """A request that gets an answer of 4xx or 5xx.

    Args:
        status: Of HTTP.
        problem: What is wrong, and what is expected.
        more: Further keys of the answer.
        headers: Further headers.
    """

    def __init__(
        self,
        status: int,
        problem: str,
        more: dict[str, Any] | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(problem)
        self.status = status
        self.problem = problem
        self.more = more or {}
        self.headers = headers


def shown(value: object) -> str:
    """A value of a request as JSON, cut short."""
    try:
        text = msgspec.json.encode(value).decode()
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):
        text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The body of a request that says that it is JSON.

    Raises:
        RefusedError: It is too large, or of another type.
        GoneError: The client left.
    """
    headers = dict(scope["headers"])
    kind = headers.get(b"content-type", JSON)
    if b"json" not in kind.lower():
        raise RefusedError(
            415, f"content-type is {shown(kind.decode('latin-1'))}, and application/json is expected", headers=_CLOSE
        )
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > limit + _DRAINED:
        raise _too_large(limit)
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        part = message.get("body", b"")
        size += len(part)
        if size > limit + _DRAINED:
            raise _too_large(limit)
        if size <= limit:
            parts.append(part)
        more = message.get("more_body", False)
    if size > limit:
        raise _too_large(limit)
    return b"".join(parts)


def read_json(body: bytes) -> Any:  # noqa: ANN401 - JSON can be anything
    """A body, decoded. Raises RefusedError where it is no JSON."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise RefusedError(400, f"the body is no JSON: {error}") from error


_CLOSE = ((b"connection", b"close"),)


def _too_large(limit: int) -> RefusedError:
    return RefusedError(413, f"the body is larger than the {limit:,} bytes that are allowed", headers=_CLOSE)


async def reply(
    send: Send, status: int, body: bytes, kind: bytes = JSON, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    """Send a whole answer."""
    length = str(len(body)).encode()
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", kind), (b"content-length", length), *headers],
        }
    )
    await send({"type": "http.response.body", "body": body})
