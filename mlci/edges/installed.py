"""Where this mlci came from."""

from __future__ import annotations

import json
import re
from importlib.metadata import PackageNotFoundError, distribution

_GITHUB = re.compile(r"(?:https://|ssh://git@)github\.com/([\w.-]+/mlci)(?:\.git)?/?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_NAME = re.compile(r"[\w.-]+")


def installed_action() -> str:
    """The action of the commit on GitHub that mlci was installed from; empty where it came from elsewhere."""
    try:
        return action_of(distribution("mlci").read_text("direct_url.json") or "")
    except PackageNotFoundError:
        return ""


def action_of(origin: str) -> str:
    """The same from what the installer wrote down (PEP 610).

    >>> commit = "0123456789" * 4
    >>> action_of('{"url": "https://github.com/acme/mlci.git", "vcs_info": {"vcs": "git", "commit_id": "%s"}}' % commit)
    'acme/mlci@0123456789012345678901234567890123456789'
    >>> action_of('{"url": "file:///src/mlci", "dir_info": {"editable": true}}')
    ''
    """
    try:
        told = json.loads(origin or "{}")
        place, source = _GITHUB.fullmatch(told.get("url", "")), told.get("vcs_info", {})
        commit, named = source.get("commit_id", ""), source.get("requested_revision") or ""
    except (ValueError, TypeError, AttributeError):
        return ""
    if place is None or not _COMMIT.fullmatch(commit):
        return ""
    said = f" # {named}" if _NAME.fullmatch(named) and named != commit else ""
    return f"{place[1]}@{commit}{said}"
