"""Write files whole or not at all, and know a file by its content."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 1 << 20


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place when the block ends well, and vanishes when it doesn't.

    Raises:
        WorldError: The folder cannot be written, or the disk is full.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def unwritable(path: Path, error: OSError) -> WorldError:
    """Why a file could not be written, with the mend."""
    if error.errno == errno.ENOSPC:
        return WorldError(f"{path} was not written: the disk is full", "free some space and run the command again")
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return WorldError(
            f"{path} was not written: {error.strerror or error}",
            "make the folder writable, or choose another one with --out",
        )
    return WorldError(f"{path} was not written: {error.strerror or error}", "see what stands in the way at that path")


def write_text(path: Path, text: str) -> Path:
    """Write a text in UTF-8, whole or not at all. Raises WorldError as `replaced` does."""
    with replaced(path) as temporary:
        temporary.write_bytes(text.encode())
    return path


def write_bytes(path: Path, content: bytes) -> Path:
    """Write bytes, whole or not at all. Raises WorldError as `replaced` does."""
    with replaced(path) as temporary:
        temporary.write_bytes(content)
    return path


def copy_tree(source: Path, target: Path) -> None:
    """Copy a file, or a folder with all that is in it; what is not there is not there afterwards either.

    Raises:
        WorldError: It cannot be read or written.
    """
    try:
        if target.is_dir():
            shutil.rmtree(target)
        target.unlink(missing_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.is_file():
            shutil.copyfile(source, target)
    except OSError as error:
        raise unwritable(target, error) from error


def read_text(path: Path, shown: str, mend: str = "") -> str:
    """Read a text in UTF-8, with the ends of its lines as they are.

    Raises:
        WorldError: The file is not there, or is no readable text.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError as error:
        raise WorldError(f"{shown} is not there", mend) from error
    except (OSError, UnicodeDecodeError) as error:
        raise WorldError(f"{shown} cannot be read: {error}", mend) from error


def digest(path: Path, name: str = "sha256") -> str:
    """Hash of a file's content, in hex.

    Raises:
        WorldError: The file cannot be read.
    """
    known = hashlib.new(name, usedforsecurity=False)
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                known.update(chunk)
    except OSError as error:
        raise WorldError(f"{path} cannot be read: {error.strerror or error}", "make the file readable") from error
    return known.hexdigest()
