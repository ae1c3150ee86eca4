"""The columns of a window of predictions, and how texts of the log become them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from mlci.nouns.signature import Signature

BATCH_ROWS = 8_192
SEEN = ("current", "canary", "named")
"""Roles of the predictions that a client got."""

_TIME = pa.timestamp("us", tz="UTC")
_TYPES: dict[str, pa.DataType] = {
    "float": pa.float64(),
    "integer": pa.int64(),
    "string": pa.string(),
    "boolean": pa.bool_(),
}
_SQL = {
    pa.float64(): "DOUBLE",
    pa.int64(): "BIGINT",
    pa.string(): "VARCHAR",
    pa.bool_(): "BOOLEAN",
    _TIME: "TIMESTAMPTZ",
}


class Asked(NamedTuple):
    """What is asked of a window; see `read_window`."""

    since: datetime
    until: datetime
    signature: Signature
    root: Path
    version: str | None
    roles: tuple[str, ...]
    private: tuple[str, ...]
    batch_rows: int
    names: Mapping[str, str] = MappingProxyType({})


def window_schema(signature: Signature) -> pa.Schema:
    """The columns of a window.

    `id`, `predicted_at`, `role` (`current`, `canary` or `shadow`), `model`, `version`, `commit`; `inputs`: a struct
    with a field for every input, so that no name of an input can be taken for another column; `prediction`; the
    signature's score columns; `label`, `labelled_at`, `label_source` and `contradicted`, null where there is no label.
    """
    inputs = pa.struct([pa.field(each.name, _TYPES[each.type]) for each in signature.inputs])
    answer = answer_type(signature)
    return pa.schema(
        [
            ("id", pa.string()),
            ("predicted_at", _TIME),
            ("role", pa.string()),
            ("model", pa.string()),
            ("version", pa.string()),
            ("commit", pa.string()),
            ("inputs", inputs),
            ("prediction", answer),
            *((name, pa.float64()) for name in signature.score_columns),
            ("label", answer),
            ("labelled_at", _TIME),
            ("label_source", pa.string()),
            ("contradicted", pa.bool_()),
        ]
    )


def answer_type(signature: Signature) -> pa.DataType:
    """Type of predictions and labels: that of the classes (text where they differ), a number in a regression."""
    if not signature.classes:
        return _TYPES["float"]
    kinds = {type(each) for each in signature.classes}
    only = kinds.pop() if len(kinds) == 1 else str
    return {bool: _TYPES["boolean"], int: _TYPES["integer"], str: _TYPES["string"]}[only]


def sql_type(kind: pa.DataType) -> str:
    """The engine's name of a type of a window."""
    return _SQL[kind]


def flat_types(signature: Signature) -> list[pa.DataType]:
    """Types of the window's columns with the inputs side by side instead of in a struct."""
    kinds: list[pa.DataType] = []
    for field in window_schema(signature):
        kinds.extend([each.type for each in field.type] if pa.types.is_struct(field.type) else [field.type])
    return kinds


def nested(batch: pa.RecordBatch, signature: Signature) -> pa.RecordBatch:
    """A batch whose columns are in the window's order, the inputs side by side, as a batch of the window."""
    schema = window_schema(signature)
    columns: Sequence[pa.Array] = batch.columns
    before, inputs = schema.get_field_index("inputs"), len(signature.inputs)
    fields = list(schema.field("inputs").type)
    struct = pa.StructArray.from_arrays(columns[before : before + inputs], fields=fields)
    return pa.RecordBatch.from_arrays([*columns[:before], struct, *columns[before + inputs :]], schema=schema)
