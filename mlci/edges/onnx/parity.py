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
Kind = Literal["real", "missing", "unseen"]


@dataclass(frozen=True)
class Pair:
    """The two scorings of one group of rows.

    Attributes:
        group: What the rows are, for the reader.
        kind: Real rows, rows with a missing value or rows with an unseen category.
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
        what = "string" if each.type == "string" else "value"
        occurs = _holds_missing(table.column(each.name))
        probe = _with_value(few, each, None)
        yield _probe(
            f"missing {what} in `{each.name}`", "missing", each.name, estimator, model, probe, columns, occurs=occurs
        )
        if each.type == "string":
            probe = _with_value(few, each, UNSEEN)
            yield _probe(
                f"unseen category in `{each.name}`", "unseen", each.name, estimator, model, probe, columns, occurs=True
            )


def _with_value(table: pa.Table, changed: Input, value: str | None) -> pa.Table:
    """Return the rows with one column replaced: by a string, or by missing values."""
    kind = pa.string() if changed.type == "string" else pa.float64()
    column = pa.array([value] * table.num_rows, kind)
    return table.set_column(table.column_names.index(changed.name), changed.name, column)


def _probe(  # noqa: PLR0913 - who is asked what
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
    return Pair(group, kind, column, occurs, expected, answer.values)  # noqa: PD011 - no pandas here


def _holds_missing(column: pa.ChunkedArray) -> bool:
    if column.null_count:
        return True
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_floating(kind):
        return bool(pc.any(pc.is_nan(column)).as_py())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return bool(pc.any(pc.equal(column.cast(pa.string()), "")).as_py())
    return False
