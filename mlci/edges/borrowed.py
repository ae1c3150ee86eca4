"""The tags of somebody's repository, without its files and its history."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import git

from mlci.edges.scratch import scratch
from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterator

_REFS = ("refs/tags/*:refs/tags/*", "refs/mlci/*:refs/mlci/*")


@contextlib.contextmanager
def borrowed(address: str) -> Iterator[Path]:
    """A folder with a repository that has the tags of another one, for as long as the block runs.

    A folder with a work tree is taken as it is. Of everything else, only the tagged commits are fetched; where the
    server can, their files come when they are read.

    Raises:
        WorldError: There is no such repository, or it can't be asked.
    """
    here = Path(address).expanduser()
    if (here / ".git").exists():
        yield here
        return
    with scratch("tags") as temporary:
        folder = temporary
        environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
        client = git.Git(folder)
        given = str(here.resolve()) if here.is_dir() else address
        try:
            client.execute(["git", "init", "--quiet"], env=environment)
            client.execute(["git", "remote", "add", "--", "origin", given], env=environment)
            options = ["--quiet", "--depth=1", "--filter=blob:none", "--no-tags"]
            client.execute(["git", "fetch", *options, "origin", *_REFS], env=environment)
        except git.GitCommandError as error:
            lines = [line.strip(" '\"") for line in str(error.stderr).splitlines() if line.strip(" '\"")]
            said = lines[-1] if lines else "no reason was given"
            raise WorldError(
                f"the repository {_shown(address)} can't be read: {said}",
                "look at the address and the credentials: `git ls-remote ADDRESS`",
            ) from error
        yield folder


def _shown(address: str) -> str:
    """An address without a password that it might hold."""
    start, sign, rest = address.partition("://")
    return f"{start}{sign}{rest.rpartition('@')[2]}" if sign else address
