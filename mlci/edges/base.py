"""Find the commit that a change starts from, on a laptop and in CI, and the files that differ since then."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mlci.edges.git import UNSHALLOW
from mlci.errors import MlciError, WorldError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlci.edges.git import History

_TARGETS = ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME")
_LARGEST_EVENT = 30_000_000


class Change(NamedTuple):
    """What is judged: the work tree, as it differs from a commit.

    Attributes:
        base: The commit that files are compared with, in full; empty where there is none before.
        merge_base: The commit that the candidate is compared with, and whose policy counts too: the newest one shared
            with the branch that is merged into; empty for commits of that branch itself.
        files: Paths from the repository's top that differ, not yet committed ones included.
    """

    base: str
    merge_base: str
    files: tuple[str, ...]


def find_change(history: History, asked: str | None, branch: str | None, env: Mapping[str, str] = os.environ) -> Change:
    """Compare the work tree with where the change starts.

    Args:
        history: Of the repository.
        asked: The revision to start from, if somebody asked for one.
        branch: The branch that changes are merged into, by policy.
        env: Tells in CI which branch a pull request is for.

    Raises:
        PolicyError: There is no such revision.
        WorldError: The base isn't in this clone, or the history is too shallow.
    """
    if not history.head:
        return Change("", "", ())
    target = history.commit(asked) if asked is not None else _target(history, branch, env)
    if target is None:
        if history.shallow:
            raise WorldError("the history is too shallow to find what changed", UNSHALLOW)
        return Change("", "", history.changed_since(""))
    base = history.merge_base(target)
    if base != history.head or asked is not None:
        return Change(base, base, history.changed_since(base))
    # On the branch itself: what is not committed yet, else what the last push or commit brought.
    files = history.changed_since(base)
    before = "" if files else _before(history, env)
    if not files and not before and history.shallow:
        raise WorldError("the history is too shallow to find what changed", UNSHALLOW)
    return Change(base, base, files) if files else Change(before, "", history.changed_since(before))


def _target(history: History, branch: str | None, env: Mapping[str, str]) -> str | None:
    """A revision of the branch that is merged into; None where nobody names one and none is found."""
    named = next((env[name] for name in _TARGETS if env.get(name)), None)
    event = _event(env)
    sha = event.get("pull_request", {}).get("base", {}).get("sha") or event.get("merge_group", {}).get("base_sha")
    if named is None and sha is None:
        return history.base_branch(branch)
    # The branch first: what was merged since the event happened is part of the base that is checked out.
    for revision in ([f"origin/{named}", named] if named else []) + ([str(sha)] if sha else []):
        if history.exists(revision):
            return revision
    missing = named or str(sha)
    mend = UNSHALLOW if history.shallow else f"`git fetch origin {missing}`, or name the base with --base REV"
    raise WorldError(f"the base of this pull request, {missing!r}, is not in this clone", mend)


def _before(history: History, env: Mapping[str, str]) -> str:
    """What the branch was before the last push, else before the last commit."""
    before = str(_event(env).get("before") or "")
    if before.strip("0") and history.exists(before):
        try:
            return history.merge_base(before)
        except MlciError:
            return history.parent()
    return history.parent()


def _event(env: Mapping[str, str]) -> dict[str, Any]:
    """The payload of the event that started this run; empty outside of GitHub Actions."""
    path = env.get("GITHUB_EVENT_PATH")
    if env.get("GITHUB_ACTIONS") != "true" or not path:
        return {}
    try:
        file = Path(path)
        if file.stat().st_size > _LARGEST_EVENT:
            return {}
        event = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    known = ("pull_request", "merge_group")
    if not isinstance(event, dict):
        return {}
    return {key: value for key, value in event.items() if key not in known or isinstance(value, dict)}
