"""A throw-away repository in which a challenger is compared with a model, as a pull request would be."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

import git

from mlci.edges.own_refs import IDENTITY
from mlci.edges.scratch import scratch
from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


@contextlib.contextmanager
def judging_room(before: Path, after: Path, files: Iterable[str]) -> Iterator[Path]:
    """A folder whose last commit holds the files of one folder, and whose work tree those of another.

    Args:
        before: Folder of the model to compare with; files that it has not are left out.
        after: Folder of the challenger.
        files: Relative to both.

    Raises:
        WorldError: Git refuses, or the disk is full.
    """
    names = tuple(files)
    with scratch("replay") as temporary:
        room = temporary
        try:
            client = git.Git(room)
            client.execute(["git", "init", "--quiet", "--initial-branch=main"])
            _put(before, room, names)
            client.execute(["git", "add", "--force", "--all"])
            client.execute(
                ["git", "-c", "commit.gpgsign=false", "commit", "--quiet", "--no-verify", "-m", "The model in service"],
                env=IDENTITY,
            )
            _put(after, room, names)
        except (git.GitCommandError, OSError) as error:
            raise WorldError(f"the challenger cannot be set beside the model: {error}", "see that /tmp has room") from (
                error
            )
        yield room


def _put(source: Path, room: Path, names: Iterable[str]) -> None:
    for name in names:
        target = room / name
        target.unlink(missing_ok=True)
        if (source / name).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, target)
