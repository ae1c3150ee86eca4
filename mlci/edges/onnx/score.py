"""A table scored by a model, batch by batch, into a predictions table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mlci.edges.files import replaced
from mlci.edges.onnx.columns import require_columns
from mlci.edges.onnx.rows import Rows
from mlci.edges.onnx.session import BATCH_ROWS
from mlci.errors import PolicyError, WorldError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from mlci.edges.onnx.session import OnnxModel, Scores
    from mlci.nouns.signature import ClassLabel, Signature


@dataclass(frozen=True)
class ScoreResult:
    """A predictions table that was written."""

    path: Path
    rows: int
    columns: tuple[str, ...]


def score_table(
    model: OnnxModel,
    data_path: Path,
    out_path: Path,
    *,
    id: str,  # noqa: A002 - the policy's word
    label: str | None = None,
    threshold: float | None = None,
    batch_rows: int = BATCH_ROWS,
    progress: Callable[[int], None] | None = None,
) -> ScoreResult:
    """Write a predictions table: `id`, `label` if there is one, `prediction`, and `score` or `score_<class>`.

    Memory is bounded by the batch, and eight bytes a row to find an id that comes twice.

    Args:
        model: The model.
        data_path: A Parquet or CSV file.
        out_path: The Parquet file to write: whole, or not at all.
        id: The column that names a row.
        label: The column of the label, if the table has it.
        threshold: The score from which a row of a binary model is decided positive; None: as the model decides.
        batch_rows: Rows to score at once.
        progress: Called with the number of rows done after each batch.

    Raises:
        WorldError: The table cannot be read or lacks a column, an id is missing or comes twice, or the model
            cannot answer.
        PolicyError: A threshold for a model that is not binary.
    """
    asked = _Asked(model.signature, data_path, id, label, threshold)
    rows = asked.rows()
    seen: list[NDArray[np.int64]] = []
    done = 0
    with replaced(out_path) as temporary:
        with _Writer(temporary) as writer:
            for batch in rows.batches(asked.wanted, batch_rows):
                seen.append(_hashes(batch.column(id), data_path, id))
                writer.write(_predictions(batch, model.score(batch, batch_rows=batch_rows), asked))
                done += batch.num_rows
                if progress is not None:
                    progress(done)
        if not done:
            raise WorldError(f"{data_path} has no rows", "see the stage that writes it")
        _refuse_twins(seen, temporary, data_path, id)
    return ScoreResult(out_path, done, writer.columns)


@dataclass(frozen=True)
class _Asked:
    """What is read out of which table, and what the model needs of it."""

    signature: Signature
    path: Path
    id: str
    label: str | None
    threshold: float | None

    def __post_init__(self) -> None:
        if self.threshold is not None and self.signature.task != "binary":
            raise PolicyError(f"a {self.signature.task} model has no threshold", "leave `model.threshold` out")

    @property
    def inputs(self) -> dict[str, str]:
        return {each.name: each.type for each in self.signature.inputs}

    @property
    def wanted(self) -> list[str]:
        return [self.id, *([self.label] if self.label is not None else []), *self.inputs]

    def rows(self) -> Rows:
        """The table, open; refused where it lacks a column."""
        rows = Rows(self.path, self.inputs)
        require_columns(self.signature, rows.columns)
        for role, name in (("id", self.id), ("label", self.label)):
            if name is not None and name not in rows.columns:
                raise WorldError(
                    f"{self.path} has no column `{name}` ({role})", f"its columns are {', '.join(rows.columns)}"
                )
        return rows


class _Writer:
    """A Parquet file whose columns are those of its first batch."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: pq.ParquetWriter | None = None
        self.columns: tuple[str, ...] = ()

    def write(self, batch: pa.Table) -> None:
        if self._file is None:
            self._file = pq.ParquetWriter(self._path, batch.schema, compression="zstd")
            self.columns = tuple(batch.schema.names)
        self._file.write_table(batch)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def _predictions(batch: pa.Table, scores: Scores, asked: _Asked) -> pa.Table:
    columns: dict[str, Any] = {"id": _plain(batch.column(asked.id))}
    if asked.label is not None:
        columns["label"] = _plain(batch.column(asked.label))
    columns["prediction"] = pa.array(decide(scores, asked.signature, asked.threshold))
    for at, name in enumerate(asked.signature.score_columns):
        columns[name] = pa.array(scores.score[:, at])
    return pa.table(columns)


def decide(scores: Scores, signature: Signature, threshold: float | None) -> NDArray[Any]:
    """Return the class of each row: by the threshold where there is one, else as the model says."""
    if threshold is None:
        return scores.prediction
    positive: ClassLabel = signature.classes[signature.positive_index]
    negative = signature.classes[1 - signature.positive_index]
    pair = np.array([negative, positive], dtype=scores.prediction.dtype)
    return np.asarray(pair[(scores.score[:, 0] >= threshold).astype(np.int64)])


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column in the one form that its values have, whichever file and batch they come from."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    text = pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return column.cast(pa.string() if text else kind)


def _hashes(column: pa.ChunkedArray, path: Path, name: str) -> NDArray[np.int64]:
    if column.null_count:
        raise WorldError(f"{path}: {column.null_count:,} rows have no `{name}`", "give every row an id of its own")
    if pa.types.is_integer(column.type):
        return np.asarray(column.to_numpy(), dtype=np.int64)
    ids = column.to_pylist()
    return np.fromiter(map(hash, ids), dtype=np.int64, count=len(ids))


def _refuse_twins(seen: list[NDArray[np.int64]], written: Path, path: Path, name: str) -> None:
    """Refuse ids that come twice. Equal hashes alone don't say so: the ids behind them are compared."""
    hashes = np.concatenate(seen)
    ordered = np.sort(hashes)
    twins = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(twins):
        return
    at = np.flatnonzero(np.isin(hashes, twins))
    ids = pq.read_table(written, columns=["id"]).column("id").take(at).to_pylist()
    counts: dict[Any, int] = {}
    for each in ids:
        counts[each] = counts.get(each, 0) + 1
    twice = [each for each, count in counts.items() if count > 1]
    if twice:
        shown = ", ".join(repr(each) for each in sorted(twice, key=str)[:3])
        raise WorldError(
            f"{path}: {len(twice):,} values of `{name}` come more than once: {shown}",
            "one row for each id; see what doubled the rows",
        )
