"""What GitHub Actions tells a job, and what a job tells it."""

from __future__ import annotations

import contextlib
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from mlci.errors import PolicyError, WorldError
from mlci.nouns.comment import Commit, Url
from mlci.nouns.forge import Repository, Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GITHUB = "https://github.com"
API = "https://api.github.com"
_MOST_EVENT = 30_000_000


class _Loose(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Repository(_Loose):
    full_name: Repository = ""


class _Head(_Loose):
    sha: Commit = ""
    ref: str = ""
    repo: _Repository | None = None


class _Pull(_Loose):
    number: int
    head: _Head


class _Run(_Loose):
    event: str = ""
    head_sha: Commit
    head_branch: str | None = None
    head_repository: _Repository | None = None
    conclusion: str | None = None
    html_url: Url = ""


class _Event(_Loose):
    """The parts of an event's payload that we go by."""

    repository: _Repository = _Repository()
    pull_request: _Pull | None = None
    workflow_run: _Run | None = None


def read_trigger(env: Mapping[str, str], event: Path | None = None) -> Trigger:
    """What started this run, by the environment of a job and the payload of its event.

    Args:
        env: The environment; one that is not of a job tells nothing.
        event: Payload to read instead of the one that the environment names.

    Raises:
        WorldError: The payload cannot be read, or is none of GitHub's.
        PolicyError: A variable holds what GitHub never says.
    """
    path = event or (Path(env["GITHUB_EVENT_PATH"]) if env.get("GITHUB_EVENT_PATH") else None)
    payload = _payload(path) if path is not None else _Event()
    server = env.get("GITHUB_SERVER_URL") or GITHUB
    repository = env.get("GITHUB_REPOSITORY") or payload.repository.full_name
    run = f"{server}/{repository}/actions/runs/{env['GITHUB_RUN_ID']}" if env.get("GITHUB_RUN_ID") else ""
    known = {"repository": repository, "server": server, "run": run, "event": env.get("GITHUB_EVENT_NAME", "")}
    try:
        if (told := payload.workflow_run) is not None:
            return Trigger(**known | {"event": "workflow_run"} | _of_run(told, run))
        if (pull := payload.pull_request) is not None:
            head = {"sha": pull.head.sha, "head_branch": pull.head.ref, "number": pull.number}
            return Trigger(**known | head | {"head_repository": pull.head.repo.full_name if pull.head.repo else ""})
        return Trigger(**known | {"sha": env.get("GITHUB_SHA", "")})
    except ValidationError as error:
        named = ", ".join(sorted({str(detail["loc"][0]) for detail in error.errors()}))
        raise PolicyError(
            f"the environment says of this run what GitHub never says: {named}",
            "GITHUB_REPOSITORY is `owner/name`, GITHUB_SERVER_URL an address, GITHUB_SHA a commit",
        ) from error


def _of_run(told: _Run, run: str) -> dict[str, str]:
    return {
        "sha": told.head_sha,
        "head_branch": told.head_branch or "",
        "head_repository": told.head_repository.full_name if told.head_repository is not None else "",
        "conclusion": told.conclusion or "",
        # The page of the run that measured says more than that of the one that publishes.
        "run": told.html_url or run,
    }


def _payload(path: Path) -> _Event:
    mend = "give the payload of a `workflow_run` or `pull_request` event"
    try:
        with path.open("rb") as file:
            return _Event.model_validate_json(file.read(_MOST_EVENT))
    except OSError as error:
        raise WorldError(f"the event {path} cannot be read: {error.strerror or error}", mend) from error
    except ValidationError as error:
        raise WorldError(f"the event {path} is none of GitHub's", mend) from error


def write_outputs(env: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    """Set outputs of a job's step; nothing outside of a job. No value can name another one.

    Raises:
        WorldError: The file that GitHub names cannot be written.
    """
    end = f"mlci-{secrets.token_hex(16)}"
    _append(env, "GITHUB_OUTPUT", "".join(f"{name}<<{end}\n{value}\n{end}\n" for name, value in outputs.items()))


def write_summary(env: Mapping[str, str], text: str) -> None:
    """Add Markdown to a job's summary; nothing outside of a job. Raises WorldError as `write_outputs`."""
    _append(env, "GITHUB_STEP_SUMMARY", text)


def _append(env: Mapping[str, str], variable: str, text: str) -> None:
    if not env.get(variable):
        return
    try:
        with Path(env[variable]).open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise WorldError(f"{variable} names a file that cannot be written: {error.strerror or error}") from error


@contextlib.contextmanager
def inert(env: Mapping[str, str]) -> Iterator[None]:
    """Let a job's runner obey no line that is printed meanwhile; outside of a job nothing is different."""
    if env.get("GITHUB_ACTIONS") != "true":
        yield
        return
    word = secrets.token_hex(16)
    sys.stdout.flush()
    sys.stderr.write(f"::stop-commands::{word}\n")
    sys.stderr.flush()
    yield
    sys.stdout.flush()
    sys.stderr.write(f"::{word}::\n")
    sys.stderr.flush()
