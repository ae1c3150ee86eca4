"""A table scored by a model, batch by batch, into a predictions table."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from mlci.edges.duck_repeats import repeated_values
from mlci.edges.onnx.columns import require_columns
from mlci.edges.onnx.parts import Parts, in_order, parts_folder
from mlci.edges.onnx.rows import Rows, plain
from mlci.edges.onnx.session import BATCH_ROWS
from mlci.errors import PolicyError, WorldError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mlci.edges.onnx.session import OnnxModel, Scores
    from mlci.nouns.signature import ClassLabel, Signature


@dataclass(frozen=True)
class Batching:
    """How the rows of a table are taken.

    Attributes:
        batch_rows: Rows to score at once.
        part_rows: Rows after which a part is finished, rounded down to whole batches.
        workers: Batches to score at a time.
        keep: Folder for the parts that are finished. A run that finds some there goes on behind them, so it is to be
            another folder for another model, table or threshold. Removed at the end.
    """

    batch_rows: int = BATCH_ROWS
    part_rows: int = 16 * BATCH_ROWS
    workers: int = 1
    keep: Path | None = None


@dataclass(frozen=True)
class ScoreResult:
    """A predictions table that was written.

    Attributes:
        path: Its file, or the folder of its parts.
        rows: How many rows it has.
        columns: Its columns.
        resumed: How many of the rows an earlier run had scored.
    """

    path: Path
    rows: int
    columns: tuple[str, ...]
    resumed: int = 0


def score_table(
    model: OnnxModel,
    data: Path | Sequence[Path],
    out_path: Path,
    *,
    id: str,  # noqa: A002 - the policy's word
    label: str | None = None,
    threshold: float | None = None,
    batching: Batching = Batching(),
    progress: Callable[[int], None] | None = None,
) -> ScoreResult:
    """Write a predictions table: `id`, `label` if there is one, `prediction`, and `score` or `score_<class>`.

    Memory is bounded by the batches that are under way. The bytes depend on neither workers nor interruptions.

    Args:
        model: The model.
        data: Parquet or CSV files.
        out_path: The Parquet file to write: whole, or not at all; without an ending, a folder of parts.
        id: The column that names a row.
        label: The column of the label, if the table has it.
        threshold: The score from which a row of a binary model is decided positive; None: as the model decides.
        batching: How many rows at once, and whether an interrupted run can go on.
        progress: Called with the number of rows done after each batch.

    Raises:
        WorldError: The table cannot be read or lacks a column, an id is missing or comes twice, or the model
            cannot answer.
        PolicyError: A threshold for a model that is not binary.
    """
    rows = Rows(data, {each.name: each.type for each in model.signature.inputs})
    asked = _Asked(model.signature, rows, id, label, threshold)
    size, keep = batching.batch_rows, batching.keep
    with parts_folder(keep or out_path.parent, kept=keep is not None) as folder:
        with Parts(folder, size * max(1, batching.part_rows // size)) as parts:
            resumed = parts.rows
            batches = asked.rows.batches(asked.wanted, size, skip=resumed)
            for predictions in in_order(asked.answers(model, size), batches, batching.workers):
                parts.write(predictions)
                if progress is not None:
                    progress(parts.rows)
        if not parts.rows:
            raise WorldError(f"{asked.path} has no rows", "see the stage that writes it")
        _refuse_twins(parts.files, asked)
        columns = parts.join(out_path)
        if keep is not None:
            shutil.rmtree(keep, ignore_errors=True)
    return ScoreResult(out_path, parts.rows, columns, resumed)


@dataclass(frozen=True)
class _Asked:
    """What is read out of which table, and what the model needs of it."""

    signature: Signature
    rows: Rows
    id: str
    label: str | None
    threshold: float | None

    def __post_init__(self) -> None:
        if self.threshold is not None and self.signature.task != "binary":
            raise PolicyError(f"a {self.signature.task} model has no threshold", "leave `model.threshold` out")
        require_columns(self.signature, self.rows.columns)
        for role, name in (("id", self.id), ("label", self.label)):
            if name is not None and name not in self.rows.columns:
                raise WorldError(
                    f"{self.path} has no column `{name}` ({role})", f"its columns are {', '.join(self.rows.columns)}"
                )

    @property
    def path(self) -> Path:
        return self.rows.path

    @property
    def wanted(self) -> list[str]:
        inputs = [each.name for each in self.signature.inputs]
        return [self.id, *([self.label] if self.label is not None else []), *inputs]

    def answers(self, model: OnnxModel, batch_rows: int) -> Callable[[pa.Table], pa.Table]:
        """What makes predictions of a batch."""

        def answer(batch: pa.Table) -> pa.Table:
            if missing := batch.column(self.id).null_count:
                raise WorldError(
                    f"{self.path}: {missing:,} rows have no `{self.id}`", "give every row an id of its own"
                )
            return answered(model, batch, id=self.id, label=self.label, threshold=self.threshold, batch_rows=batch_rows)

        return answer


def answered(
    model: OnnxModel,
    batch: pa.Table,
    *,
    id: str,  # noqa: A002 - the policy's word
    label: str | None,
    threshold: float | None,
    batch_rows: int = BATCH_ROWS,
) -> pa.Table:
    """The predictions of some rows: `id`, `label` if there is one, `prediction`, and the score columns.

    Raises:
        WorldError: The model can't answer.
    """
    scores = model.score(batch, batch_rows=batch_rows)
    columns: dict[str, Any] = {"id": plain(batch.column(id))}
    if label is not None:
        columns["label"] = plain(batch.column(label))
    columns["prediction"] = pa.array(decide(scores, model.signature, threshold))
    for at, name in enumerate(model.signature.score_columns):
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


def _refuse_twins(files: Sequence[Path], asked: _Asked) -> None:
    twice = repeated_values(files, "id")
    if twice.values:
        shown = ", ".join(repr(each) for each in twice.some)
        raise WorldError(
            f"{asked.path}: {twice.values:,} values of `{asked.id}` come more than once: {shown}",
            "one row for each id; see what doubled the rows",
        )
