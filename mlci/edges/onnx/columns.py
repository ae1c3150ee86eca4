"""Columns of a table as the tensors that a model takes, or an error that names the column."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlci.nouns.signature import Input, Signature

DTYPES: dict[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
    "tensor(string)": object,
}
"""Of numpy, by the element type of a model's input."""
_WHOLE = ("tensor(int64)", "tensor(int32)", "tensor(bool)")
"""Element types that have no missing value."""


def as_table(columns: pa.Table | Mapping[str, NDArray[Any]]) -> pa.Table:
    """Return a table; NaN and None in arrays of objects are missing values.

    Raises:
        WorldError: The columns differ in length or hold mixed types.
    """
    if isinstance(columns, pa.Table):
        return columns
    try:
        return pa.table({name: pa.array(values, from_pandas=True) for name, values in columns.items()})
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise WorldError(f"the columns are no table: {error}") from error


def require_columns(signature: Signature, names: list[str]) -> None:
    """Refuse a table that lacks a column that the model reads.

    Raises:
        WorldError: Names the first missing column.
    """
    for each in signature.inputs:
        if each.name not in names:
            near = difflib.get_close_matches(each.name, names, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"the table has: {', '.join(names[:20])}"
            raise WorldError(f"column `{each.name}` ({each.type}) is missing; model `{signature.model}` reads it", hint)


def to_tensor(table: pa.Table, wanted: Input, element: str) -> NDArray[Any]:
    """Return a column as a tensor of shape [rows, 1].

    A missing string becomes `""`, a missing number NaN.

    Args:
        table: The rows.
        wanted: The column's name and type.
        element: The element type of the model's input, as ONNX Runtime writes it: `tensor(double)`.

    Raises:
        WorldError: The column has another type, or misses values where the model takes none.
    """
    column = table.column(wanted.name)
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not _fits(kind, wanted):
        raise WorldError(
            f"column `{wanted.name}`: expected {wanted.type}, got {kind}",
            "score the table that the model was trained on the form of, or cast the column",
        )
    if not wanted.nullable or element in _WHOLE:
        _refuse_missing(column, kind, wanted)
    if element == "tensor(string)":
        text = pc.fill_null(column.cast(pa.string()), "")
        return np.asarray(text.to_numpy(), dtype=object).reshape(-1, 1)
    if element not in DTYPES:
        raise WorldError(f"the model's input `{wanted.name}` is a {element}, which no column can be")
    if element in _WHOLE and pa.types.is_integer(kind):
        return np.asarray(column.to_numpy()).astype(DTYPES[element], copy=False).reshape(-1, 1)
    return _numbers(column, kind).astype(DTYPES[element], copy=False).reshape(-1, 1)


def _numbers(column: pa.ChunkedArray, kind: pa.DataType) -> NDArray[np.float64]:
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    values = pc.fill_null(column.cast(pa.float64(), safe=False), float("nan"))
    return np.asarray(values.to_numpy(), dtype=np.float64)


def _refuse_missing(column: pa.ChunkedArray, kind: pa.DataType, wanted: Input) -> None:
    missing = column.null_count
    if pa.types.is_floating(kind):
        missing += pc.sum(pc.is_nan(column)).as_py() or 0
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        missing += pc.sum(pc.equal(column.cast(pa.string()), "")).as_py() or 0
    if missing:
        raise WorldError(
            f"column `{wanted.name}`: {missing:,} values are missing, and the model takes none there:"
            " it saw none when it was exported",
            "fill them, leave these rows out, or train and export with rows that miss values in this column",
        )


def _fits(kind: pa.DataType, wanted: Input) -> bool:
    if pa.types.is_null(kind):
        return True
    if wanted.type == "string":
        return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return bool(number or pa.types.is_boolean(kind))
