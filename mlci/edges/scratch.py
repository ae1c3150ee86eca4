"""Temporary folders that are gone at the end, and that later runs clear away where a process was killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

_LOCK = "in-use"
_swept: set[Path] = set()
"""Where this process has looked: many files may be there, and once is enough."""


@contextlib.contextmanager
def scratch(purpose: str, place: Path | None = None) -> Iterator[Path]:
    """A new folder, removed at the end; what runs that were killed left beside it is cleared away first.

    Its parent holds a file that is locked until the process ends, however it ends. Only folders of ours whose lock
    nobody holds are cleared away, so that a run beside this one, in another container too, loses nothing.

    Args:
        purpose: A word for its name, `mlci-PURPOSE-…`.
        place: Folder to make it in, made where it is missing; default: the system's for temporary files.

    Raises:
        WorldError: It can't be made.
    """
    shared = place is None
    place = Path(tempfile.gettempdir()) if place is None else place
    with contextlib.ExitStack() as ends:
        try:
            place.mkdir(parents=True, exist_ok=True)
            if not shared or place not in _swept:
                _sweep(place)
                _swept.add(place)
            folder = Path(tempfile.mkdtemp(prefix=f"mlci-{purpose}-", dir=place))
            ends.callback(shutil.rmtree, folder, ignore_errors=True)
            ends.enter_context(_locked(folder))
            inside = folder / "work"
            inside.mkdir()
        except OSError as error:
            raise WorldError(
                f"no temporary folder can be made in {place}: {error.strerror or error}",
                "free some disk space, make it writable, or set TMPDIR",
            ) from error
        yield inside


def _locked(folder: Path) -> IO[str]:
    # It gets its name when it is locked: there is no moment in which somebody else could lock it.
    unnamed = folder / f"{_LOCK}.new"
    lock = unnamed.open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    unnamed.rename(folder / _LOCK)
    return lock


def _sweep(place: Path) -> None:
    """Remove folders of ours whose process is gone."""
    with os.scandir(place) as found:
        ours = [each.path for each in found if each.name.startswith("mlci-") and each.is_dir(follow_symlinks=False)]
    for folder in map(Path, ours):
        lock = folder / _LOCK
        with contextlib.suppress(OSError):
            if folder.stat().st_uid != os.geteuid() or lock.is_symlink():
                continue
            with lock.open("r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
