"""Rows to replay: what a model answered when it was released, and whether it still does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from mlci.edges.onnx.rows import Rows
from mlci.edges.onnx.score import decide
from mlci.nouns.bundle import Example

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlci.edges.onnx.session import OnnxModel
    from mlci.nouns.bundle import Cell
    from mlci.nouns.signature import Input

_TYPES = {"float": pa.float64(), "integer": pa.int64(), "string": pa.string(), "boolean": pa.bool_()}
_UNKNOWN = "a value never seen"


def make_examples(model: OnnxModel, table: Path, count: int, threshold: float | None) -> tuple[Example, ...]:
    """Rows like those of a table, with the model's answers.

    Every column is shuffled by itself, so that no row is anybody's; then come a row in which all is missing
    that may be, and one of values never seen.

    Args:
        model: The model.
        table: Rows to draw values from.
        count: How many rows.
        threshold: For the decisions.
    """
    inputs = model.signature.inputs
    names = [each.name for each in inputs]
    drawn = Rows(table, {each.name: each.type for each in inputs}).sample(names, max(count, 1))
    rng = np.random.default_rng(0)
    columns = {each.name: _cells(drawn.column(each.name).to_pylist(), each, rng) for each in inputs}
    rows: list[dict[str, Cell]] = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    rows = rows[:count]
    if rows:
        rows.append({each.name: None if each.nullable else rows[0][each.name] for each in inputs})
        rows.append({each.name: _UNKNOWN if each.type == "string" else rows[0][each.name] for each in inputs})
    return answers(model, rows, threshold)


def answers(model: OnnxModel, rows: Sequence[dict[str, Cell]], threshold: float | None) -> tuple[Example, ...]:
    """What a model answers to these rows. Raises WorldError as `OnnxModel.score` does."""
    if not rows:
        return ()
    table = pa.table(
        {each.name: pa.array([row[each.name] for row in rows], _TYPES[each.type]) for each in model.signature.inputs}
    )
    scores = model.score(table)
    decisions = decide(scores, model.signature, threshold)
    columns = model.signature.score_columns
    outputs = scores.score if columns else np.asarray(scores.prediction, dtype=np.float64).reshape(-1, 1)
    return tuple(
        Example(
            inputs=row,
            prediction=str(decisions[place]),
            outputs=dict(zip(columns or ("prediction",), outputs[place].tolist(), strict=True)),
        )
        for place, row in enumerate(rows)
    )


def differing(model: OnnxModel, examples: Sequence[Example], threshold: float | None, tolerance: float) -> list[int]:
    """Places of the examples that the model answers otherwise now, counted from 0."""
    now = answers(model, [one.inputs for one in examples], threshold)
    return [place for place, (old, new) in enumerate(zip(examples, now, strict=True)) if _differ(old, new, tolerance)]


def _differ(old: Example, new: Example, tolerance: float) -> bool:
    # A score on the threshold may be decided either way; the score itself may not differ.
    close = old.outputs.keys() == new.outputs.keys() and all(
        math.isclose(value, new.outputs[name], rel_tol=tolerance, abs_tol=tolerance)
        for name, value in old.outputs.items()
    )
    return not close


def _cells(values: list[Any], wanted: Input, rng: np.random.Generator) -> list[Cell]:
    kind = {"float": float, "integer": int, "string": str, "boolean": bool}[wanted.type]
    order = rng.permutation(len(values))
    cells = [values[place] for place in order]
    return [None if cell is None or cell != cell else kind(cell) for cell in cells]  # noqa: PLR0124 - NaN
