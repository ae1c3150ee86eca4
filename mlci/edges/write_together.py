"""Write several files, all or none."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mlci.edges.files import unwritable
from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


def text_of(path: Path, shown: str) -> str | None:
    """A file's text with its line ends as they are; None where it is not there.

    Raises:
        WorldError: Something is there that is no readable text in UTF-8.
    """
    try:
        return path.read_bytes().decode()
    except (FileNotFoundError, NotADirectoryError):
        if _blocked(path):
            raise WorldError(
                f"{shown} can't be written: {_blocked(path)} is a file, no folder", "move it out of the way"
            ) from None
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise WorldError(f"{shown} cannot be read: {error}", "it must be a readable text file in UTF-8") from error


def _blocked(path: Path) -> Path | None:
    return next((above for above in path.parents if above.exists() and not above.is_dir()), None)


@contextlib.contextmanager
def written_together(texts: Mapping[Path, str]) -> Iterator[Callable[[], None]]:
    """Write texts to their files once the block calls what it is given; where one can't be written, none is.

    Everything is written beside its place first, so that what can fail does so before any file changes. A link is
    written through; a file keeps its mode.

    Raises:
        WorldError: A folder can't be written, or the disk is full.
    """
    staged: dict[Path, Path] = {}
    made: list[Path] = []
    try:
        for path, text in texts.items():
            target = path.resolve()
            try:
                made += _folders(target.parent)
                staged[target] = _beside(target, text)
            except OSError as error:
                raise unwritable(path, error) from error
        yield lambda: _put(staged)
    finally:
        for temporary in staged.values():
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        for folder in reversed(made):  # those that stay empty
            with contextlib.suppress(OSError):
                folder.rmdir()


def _folders(folder: Path) -> list[Path]:
    """Make a folder and those above it; gives the new ones, the topmost first."""
    new: list[Path] = []
    while not folder.exists():
        new.insert(0, folder)
        folder = folder.parent
    for each in new:
        each.mkdir()
    return new


def _beside(target: Path, text: str) -> Path:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(text.encode())
    temporary = Path(name)
    temporary.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
    return temporary


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _put(staged: Mapping[Path, Path]) -> None:
    """Let the staged files take their places; if one can't, those before it get their old content back."""
    before: dict[Path, bytes | None] = {}
    for target, temporary in staged.items():
        try:
            old = target.read_bytes() if target.exists() else None
            temporary.replace(target)
        except OSError as error:
            for path, content in before.items():
                if content is None:
                    path.unlink(missing_ok=True)
                else:
                    path.write_bytes(content)
            raise unwritable(target, error) from error
        before[target] = old
