"""Get files that DVC knows out of its cache or a remote, and nothing else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlci.edges.captured import quiet_stdout
from mlci.edges.dvc_places import Places
from mlci.edges.dvc_storage import Storage
from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


def pull_files(root: Path, paths: Iterable[str], say: Callable[[str], None]) -> None:
    """Pull files that are not at hand; what neither cache nor remote has stays away.

    Args:
        root: Folder of the project.
        paths: Relative to it.
        say: Told what is being done.

    Raises:
        WorldError: DVC is not installed, or the remote cannot be reached.
    """
    absent = [str(root.resolve() / path) for path in paths if not (root / path).exists()]
    if not absent:
        return
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    try:
        from dvc.exceptions import DvcException, NotDvcRepoError  # noqa: PLC0415 - DVC takes a second to load
        from dvc.repo import Repo  # noqa: PLC0415
    except ImportError:
        say("DVC is not installed, so nothing is pulled")
        return
    try:
        with quiet_stdout(), Repo(str(root)) as repo:
            Storage(repo, root.resolve(), say, Places(root)).pull(absent)
    except NotDvcRepoError:
        return
    except DvcException as error:
        raise WorldError(f"DVC can't pull {', '.join(absent)}: {error}", "`dvc pull` shows the same") from error
