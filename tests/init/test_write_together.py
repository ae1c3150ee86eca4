"""Several files are written, or none."""

import pytest

from mlci.edges.write_together import written_together
from mlci.errors import WorldError


def test_all_are_written_with_their_modes_and_through_links(tmp_path):
    (tmp_path / "run.sh").write_text("old")
    (tmp_path / "run.sh").chmod(0o755)
    (tmp_path / "real").mkdir()
    (tmp_path / "real/params.yaml").write_text("old")
    (tmp_path / "params.yaml").symlink_to("real/params.yaml")
    texts = {tmp_path / "run.sh": "new", tmp_path / "params.yaml": "a\r\n", tmp_path / "x/y/z": "new"}
    with written_together(texts) as put:
        assert (tmp_path / "run.sh").read_text() == "old"
        put()
    assert [path.read_bytes().decode() for path in texts] == ["new", "a\r\n", "new"]
    assert (tmp_path / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "params.yaml").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["params.yaml", "real", "run.sh", "x"]


def test_nothing_stays_where_the_block_fails(tmp_path):
    with pytest.raises(KeyError), written_together({tmp_path / "x/y/z": "new"}):
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_those_before_one_that_cannot_take_its_place_are_as_they_were(tmp_path):
    (tmp_path / "a").write_text("old")
    (tmp_path / "c").mkdir()
    texts = {tmp_path / "a": "new", tmp_path / "b": "new", tmp_path / "c": "new"}
    with pytest.raises(WorldError, match="was not written"), written_together(texts) as put:
        put()
    assert (tmp_path / "a").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c"]
