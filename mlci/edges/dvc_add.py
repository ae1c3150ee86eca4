"""Let DVC keep a file, as `dvc add` does."""

from __future__ import annotations

import os
from contextlib import chdir
from typing import TYPE_CHECKING

from mlci.edges.captured import quiet_stdout
from mlci.errors import WorldError

if TYPE_CHECKING:
    from pathlib import Path


def add_file(root: Path, path: str) -> None:
    """Put a file into DVC's cache, and write `PATH.dvc` and its line in .gitignore.

    Args:
        root: Folder of the project.
        path: Relative to it.

    Raises:
        WorldError: DVC is not installed, there is no DVC repository, or Git holds the file itself.
    """
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    try:
        from dvc.exceptions import DvcException  # noqa: PLC0415 - DVC takes a second to load
        from dvc.repo import Repo  # noqa: PLC0415
    except ImportError as error:
        raise WorldError(
            f"DVC keeps {path}, and it is not installed", '`pip install "mlci[dvc]"`, or `mlci.feedback.store: git`'
        ) from error
    try:
        with quiet_stdout(), chdir(root.resolve()), Repo(str(root.resolve())) as repo:
            repo.add([path])
    except DvcException as error:
        raise WorldError(
            f"DVC can't keep {path}: {error}", f"see what `dvc add {path}` says, or set `mlci.feedback.store: git`"
        ) from error
