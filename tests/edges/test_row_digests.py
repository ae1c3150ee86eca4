from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlci.edges.row_digests import read_row_digests, row_digests, trained_on, write_row_digests
from mlci.errors import WorldError


def test_round_trip_and_size(tmp_path):
    ids = [f"flight-{at}" for at in range(100_000)]
    path = tmp_path / "trained_on.parquet"
    count = write_row_digests(ids, path)
    assert count == 100_000
    assert path.stat().st_size < 3.5 * len(ids)
    digests = read_row_digests(path)
    assert (digests == np.unique(row_digests(ids))).all()
    assert (read_row_digests(path.read_bytes()) == digests).all()
    first = path.read_bytes()
    write_row_digests(reversed(ids), path)
    assert path.read_bytes() == first


@given(st.lists(st.text(), max_size=50))
def test_every_training_row_is_found(ids):
    digests = np.unique(row_digests(ids))
    assert trained_on(ids, digests).all()
    assert row_digests(ids).tolist() == [
        int(hashlib.md5(each.encode(), usedforsecurity=False).hexdigest()[:10], 16) for each in ids
    ]


def test_other_rows_are_not():
    digests = np.unique(row_digests(range(10_000)))
    assert trained_on(range(10_000, 20_000), digests).sum() <= 1
    assert trained_on(["5", 7], digests).all()
    assert not trained_on(["a"], digests[:0]).any()
    assert trained_on([], digests).shape == (0,)


def test_arrow_numpy_and_lists_agree():
    ids = [3, 1, 2**40]
    assert (row_digests(pa.array(ids)) == row_digests(ids)).all()
    assert (row_digests(np.array(ids)) == row_digests(ids)).all()
    assert (row_digests(pa.chunked_array([["a"], ["é"]])) == row_digests(["a", "é"])).all()


@pytest.mark.parametrize("content", [b"", b"PAR1 and nothing else"])
def test_no_digests(tmp_path, content):
    path = tmp_path / "broken.parquet"
    with pytest.raises(WorldError, match=r"broken.parquet cannot be read"):
        read_row_digests(path)
    path.write_bytes(content)
    with pytest.raises(WorldError, match=r"broken.parquet cannot be read"):
        read_row_digests(path)
