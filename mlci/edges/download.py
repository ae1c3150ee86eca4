"""Fetch a file from an address, whole or not at all."""

from __future__ import annotations

import http.client
import ipaddress
import shutil
import time
import urllib.error
import urllib.request
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

from mlci import __version__
from mlci.edges.files import replaced
from mlci.edges.forge import GoneError, NotAllowedError
from mlci.errors import PolicyError, WorldError
from mlci.nouns.forge import Patience

if TYPE_CHECKING:
    from pathlib import Path

_TIMEOUT = 60
_TOO_MANY, _SERVER = 429, 500
_CHUNK = 1 << 20
MOST_BYTES = 20_000_000_000


def is_url(text: str) -> bool:
    """Whether a text is an address of the web."""
    return text.lower().startswith(("https://", "http://"))


def download(
    url: str,
    target: Path,
    *,
    token: str = "",
    patience: Patience = Patience(),  # noqa: B008 - it is frozen
) -> Path:
    """Fetch a file; what is there already is replaced only when all has arrived.

    Args:
        url: `https://…`; `http://` only from this machine.
        target: Where to write.
        token: Sent to this address alone, never to where it redirects to.
        patience: How often to try.

    Raises:
        PolicyError: The address is none that may be fetched from.
        GoneError: Nothing is there.
        NotAllowedError: It is not for us.
        WorldError: It cannot be fetched, or not all of it.
    """
    _must_be_safe(url)
    reason = ""
    for attempt in range(patience.tries):
        try:
            return _once(url, target, token)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != _TOO_MANY and error.code < _SERVER:
                raise _told(url, error.code) from None
            reason = f"it answers {error.code}"
        except (http.client.HTTPException, urllib.error.URLError, OSError) as error:
            reason = str(getattr(error, "reason", "")) or str(error) or type(error).__name__
        if attempt + 1 < patience.tries:
            time.sleep(min(patience.pause * 2**attempt, patience.longest))
    raise WorldError(f"{_shown(url)} can't be fetched: {reason}", "look at the network, and run it again")


def _once(url: str, target: Path, token: str) -> Path:
    request = urllib.request.Request(  # noqa: S310 - the scheme was looked at
        url, headers={"Accept": "application/octet-stream", "User-Agent": f"mlci/{__version__}"}
    )
    if token:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    opener = urllib.request.build_opener(_Redirects)
    with opener.open(request, timeout=_TIMEOUT) as answer:
        size = answer.headers.get("Content-Length")
        if size is not None and int(size) > MOST_BYTES:
            raise WorldError(f"{_shown(url)} is of {int(size):,} bytes", "it is none of ours")
        with replaced(target) as temporary:
            with temporary.open("wb") as file:
                _copy(answer, file)
                written = file.tell()
            if size is not None and written != int(size):
                raise http.client.IncompleteRead(b"", int(size) - written)
    return target


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    shutil.copyfileobj(source, target, _CHUNK)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """An address that leads to a place that anybody on the way can change is not followed."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        _must_be_safe(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _must_be_safe(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname and _is_here(parts.hostname):
        return
    raise PolicyError(f"{_shown(url)} is no address to fetch from", "give one that begins with https://")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _told(url: str, code: int) -> WorldError:
    shown = _shown(url)
    if code in {401, 403}:
        return NotAllowedError(
            f"{shown} does not let us fetch it ({code})",
            "give a token that may read: GITHUB_TOKEN, or --token-env NAME",
        )
    if code in {404, 410}:
        return GoneError(f"there is nothing at {shown}", "look at the address; what is private looks the same")
    return WorldError(f"{shown} answers {code}", "look at the address")


def _shown(url: str) -> str:
    """The address without a password and a query, which may hold a token."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
