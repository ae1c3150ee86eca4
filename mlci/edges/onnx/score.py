"""A table scored by a model, batch by batch, into a predictions table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    if threshold is not None and model.signature.task != "binary":
        raise PolicyError(f"a {model.signature.task} model has no threshold", "leave `model.threshold` out")
    inputs = {each.name: each.type for each in model.signature.inputs}
    rows = Rows(data_path, inputs)
    require_columns(model.signature, rows.columns)
    for role, name in (("id", id), ("label", label)):
        if name is not None and name not in rows.columns:
            raise WorldError(
                f"{data_path} has no column `{name}` ({role})", f"its columns are {', '.join(rows.columns)}"
            )
    wanted = [id, *([label] if label is not None else []), *inputs]
    seen: list[NDArray[np.int64]] = []
    done, schema = 0, None
    with replaced(out_path) as temporary:
        writer: pq.ParquetWriter | None = None
        try:
            for batch in rows.batches(wanted, batch_rows):
                seen.append(_hashes(batch.column(id), data_path, id))
                part = _predictions(
                    batch, model.score(batch, batch_rows=batch_rows), model.signature, id, label, threshold
                )
                if writer is None:
                    schema = part.schema
                    writer = pq.ParquetWriter(temporary, schema, compression="zstd")
                writer.write_table(part)
                done += part.num_rows
                if progress is not None:
                    progress(done)
        finally:
            if writer is not None:
                writer.close()
        if schema is None or not done:
            raise WorldError(f"{data_path} has no rows", "see the stage that writes it")
        _refuse_twins(seen, temporary, data_path, id)
    return ScoreResult(out_path, done, tuple(schema.names))


def _predictions(
    batch: pa.Table, scores: Scores, signature: Signature, key: str, label: str | None, threshold: float | None
) -> pa.Table:
    columns: dict[str, Any] = {"id": _plain(batch.column(key))}
    if label is not None:
        columns["label"] = _plain(batch.column(label))
    columns["prediction"] = pa.array(decide(scores, signature, threshold))
    for at, name in enumerate(signature.score_columns):
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
