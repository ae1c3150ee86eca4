"""Which rows a model was trained on: five bytes of each row's id, small enough to travel with the model.

Two ids share a digest by chance with a probability of 2⁻⁴⁰: of 10,000 test rows and 1,000,000 training rows, one would
be taken for a training row wrongly once in a hundred runs.
"""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mlci.edges.files import replaced
from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

_COLUMN = "digest"
_BYTES = 5
_PADDING = bytes(8 - _BYTES)


def row_digests(ids: Iterable[Any]) -> NDArray[np.uint64]:
    """Return the digest of each id: the first five bytes of the MD5 of its text in UTF-8, the first the highest.

    An arrow column, a numpy array and a list of the same ids give the same digests.

    >>> row_digests(["a"]).tolist() == [0x0CC175B9C0]
    True
    """
    values = ids.to_pylist() if isinstance(ids, pa.Array | pa.ChunkedArray) else ids
    heads = b"".join(
        _PADDING + hashlib.md5(str(each).encode(), usedforsecurity=False).digest()[:_BYTES] for each in values
    )
    return np.frombuffer(heads, dtype=">u8").astype(np.uint64)


def write_row_digests(ids: Iterable[Any], path: Path) -> int:
    """Write the digests of the training rows' ids: sorted, each once, about three bytes a row.

    Returns:
        The number of digests.

    Raises:
        WorldError: The file cannot be written.
    """
    digests = np.unique(row_digests(ids))
    with replaced(path) as temporary:
        pq.write_table(
            pa.table({_COLUMN: pa.array(digests, pa.uint64())}),
            temporary,
            compression="zstd",
            use_dictionary=False,
            write_statistics=False,
            column_encoding={_COLUMN: "DELTA_BINARY_PACKED"},
        )
    return len(digests)


def read_row_digests(source: Path | bytes) -> NDArray[np.uint64]:
    """Return the sorted digests that `write_row_digests` wrote.

    Raises:
        WorldError: There is no such file, or it is another.
    """
    name = "the row digests" if isinstance(source, bytes) else str(source)
    try:
        # `read_table` and `to_numpy` would load pandas, which takes more than a second.
        table = pq.ParquetFile(io.BytesIO(source) if isinstance(source, bytes) else source).read()
        column = table.column(_COLUMN).cast(pa.uint64()).combine_chunks()
        return np.array(np.from_dlpack(column), dtype=np.uint64)
    except (OSError, KeyError, pa.ArrowException) as error:
        raise WorldError(f"{name} cannot be read: {error}", "train and export the model again: `dvc repro`") from error


def trained_on(ids: Iterable[Any], digests: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return which of the ids are among the rows that a model was trained on."""
    asked = row_digests(ids)
    if not len(digests):
        return np.zeros(len(asked), dtype=np.bool_)
    at = np.minimum(np.searchsorted(digests, asked), len(digests) - 1)
    return np.asarray(digests[at] == asked)
