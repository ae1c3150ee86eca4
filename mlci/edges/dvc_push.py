"""Put what a pipeline made into DVC's remote."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlci.edges.captured import quiet_stdout
from mlci.edges.dvc_storage import chain
from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def push_files(root: Path, say: Callable[[str], None]) -> bool:
    """Push what the project's lock names and the remote lacks; False where there is no remote, or no DVC repository.

    Args:
        root: Folder of the project.
        say: Told what is being done.

    Raises:
        WorldError: The remote takes it not.
    """
    if not any((above / ".dvc").is_dir() for above in (root.resolve(), *root.resolve().parents)):
        return False
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    from dvc.repo import Repo  # noqa: PLC0415 - DVC takes a second to load

    with quiet_stdout(), Repo(str(root)) as repo:
        if repo.config["core"].get("remote") is None:
            return False
        say("pushing data and models to DVC's remote")
        try:
            repo.push(run_cache=False)
        except Exception as error:
            # Every kind of storage comes with exceptions of its own.
            raise WorldError(
                f"DVC's remote takes nothing: {chain(error)}",
                "see `dvc remote list`, and whether this machine has the credentials to write",
            ) from error
    return True
