"""Whether an archive is, to the last bit, what packing its files gives."""

from __future__ import annotations

import hashlib
import operator
import struct
import zlib
from typing import TYPE_CHECKING

from mlci.edges.archive import pack, write_tar
from mlci.edges.scratch import scratch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK = 1 << 20
_HEADER = 10
_FEW = 16
_GZIP = b"\x1f\x8b\x08\x00"
_LEVEL_AND_SYSTEM = b"\x00\xff"


def packed_at(archive: Path) -> int | None:
    """The time that an archive says it was packed at, in seconds since 1970; None where its header is not ours."""
    with archive.open("rb") as file:
        header = file.read(_HEADER)
    if len(header) < _HEADER or not header.startswith(_GZIP) or not header.endswith(_LEVEL_AND_SYSTEM):
        return None
    return int(struct.unpack("<L", header[4:8])[0])


def as_packed(archive: Path, folder: Path) -> bool:
    """Whether an archive is as `pack` made it of these files.

    Readers of `.tar.gz` skip what stands in headers, between files and after the last one, and need not look at
    the checksum at the end. What is compressed may differ between machines; what comes out of it may not.

    Args:
        archive: The file.
        folder: What it holds, unpacked.
    """
    at = packed_at(archive)
    if at is None:
        return False
    meant = _Sum()
    write_tar(folder, meant, at=at)
    found = _Sum()
    try:
        for part in _plain(archive):
            found.write(part)
            if found.size > meant.size:
                return False
    except zlib.error:
        return False
    return found.known.digest() == meant.known.digest() and not _nearly(archive, folder, at)


def _nearly(archive: Path, folder: Path, at: int) -> bool:
    """Whether packing again here gives nearly the same bytes, and not all of them.

    Several compressed forms give the same files. One that another library made is another one throughout; one that
    differs in a place or two was changed.
    """
    with scratch("packed") as temporary:
        again = pack(folder, temporary / "again", at=at)
        size = archive.stat().st_size
        if size != again.stat().st_size:
            return False
        differing = 0
        with archive.open("rb") as one, again.open("rb") as other:
            pairs = zip(iter(lambda: one.read(_CHUNK), b""), iter(lambda: other.read(_CHUNK), b""), strict=True)
            for left, right in pairs:
                if left != right:
                    differing += sum(map(operator.ne, left, right))
        return 0 < differing <= max(_FEW, size // 100)


class _Sum:
    """A file that only keeps the digest of what is written to it."""

    def __init__(self) -> None:
        self.known = hashlib.sha256()
        self.size = 0

    def write(self, content: bytes) -> int:
        self.known.update(content)
        self.size += len(content)
        return len(content)

    def tell(self) -> int:
        return self.size


def _plain(archive: Path) -> Iterator[bytes]:
    """What is compressed. Raises zlib.error where anything is wrong with it, or anything follows."""
    reader = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    with archive.open("rb") as file:
        while part := file.read(_CHUNK):
            yield reader.decompress(part)
    if not reader.eof or reader.unused_data:
        raise zlib.error("it does not end where it should")
