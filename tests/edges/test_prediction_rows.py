"""Predictions are read in batches into arrays, and long arrays are files."""

from __future__ import annotations

import gc
import tempfile

import numpy as np
import pyarrow as pa
import pytest

from mlci.edges import room as rooms
from mlci.edges.prediction_rows import read_rows
from mlci.edges.room import Room
from mlci.edges.slices import Cut
from mlci.errors import WorldError
from mlci.nouns.sample import BLOCK, Part


def _batch(ids: list[str], **columns: list[object]) -> pa.RecordBatch:
    kinds = {"label": pa.uint8(), "matched": pa.bool_(), "digest": pa.uint64(), "new_decision": pa.string()}
    arrays = {"id": pa.array(ids), **{name: pa.array(values, kinds[name]) for name, values in columns.items()}}
    return pa.record_batch(arrays)


def test_rows_that_cannot_be_judged_are_counted_and_left_out():
    first = _batch(["a", "ü", "c"], label=[1, None, 0], matched=[True, True, False], digest=[1, 2, 3])
    second = _batch(["d", "", "f"], label=[1, 0, 1], matched=[True] * 3, digest=[9, 5, 6])
    found = read_rows([first, second], 6, 99, [np.array([3, 9], dtype=np.uint64)])
    assert list(found.ids) == ["a", "", "f"]
    assert found.columns["label"].tolist() == [1, 0, 1]
    assert (found.leaked, found.leaked_at_all, found.unlabelled, found.unmatched, found.seen) == (1, 2, 1, 1, 6)


def test_texts_are_codes_of_the_words_of_the_rows_that_are_kept():
    first = _batch(["a", "b"], label=[1, None], new_decision=["red", "blue"])
    second = _batch(["c", "d"], label=[1, 1], new_decision=["green", "red"])
    found = read_rows([first, second], 4, 4, [])
    assert [found.words["new_decision"][code] for code in found.columns["new_decision"]] == ["red", "green", "red"]


def test_ids_are_taken_like_those_of_a_list():
    ids = read_rows([_batch(["x", "yy", "zzz"], label=[1, 1, 1])], 3, 6, []).ids
    assert (ids[0], ids[-1], ids[1:]) == ("x", "zzz", ["yy", "zzz"])
    with pytest.raises(IndexError):
        ids[3]
    assert np.asarray(ids, dtype=str).tolist() == ["x", "yy", "zzz"]


def test_the_rows_of_each_code_ascend_over_all_blocks():
    codes = np.random.default_rng(3).integers(0, 3, BLOCK + 9).astype(np.uint16)
    found = Cut("", tuple(Part(name, None, (), {}) for name in "abcd")).found(codes, Room())
    assert [part.name for part in found] == ["a", "b", "c"]
    for code, part in enumerate(found):
        np.testing.assert_array_equal(part.rows, np.flatnonzero(codes == code))
    flags = (codes == 2).astype(np.uint8)
    one = Cut("", (Part("two", None, (), {}),), coded=False).found(flags)
    np.testing.assert_array_equal(one[0].rows, np.flatnonzero(flags))


def test_a_long_array_is_a_file_that_vanishes_with_it(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(rooms, "_SMALL", 1000)
    room = Room()
    first = room((1000, 2), np.float64)
    first[:] = 7
    second = room((10_000,), np.int32)  # lets go of the pages of the first
    second[:] = 8
    assert first.min() == first.max() == 7
    assert list(tmp_path.iterdir()) == []
    del first, second
    gc.collect()


def test_a_full_disk_is_told_before_anything_is_written(monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(rooms.os, "posix_fallocate", full, raising=False)
    with pytest.raises(WorldError, match="there is no room for 800,000,000 bytes"):
        Room()((100_000_000,), np.float64)
