from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from mlci.edges.files import digest, read_text, replaced, write_bytes, write_text
from mlci.errors import WorldError


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_whole(tmp_path: Path):
    path = write_text(tmp_path / "new/folder/report.md", "wörds")
    assert path.read_text(encoding="utf-8") == "wörds"
    assert leftovers(path.parent) == ["report.md"]
    assert stat.S_IMODE(path.stat().st_mode) & 0o400
    assert (
        digest(write_bytes(tmp_path / "a", b"a")) == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    )


def test_what_fails_half_way_leaves_the_old_file(tmp_path: Path):
    path = write_text(tmp_path / "report.md", "old")
    with pytest.raises(ValueError, match="half"), replaced(path) as temporary:
        temporary.write_text("ne")
        raise ValueError("half")
    assert path.read_text() == "old"
    assert leftovers(tmp_path) == ["report.md"]


@pytest.mark.parametrize(
    ("number", "told"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "was not written"), (errno.EIO, "was not written")],
)
def test_a_disk_that_refuses_is_said_and_leaves_nothing(tmp_path: Path, number: int, told: str):
    path = tmp_path / "report.md"
    with pytest.raises(WorldError, match=told) as caught, replaced(path) as temporary:
        temporary.write_text("some")
        raise OSError(number, os.strerror(number))
    assert caught.value.mend
    assert leftovers(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_is_really_full(tmp_path: Path):
    with (
        pytest.raises(WorldError, match="the disk is full"),
        replaced(tmp_path / "x"),
        Path("/dev/full").open("w") as full,
    ):
        full.write("some")
        full.flush()
    assert leftovers(tmp_path) == []


def test_a_text_that_cannot_be_read_is_said(tmp_path: Path):
    with pytest.raises(WorldError, match=r"a\.json is not there") as caught:
        read_text(tmp_path / "a.json", "a.json", "make it")
    assert caught.value.mend == "make it"
    (tmp_path / "b.json").write_bytes(b"\xff")
    with pytest.raises(WorldError, match=r"b\.json cannot be read"):
        read_text(tmp_path / "b.json", "b.json")
    with pytest.raises(WorldError, match="cannot be read"):
        digest(tmp_path / "none")
