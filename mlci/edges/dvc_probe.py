"""A program of its own that asks a DVC remote: some file systems cannot be given up on from within the process."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

from mlci.nouns.storage import Probe


def probe(root: str) -> Probe:
    """What the default remote has of what the pipeline's lock and the `.dvc` files name."""
    from dvc.config import NoRemoteError  # noqa: PLC0415 - DVC takes a second to load
    from dvc.repo import Repo  # noqa: PLC0415

    name, address = "", ""
    with Repo(root) as repo:
        name = str(repo.config["core"].get("remote") or "")
        address = re.sub(r"://[^/@\s]+@", "://", str(repo.config["remote"].get(name, {}).get("url", "")))
        try:
            _reach(repo.cloud.get_remote())
            told = repo.status(cloud=True)
        except NoRemoteError:
            return Probe()
        except Exception as error:  # noqa: BLE001 - every file system has errors of its own
            said = " ".join(str(error).split()) or type(error).__name__
            return Probe(remote=name, address=address, problem=re.sub(r"://[^/@\s]+@", "://", said))
    return Probe(
        remote=name,
        address=address,
        unpushed=tuple(sorted(str(key) for key, state in told.items() if state == "new")),
        lost=tuple(sorted(str(key) for key, state in told.items() if state == "missing")),
    )


def _reach(remote: Any) -> None:  # noqa: ANN401 - DVC has no types
    """Ask for anything. Only a folder of this machine must exist: a bucket has no folders."""
    there = remote.fs.exists(remote.path)
    if not there and remote.fs.protocol == "local":
        raise FileNotFoundError(f"the folder {remote.path} does not exist")


if __name__ == "__main__":
    logging.getLogger("dvc").addHandler(logging.NullHandler())
    sys.stdout.write(f"{probe(sys.argv[1]).model_dump_json()}\n")
