"""Let a model answer the rows of a table of any size."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from mlci.edges.onnx.score import Batching, score_table
from mlci.edges.onnx.session import OnnxModel
from mlci.edges.tables import find_table
from mlci.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlci.edges.onnx.score import ScoreResult
    from mlci.edges.tables import TableFiles
    from mlci.nouns.policy import Model, PolicyFile

_FORM = "1"
"""Raised when parts are written in another way, so that a run does not go on behind old ones."""


def score_file(
    policy: PolicyFile,
    model: Path,
    table: str,
    out: Path,
    *,
    project: Path,
    workers: int = 1,
    say: Callable[[str], None],
) -> ScoreResult:
    """Write the predictions of a model for a table, decided at the policy's threshold.

    Finished parts are kept below the project's `.cache/mlci` until the end; a run that was interrupted goes on there.

    Args:
        policy: It names id, label and threshold.
        model: An ONNX model.
        table: A Parquet or CSV file, a glob of several or their folder.
        out: A Parquet file, or a folder for one file a part.
        project: The project's folder.
        workers: Batches of rows to score at a time.
        say: Tells how far it is.

    Raises:
        PolicyError: The policy names no model, so neither id nor label are known.
        WorldError: The model or the table cannot be read, or do not fit each other.
    """
    known = policy.policy.model
    if known is None:
        raise PolicyError(f"{policy.file}: scoring needs `mlci.model`", "add `model: {name, label, id}`")
    if policy.policy.engine.name == "spark":
        return _on_spark(policy, known, model, table, out, say)
    files = find_table(Path(), f"{table}/*.parquet" if Path(table).is_dir() else table)
    if files.format == "json":
        raise PolicyError(f"{table} is JSON, and scoring reads Parquet or CSV", "write the table as Parquet")
    threshold = known.threshold if known.task == "binary" else None
    loaded = OnnxModel.load(model)
    keep = project / ".cache/mlci/score" / _digest(files, loaded.md5, known.id, known.label, threshold)
    if any(keep.glob("*.parquet")):
        say(f"going on behind the rows of {table} that an interrupted run scored")
    return score_table(
        loaded,
        files.files,
        out,
        id=known.id,
        label=known.label,
        threshold=threshold,
        batching=Batching(workers=workers, keep=keep),
        progress=lambda rows: say(f"scoring {table}: {rows:,} rows"),
    )


def _on_spark(
    policy: PolicyFile, known: Model, model: Path, table: str, out: Path, say: Callable[[str], None]
) -> ScoreResult:
    if out.suffix:
        raise PolicyError(
            f"{out} is a file, and Spark writes a folder of parts", "name --out without an ending, such as predictions"
        )
    # Only who measures with Spark has it.
    from mlci.edges.spark.session import spark_session  # noqa: PLC0415

    say(f"scoring {table} on Spark")
    with spark_session(policy.policy.engine) as session:
        from mlci.edges.spark.open import open_in_spark  # noqa: PLC0415
        from mlci.edges.spark.score import score_frame  # noqa: PLC0415

        schema = open_in_spark(session, Path(), table, "scored")
        threshold = known.threshold if known.task == "binary" else None
        frame = session.table("scored").drop(*schema.order)
        return score_frame(model, frame, out, id=known.id, label=known.label, threshold=threshold, path=table)


def _digest(files: TableFiles, *rest: object) -> str:
    """Of all that the predictions depend on; of a file its name, size and time of change."""
    stamps = [f"{file}\0{file.stat().st_size}\0{file.stat().st_mtime_ns}" for file in files.files]
    return hashlib.sha256("\n".join([_FORM, *stamps, *map(repr, rest)]).encode()).hexdigest()[:32]
