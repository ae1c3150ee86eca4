"""Refs of our own in a repository: read, fetched and pushed as objects, without touching what is the user's.

No work tree, index, branch, configuration or hook is touched.
"""

from __future__ import annotations

import os
import re
import secrets
import tempfile
import time
from typing import TYPE_CHECKING

import git

from mlci.edges.git import History
from mlci.errors import WorldError

if TYPE_CHECKING:
    from pathlib import Path

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0  # seconds
IDENTITY = {
    "GIT_AUTHOR_NAME": "mlci",
    "GIT_AUTHOR_EMAIL": "mlci@localhost",
    "GIT_COMMITTER_NAME": "mlci",
    "GIT_COMMITTER_EMAIL": "mlci@localhost",
}


class OwnRefs:
    """The refs of the repository that a folder belongs to, and of its remote.

    Args:
        root: The folder.
        what: What needs the repository, for the message where there is none.
    """

    def __init__(self, root: Path, what: str) -> None:
        repo = History(root).repo
        if repo is None:
            raise WorldError(f"{what} needs a Git repository", "`git init`, and commit what you have")
        self._repo = repo

    @property
    def remote(self) -> str | None:
        """The remote that shares the ledger: `origin`, or the first one; None where there is none."""
        names = self._text("remote").split()
        return "origin" if "origin" in names else next(iter(names), None)

    def _theirs(self, remote: str, ref: str) -> str | None:
        """The commit of a ref of the remote's, fetched; None where the remote has none."""
        found = self._text("ls-remote", "--refs", remote, ref).split()
        if not found:
            return None
        if not self._has(found[0]):
            quietly = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-gc")
            self._git("fetch", *quietly, remote, ref)
        return found[0]

    def _has(self, commit: str) -> bool:
        try:
            self._git("cat-file", "-e", f"{commit}^{{commit}}")
        except git.GitCommandError:
            return False
        return True

    def _tip(self, ref: str) -> str | None:
        try:
            return self._text("rev-parse", "--verify", "--quiet", ref) or None
        except git.GitCommandError:
            return None

    def _text(self, *arguments: str, env: dict[str, str] | None = None) -> str:
        return self._git(*arguments, env=env).decode().strip()

    def _git(self, *arguments: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> bytes:
        command = ["git", "--git-dir", str(self._repo.git_dir), "-c", f"core.hooksPath={os.devnull}", *arguments]
        # A prompt for a password would wait for ever where nobody sits.
        environment = {"GIT_TERMINAL_PROMPT": "0", **(env or {})}
        with tempfile.TemporaryFile() as given:
            given.write(stdin)
            given.seek(0)
            answer: bytes = self._repo.git.execute(
                command, istream=given, env=environment, stdout_as_string=False, strip_newline_in_stdout=False
            )
        return answer


def pause(attempt: int) -> None:
    """Wait before trying again, at random and longer each time, so that those who met do not meet again."""
    if attempt:
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(attempt, 10))
        time.sleep(longest * secrets.randbelow(1_000) / 1_000)


def reason_of(error: git.GitCommandError) -> str:
    """What Git said, in one line and without a password of the remote's address."""
    said = str(error.stderr).strip().removeprefix("stderr: ").strip("'").strip()
    lines = [line.strip() for line in said.splitlines() if line.strip()] or [f"git ended with {error.status}"]
    worst = next((line for line in lines if line.startswith(("fatal:", "!", "error:"))), lines[-1])
    return re.sub(r"://[^/@\s]+@", "://", worst)
