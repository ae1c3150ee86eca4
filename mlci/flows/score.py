"""Let a model answer the rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.edges.onnx.score import score_table
from mlci.edges.onnx.session import OnnxModel
from mlci.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlci.nouns.policy import PolicyFile


def score_file(
    policy: PolicyFile, model: Path, table: Path, out: Path, *, threads: int = 1, say: Callable[[str], None]
) -> int:
    """Write the predictions of a model for a table, decided at the policy's threshold.

    Returns:
        How many rows were scored.

    Raises:
        PolicyError: The policy names no model, so neither id nor label are known.
        WorldError: The model or the table cannot be read, or do not fit each other.
    """
    known = policy.policy.model
    if known is None:
        raise PolicyError(f"{policy.file}: scoring needs `mlci.model`", "add `model: {name, label, id}`")
    say(f"scoring {table}")
    threshold = known.threshold if known.task == "binary" else None
    done = score_table(
        OnnxModel.load(model, threads=threads),
        table,
        out,
        id=known.id,
        label=known.label,
        threshold=threshold,
        progress=lambda rows: say(f"scoring {table}: {rows:,} rows"),
    )
    return done.rows
