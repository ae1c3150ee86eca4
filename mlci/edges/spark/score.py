"""A table scored where it lies: every partition by a model of its own, Arrow in and Arrow out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import functions as F  # noqa: N812 - as everybody calls it
from pyspark.sql.pandas.types import from_arrow_schema

from mlci.edges.onnx.columns import require_columns
from mlci.edges.onnx.score import ScoreResult, answered
from mlci.edges.onnx.session import OnnxModel
from mlci.edges.portable import first_line
from mlci.errors import MlciError, WorldError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from pyspark.sql import DataFrame

_MOST_TWINS = 3


def score_frame(
    model: Path,
    frame: DataFrame,
    out: Path,
    *,
    id: str,  # noqa: A002 - the policy's word
    label: str | None,
    threshold: float | None,
    path: str,
) -> ScoreResult:
    """Write a folder of predictions: `id`, `label` if there is one, `prediction`, and `score` or `score_<class>`.

    Spark's machines need `mlci[model]`. Nothing is written before every id is known to come once.

    Args:
        model: The model's file.
        frame: The table.
        out: The folder, which must not be there yet.
        id: The column that names a row.
        label: The column of the label, if the table has it.
        threshold: The score from which a row of a binary model is decided positive; None: as the model decides.
        path: The table as the user named it, for messages.

    Raises:
        WorldError: The table lacks a column or a row's id, an id comes twice, or the model can't answer.
    """
    content = model.read_bytes()
    signature = OnnxModel.load(model).signature
    require_columns(signature, frame.columns)
    for role, name in (("id", id), ("label", label)):
        if name is not None and name not in frame.columns:
            raise WorldError(f"{path} has no column `{name}` ({role})", f"its columns are {', '.join(frame.columns)}")
    wanted = dict.fromkeys([id, *([label] if label is not None else []), *(each.name for each in signature.inputs)])
    rows = frame.select(*(F.col("`" + name.replace("`", "``") + "`") for name in wanted))
    try:
        count = _refuse_twins(rows, id, path)
        first = rows.limit(1).toArrow()
        shape = answered(OnnxModel.load(content), first, id=id, label=label, threshold=threshold).schema
        work = _scorer(content, id, label, threshold)
        rows.mapInArrow(work, from_arrow_schema(shape)).write.mode("error").parquet(out.resolve().as_uri())
    except MlciError:
        raise
    except Exception as error:
        raise WorldError(
            f"{path} can't be scored on Spark: {_reason(error)}",
            "See that the folder of the predictions is new, and that Spark's machines have mlci[model].",
        ) from error
    return ScoreResult(out, count, tuple(shape.names))


def _refuse_twins(rows: DataFrame, id: str, path: str) -> int:  # noqa: A002 - the policy's word
    """Refuse rows without an id or with another row's; else how many rows there are."""
    name = F.col("`" + id.replace("`", "``") + "`")
    count, missing = rows.agg(F.count(F.lit(1)), F.count(F.when(name.isNull(), 1))).collect()[0]
    if not count:
        raise WorldError(f"{path} has no rows", "see the stage that writes it")
    if missing:
        raise WorldError(f"{path}: {missing:,} rows have no `{id}`", "give every row an id of its own")
    twins = rows.groupBy(name.alias("twin")).count().filter("count > 1")
    some = [row[0] for row in twins.orderBy("twin").limit(_MOST_TWINS).collect()]
    if some:
        shown = ", ".join(map(repr, some))
        raise WorldError(
            f"{path}: {twins.count():,} values of `{id}` come more than once: {shown}",
            "one row for each id; see what doubled the rows",
        )
    return int(count)


def _scorer(
    content: bytes,
    id: str,  # noqa: A002 - the policy's word
    label: str | None,
    threshold: float | None,
) -> Callable[[Iterable[Any]], Iterable[Any]]:
    """What scores a partition: the model is loaded once, batches go through it one by one."""

    def score(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        model = OnnxModel.load(content)
        for batch in batches:
            table = pa.Table.from_batches([batch])
            yield from answered(model, table, id=id, label=label, threshold=threshold).combine_chunks().to_batches()

    return score


def _reason(error: Exception) -> str:
    """What a worker said, rather than that one failed."""
    lines = [line.strip() for line in str(error).splitlines() if "Error:" in line]
    return lines[-1] if lines else first_line(error)
