"""Rows of a table as a client would send them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from mlci.edges.onnx.columns import require_columns
from mlci.edges.onnx.rows import Rows
from mlci.edges.onnx.session import OnnxModel
from mlci.edges.serve.fields import Fields
from mlci.edges.serve.http import RefusedError
from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Row = dict[str, Any]

_READ: dict[str, Callable[[Any], Any]] = {"float": float, "integer": int, "string": str, "boolean": bool}
_MOST = 200


def rows_for(model: Path, table: Path) -> list[Row]:
    """Some rows of a table, spread over it, that the model takes: named fields as JSON has them.

    Raises:
        WorldError: The model or the table can't be read, a column is missing, or the model takes none of the rows.
    """
    loaded = OnnxModel.load(model)
    inputs = loaded.signature.inputs
    rows = Rows(table, {each.name: each.type for each in inputs})
    require_columns(loaded.signature, rows.columns)
    sample = rows.sample([each.name for each in inputs], _MOST).to_pylist()
    fields = Fields(loaded, 1)
    try:
        read = [{each.name: _value(row[each.name], each.type) for each in inputs} for row in sample]
    except (TypeError, ValueError) as error:
        raise WorldError(f"{table}: a value is none that the model takes: {error}") from error
    taken = [row for row in read if _takes(fields, row)]
    if not taken:
        raise WorldError(f"{table} has no row that the server takes: values are missing in all of them")
    return taken


def _takes(fields: Fields, row: Row) -> bool:
    try:
        fields.of_rows([row])
    except RefusedError:
        return False
    return True


def _value(value: Any, kind: str) -> Any:  # noqa: ANN401 - a cell can be anything
    if value is None or (isinstance(value, float) and not math.isfinite(value)) or value == "":
        return None
    return _READ[kind](value)
