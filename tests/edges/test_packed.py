"""An archive to the last bit: whatever is changed in it is seen, also where readers don't look."""

from __future__ import annotations

import gzip
import zlib

import pytest

from mlci.edges.archive import pack, read_sums, sums, unpack
from mlci.edges.packed import as_packed, packed_at
from mlci.errors import WorldError

AT = 1_700_000_000


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "people-v1.0.0"
    made.mkdir()
    (made / "model.onnx").write_bytes(bytes(range(200)))
    (made / "card.md").write_text("a card")
    return made


def seen(archive, tmp_path) -> bool:
    """Whether a change is seen."""
    try:
        return not as_packed(archive, unpack(archive, tmp_path / "unpacked"))
    except WorldError:
        return True


def test_a_flipped_bit_of_any_byte_is_seen(folder, tmp_path):
    archive = pack(folder, tmp_path / "people-v1.0.0.tar.gz", at=AT)
    assert not seen(archive, tmp_path)
    assert packed_at(archive) == AT
    content = archive.read_bytes()
    unseen = []
    for place in range(len(content)):
        if 4 <= place < 8:  # the time, which the bundle itself tells
            continue
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        archive.write_bytes(changed)
        if not seen(archive, tmp_path):
            unseen.append(place)
    assert unseen == []


def test_what_another_library_compressed_is_fine(folder, tmp_path):
    archive = pack(folder, tmp_path / "people-v1.0.0.tar.gz", at=AT)
    content = archive.read_bytes()
    packer = zlib.compressobj(level=1, wbits=-zlib.MAX_WBITS)
    plain = gzip.decompress(content)
    archive.write_bytes(content[:10] + packer.compress(plain) + packer.flush() + content[-8:])
    assert archive.read_bytes() != content
    assert not seen(archive, tmp_path)


@pytest.mark.parametrize("more", [b"\0", b"x", b"\x1f\x8b\x08\x00"])
def test_what_follows_is_seen(folder, tmp_path, more):
    archive = pack(folder, tmp_path / "people-v1.0.0.tar.gz", at=AT)
    archive.write_bytes(archive.read_bytes() + more)
    assert seen(archive, tmp_path)


def test_another_archive_of_the_same_files_is_seen(folder, tmp_path):
    archive = pack(folder, tmp_path / "people-v1.0.0.tar.gz", at=AT)
    later = pack(folder, tmp_path / "later.tar.gz", at=AT + 1)
    assert archive.read_bytes() != later.read_bytes()
    assert packed_at(later) == AT + 1
    (folder / "card.md").write_text("b card")
    assert not as_packed(archive, folder)


def test_every_changed_byte_of_the_sums_is_seen(folder):
    text = sums(folder.iterdir(), folder)
    known = read_sums(text)
    for place, letter in enumerate(text):
        for other in {chr(ord(letter) ^ 1), "\n", "\r", "\v", " ", "*", "\0"} - {letter}:
            try:
                assert read_sums(text[:place] + other + text[place + 1 :]) != known
            except WorldError as error:
                assert "SHA256SUMS" in error.problem  # noqa: PT017 - either is right
