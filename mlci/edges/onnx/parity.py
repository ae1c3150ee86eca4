"""The estimator and the exported model, asked the same: real rows, and rows made to break a converter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlci.edges.onnx.estimator import answers, training_frame
from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mlci.edges.onnx.session import OnnxModel
    from mlci.nouns.signature import Input

UNSEEN = "never seen before"
PROBE_ROWS = 2_000
Kind = Literal["real", "missing", "empty", "unseen"]


@dataclass(frozen=True)
class Pair:
    """The two scorings of one group of rows.

    Attributes:
        group: What the rows are, for the reader.
        kind: Real rows, or rows with a missing value, an empty string or an unseen category.
        column: The column that was changed; empty for the real rows.
        occurs: Whether the real rows hold such values too.
        expected: What the estimator answers; None where it refuses such rows.
        got: What the exported model answers; None where it fails.
        failure: Its message.
    """

    group: str
    kind: Kind
    column: str
    occurs: bool
    expected: NDArray[np.float64] | None
    got: NDArray[np.float64] | None
    failure: str = ""


def score_pairs(estimator: Any, model: OnnxModel, table: pa.Table, columns: list[str]) -> Iterator[Pair]:  # noqa: ANN401 - scikit-learn has no types
    """Yield the scorings of the real rows, and of probes made from them, one column at a time.

    Args:
        estimator: The trained estimator.
        model: The exported model, whose signature takes missing values everywhere.
        table: Real rows, with at least the columns of the training.
        columns: The columns that the estimator was trained on, in its order.

    Raises:
        WorldError: The estimator refuses the real rows.
    """
    try:
        expected = answers(estimator, training_frame(estimator, table, columns))
    except (ValueError, TypeError, KeyError) as error:
        raise WorldError(f"the estimator cannot score the rows that its export is to be proven on: {error}") from error
    yield _pair("the real rows", "real", "", expected, model, table, occurs=True)
    few = table.take(np.linspace(0, table.num_rows - 1, min(table.num_rows, PROBE_ROWS)).astype(np.int64))
    for each in model.signature.inputs:
        column = table.column(each.name)
        for group, kind, value in _probes(each):
            occurs = kind == "unseen" or (_holds_missing(column) if kind == "missing" else _holds_empty(column))
            probe = _with_value(few, each, value)
            yield _probe(group, kind, each.name, estimator, model, probe, columns, occurs=occurs)


def _probes(column: Input) -> list[tuple[str, Kind, str | None]]:
    """Return what to put into a column: the group's name, its kind and the value."""
    if column.type != "string":
        return [(f"missing value in `{column.name}`", "missing", None)]
    return [
        (f"missing string in `{column.name}`", "missing", None),
        (f"empty string in `{column.name}`", "empty", ""),
        (f"unseen category in `{column.name}`", "unseen", UNSEEN),
    ]


def _with_value(table: pa.Table, changed: Input, value: str | None) -> pa.Table:
    """Return the rows with one column replaced: by a string, or by missing values."""
    kind = {"string": pa.string(), "boolean": pa.bool_()}.get(changed.type, pa.float64())
    column = pa.array([value] * table.num_rows, kind)
    return table.set_column(table.column_names.index(changed.name), changed.name, column)


def _probe(
    group: str,
    kind: Kind,
    column: str,
    estimator: Any,  # noqa: ANN401 - scikit-learn has no types
    model: OnnxModel,
    probe: pa.Table,
    columns: list[str],
    *,
    occurs: bool,
) -> Pair:
    try:
        expected = answers(estimator, training_frame(estimator, probe, columns))
    except (ValueError, TypeError, KeyError):
        return Pair(group, kind, column, occurs, None, None)
    return _pair(group, kind, column, expected, model, probe, occurs=occurs)


def _pair(
    group: str,
    kind: Kind,
    column: str,
    expected: NDArray[np.float64],
    model: OnnxModel,
    table: pa.Table,
    *,
    occurs: bool,
) -> Pair:
    try:
        answer = model.score(table)
    except WorldError as error:
        return Pair(group, kind, column, occurs, expected, None, error.problem)
    return Pair(group, kind, column, occurs, expected, answer.outputs)


def _holds_missing(column: pa.ChunkedArray) -> bool:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    nan = pa.types.is_floating(kind) and bool(pc.any(pc.is_nan(column)).as_py())
    return nan or bool(column.null_count)


def _holds_empty(column: pa.ChunkedArray) -> bool:
    return bool(pc.any(pc.equal(column.cast(pa.string()), "")).as_py())
