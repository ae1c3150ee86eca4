"""A folder as one file, the same bytes each time; and back, from whoever sent it."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from mlci.edges.files import digest, replaced
from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MOST_FILES = 1_000
_MOST_BYTES = 20_000_000_000
_SUM = re.compile(r"([0-9a-f]{64})  ([^\s\x00-\x1f][^\x00-\x1f]*)")


def pack(folder: Path, target: Path, *, at: int) -> Path:
    """Pack a folder into `.tar.gz`: sorted names, one time, no owner, so that equal folders give equal bytes.

    Args:
        folder: Its name is the one folder inside.
        target: Where to write.
        at: The time of every file, in seconds since 1970.

    Raises:
        WorldError: It cannot be written.
    """
    with (
        replaced(target) as temporary,
        temporary.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=at, compresslevel=6) as zipped,
    ):
        write_tar(folder, zipped, at=at)
    return target


def write_tar(folder: Path, target: Any, *, at: int) -> None:  # noqa: ANN401 - whatever has `write` and `tell`
    """Write the files of a folder as a tar archive that is not compressed; arguments as `pack`."""
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = tarfile.TarInfo(f"{folder.name}/{file.relative_to(folder).as_posix()}")
            entry.size, entry.mtime, entry.mode = file.stat().st_size, at, 0o644
            with file.open("rb") as content:
                tar.addfile(entry, content)


def unpack(archive: Path, target: Path) -> Path:
    """Unpack what somebody sent: plain files inside one folder, of bearable number and size; nothing else.

    Returns:
        The one folder inside, in `target`.

    Raises:
        WorldError: It is no such archive; nothing is left in `target` then.
    """
    made = target.exists()
    try:
        with tarfile.open(archive, mode="r:gz") as tar:
            top = _extract(tar, target, archive)
    except (tarfile.TarError, EOFError, OSError, gzip.BadGzipFile, _RefusedError) as error:
        if not made:
            shutil.rmtree(target, ignore_errors=True)
        raise WorldError(f"{archive} is no bundle that can be unpacked: {error}", "download it again") from error
    return target / top


class _RefusedError(Exception):
    """An archive holds what no bundle does."""


def _extract(tar: tarfile.TarFile, target: Path, archive: Path) -> str:
    tops: set[str] = set()
    size = count = 0
    for member in tar:
        path = PurePosixPath(member.name)
        count, size = count + 1, size + member.size
        if count > _MOST_FILES or size > _MOST_BYTES:
            raise _RefusedError(f"it holds more than {_MOST_FILES} files or {_MOST_BYTES:,} bytes")
        if member.isdir():
            continue
        if not member.isreg() or path.is_absolute() or ".." in path.parts or len(path.parts) < 2:  # noqa: PLR2004 - folder/file
            raise _RefusedError(f"{member.name!r} is no plain file in a folder")
        tops.add(path.parts[0])
        if len(tops) > 1:
            raise _RefusedError("it holds more than one folder")
        content = tar.extractfile(member)
        file = target.joinpath(*path.parts)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as written:
            shutil.copyfileobj(content or io.BytesIO(), written)
    if not tops:
        raise _RefusedError(f"{archive.name} is empty")
    return tops.pop()


def sums(files: Iterable[Path], folder: Path) -> str:
    """`SHA256SUMS` as `sha256sum` writes and checks it."""
    lines = [f"{digest(file)}  {file.relative_to(folder).as_posix()}\n" for file in sorted(files)]
    return "".join(lines)


def read_sums(text: str) -> Mapping[str, str]:
    """Digest by path of a `SHA256SUMS` as `sums` writes it.

    Raises:
        WorldError: It is none.
    """
    found = {}
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        match = _SUM.fullmatch(line)
        if match is None or match[2] in found:
            raise WorldError(f"SHA256SUMS, line {number} is no sum of a file", "download the bundle again")
        found[match[2]] = match[1]
    if not text.endswith("\n"):
        raise WorldError("SHA256SUMS ends in the middle of a line", "download the bundle again")
    return found


def digest_of(content: bytes) -> str:
    """SHA-256 of bytes, in hex."""
    return hashlib.sha256(content).hexdigest()
