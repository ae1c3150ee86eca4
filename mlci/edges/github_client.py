"""The way to GitHub's API: the library's client, patient within bounds, and its errors in our words."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self, cast

import requests
from github import Auth, Github
from github.GithubException import (
    BadAttributeException,
    BadCredentialsException,
    GithubException,
    RateLimitExceededException,
)
from github.GithubRetry import GithubRetry
from pydantic import ValidationError

from mlci import __version__
from mlci.edges.forge import GoneError, NotAllowedError
from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from urllib3.connectionpool import ConnectionPool
    from urllib3.response import BaseHTTPResponse, HTTPResponse

    from mlci.nouns.forge import Patience

_TIMEOUT = 30
_TROUBLE = [429, *range(500, 600)]
_UNAUTHORIZED, _FORBIDDEN, _MISSING, _GONE, _INVALID, _SERVER = 401, 403, 404, 410, 422, 500
_MOST_SAID = 300


class _Retry(GithubRetry):
    """The library's retries, which do not wait for hours when GitHub asks for it."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        try:
            self._not_for_hours(response)
            # The library says less than urllib3 about what it takes and gives.
            theirs = cast("HTTPResponse", response)
            return cast("Self", super().increment(method, url, theirs, error, _pool, _stacktrace))
        except GithubException:
            if response is not None:
                response.close()
            raise

    def _not_for_hours(self, response: BaseHTTPResponse | None) -> None:
        asked = self.get_retry_after(response) if response is not None else None
        if response is not None and asked is not None and asked > (self.max_rate_limit_wait or 0):
            said = {"message": f"GitHub asks to wait {asked:.0f} s"}
            raise RateLimitExceededException(response.status, said, dict(response.headers))


def connect(token: str, address: str, patience: Patience) -> Github:
    """A client that asks nothing until it is used, and then only what was asked for."""
    retry = _Retry(
        total=patience.tries - 1,
        backoff_factor=patience.pause / 2,
        backoff_jitter=patience.pause / 4,
        backoff_max=patience.longest,
        status_forcelist=_TROUBLE,
        allowed_methods=None,
        raise_on_status=False,
        secondary_rate_wait=patience.limit,
        max_rate_limit_wait=patience.longest,
    )
    return Github(
        # Without a token, GitHub shows what is public.
        auth=Auth.Token(token) if token else None,
        base_url=address.rstrip("/"),
        timeout=_TIMEOUT,
        per_page=100,
        retry=retry,
        user_agent=f"mlci/{__version__}",
        # We ask little; the pauses that the library makes after each request would only cost time.
        seconds_between_requests=0,
        seconds_between_writes=0,
        lazy=True,
    )


@contextlib.contextmanager
def asking(what: str, needs: str, token: str, address: str) -> Iterator[None]:
    """Turn what the library raises into our errors.

    Args:
        what: What is being done, to be put after 'GitHub does not let us …': `comment on #12`.
        needs: The permission that it takes, as a workflow names it: `pull-requests: write`.
        token: It never appears in a message.
        address: Of the API.
    """
    try:
        yield
    except GithubException as error:
        raise _told(error, what, needs, token) from None
    except requests.RequestException as error:
        raise WorldError(
            f"GitHub at {_host(address)} cannot be reached ({type(error).__name__}), so that we cannot {what}",
            "look at the network and at https://www.githubstatus.com, and run it again; GITHUB_API_URL names the API",
        ) from None
    except (BadAttributeException, ValidationError, AssertionError, ValueError, TypeError, AttributeError) as error:
        raise WorldError(
            f"what {_host(address)} answers is not what GitHub answers ({type(error).__name__}): we cannot {what}",
            "let GITHUB_API_URL name GitHub's API, such as https://api.github.com",
        ) from error


def _told(error: GithubException, what: str, needs: str, token: str) -> WorldError:
    said = _said(error, token)
    match error.status:
        case _ if isinstance(error, RateLimitExceededException) or error.status == 429:  # noqa: PLR2004 - HTTP
            return WorldError(f"GitHub's rate limit is reached, so that we cannot {what}{said}", _when(error))
        case _ if isinstance(error, BadCredentialsException) or error.status == _UNAUTHORIZED:
            return NotAllowedError(
                f"GitHub does not accept the token, so that we cannot {what}{said}",
                "it may have expired: give a new one; --token-env names the variable that holds it",
            )
        case 403:
            return NotAllowedError(
                f"GitHub does not let this token {what}{said}",
                f"give the job `permissions: {needs}`; on a fork's pull request every token may only read: publish "
                "from a workflow that `workflow_run` starts",
            )
        case 404 | 410:
            return GoneError(
                f"GitHub shows nothing where we want to {what}{said}",
                "look at the names of the repository and the number; a token that may not see a repository gets the "
                "same answer",
            )
        case 422:
            return WorldError(
                f"GitHub refuses to {what}{said}",
                "see what it names; a commit that was never pushed to this repository is refused too",
            )
        case status if status >= _SERVER:
            return WorldError(
                f"GitHub is in trouble ({status}), so that we cannot {what}{said}",
                "look at https://www.githubstatus.com, and run it again",
            )
        case status:
            return WorldError(f"GitHub answers {status} when we want to {what}{said}", "run it again")


def _said(error: GithubException, token: str) -> str:
    """GitHub's own words, with the fields that it complains about."""
    data = error.data if isinstance(error.data, dict) else {}
    fields = [
        " ".join(str(item.get(key, "")) for key in ("field", "code", "message"))
        if isinstance(item, dict)
        else str(item)
        for item in data.get("errors") or ()
    ]
    words = [str(data.get("message") or error.message or ""), *fields]
    text = " ".join("; ".join(word for word in words if word).split())
    text = "".join(letter for letter in text if letter.isprintable())
    if token:
        text = text.replace(token, "…")
    return f": {text[:_MOST_SAID]}" if text else ""


def _when(error: GithubException) -> str:
    headers = error.headers or {}
    reset = str(headers.get("x-ratelimit-reset", headers.get("X-RateLimit-Reset", "")))
    if reset.isdigit():
        return f"run it again after {datetime.fromtimestamp(int(reset), UTC):%H:%M} UTC"
    wait = str(headers.get("retry-after", headers.get("Retry-After", "")))
    return f"run it again in {wait} seconds" if wait.isdigit() else "run it again in some minutes"


def _host(address: str) -> str:
    """The address without a password that it might hold."""
    return address.rpartition("@")[2] if "@" in address else address
