"""The rows that production is compared with: a labelled table, joined with the model's answers to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from mlci.edges.duck import session, world_error
from mlci.edges.log.window_schema import answer_type, flat_types, nested, sql_type, window_schema
from mlci.edges.prediction_table import value_sql
from mlci.edges.tables import find_table, open_table
from mlci.errors import WorldError
from mlci.nouns.signature import Input, InputType, Signature
from mlci.nouns.sql import identifier, literal

if TYPE_CHECKING:
    from pathlib import Path

    from mlci.nouns.policy import Model, PolicyFile
    from mlci.nouns.table_schema import TableSchema

_TYPES: dict[str, InputType] = {
    "integer": "integer",
    "float": "float",
    "decimal": "float",
    "string": "string",
    "boolean": "boolean",
}


def read_reference_rows(
    root: Path, policy: PolicyFile, table: str, predictions: str, signature: Signature | None
) -> tuple[pa.Table, Signature]:
    """Labelled rows with the model's answers, as a window of predictions, and the signature that they have.

    Args:
        root: Folder that the paths begin at.
        policy: Its model.
        table: With inputs and labels; it may hold the answers too.
        predictions: The answers by id; not read where the table has them.
        signature: Of the model; None: every column of the table that is no id, label or answer is an input.

    Raises:
        WorldError: A table is not there or lacks a column.
    """
    model = policy.policy.model
    assert model is not None  # noqa: S101 - the flow asks for it
    rows = find_table(root, table)
    with session(policy.policy.engine) as connection:
        schema = open_table(connection, rows, "reference")
        own = bool({"score", "prediction"} & schema.columns.keys())
        answers = schema if own else open_table(connection, find_table(root, predictions), "answers")
        known = signature or _signature(schema, answers, model)
        for column in (*(each.name for each in known.inputs), *(() if own else (model.id,))):
            if column not in schema.columns:
                raise WorldError(f"{table} has no column {column!r}", "name another table in `mlci.monitor.reference`")
        query = _query(schema, answers, known, model, own=own)
        try:
            found = connection.sql(query).to_arrow_table()
        except duckdb.Error as error:
            raise world_error(error, table) from error
    arrays = [
        pa.concat_arrays([chunk.cast(kind) for chunk in column.chunks]) if column.num_chunks else pa.array([], kind)
        for column, kind in zip(found.columns, flat_types(known), strict=True)
    ]
    batch = pa.RecordBatch.from_arrays(arrays, names=found.column_names)
    return pa.Table.from_batches([nested(batch, known)], window_schema(known)), known


def _signature(schema: TableSchema, answers: TableSchema, model: Model) -> Signature:
    taken = {model.id, model.label, "id", "label", "score", "prediction"}
    inputs = tuple(
        Input(name=name, type=_TYPES[schema.kind(name)])
        for name in schema.columns
        if name not in taken and schema.kind(name) in _TYPES
    )
    if model.task == "multiclass":
        classes = tuple(name.removeprefix("score_") for name in answers.columns if name.startswith("score_"))
        return Signature(model=model.name, task="multiclass", inputs=inputs, classes=classes)
    classes_of = {"binary": (False, True), "regression": ()}
    return Signature(model=model.name, task=model.task, inputs=inputs, classes=classes_of[model.task])


def _query(schema: TableSchema, answers: TableSchema, signature: Signature, model: Model, *, own: bool) -> str:
    """The columns of a window, inputs side by side, of all rows that were answered."""
    inputs = "".join(f", {identifier(each.name)} AS i{place}" for place, each in enumerate(signature.inputs))
    ids = identifier(model.id) if model.id in schema.columns else "row_number() OVER ()"
    labelled = _first(schema, model.label, "label")
    label = f", {value_sql(model, schema, labelled)} AS label" if labelled else ""
    rows = f"SELECT CAST({ids} AS VARCHAR) AS id{inputs}{label} FROM reference"
    key = ids if own else identifier(_first(answers, model.id, "id") or model.id)
    scores = "".join(
        f", {identifier(name) if name in answers.columns else 'NULL'} AS s{place}"
        for place, name in enumerate(signature.score_columns)
    )
    decided = f", {value_sql(model, answers, 'prediction')} AS decision" if "prediction" in answers.columns else ""
    also = _first(answers, model.label, "label")
    label_too = f", {value_sql(model, answers, also)} AS label" if also and not labelled else ""
    given = f"SELECT CAST({key} AS VARCHAR) AS id{scores}{decided}{label_too} FROM {'reference' if own else 'answers'}"
    shape = _shape(signature)
    chosen = [
        "id",
        "TIMESTAMPTZ '1970-01-05 00:00:00+00'",
        "'current'",
        "''",
        "''",
        "''",
        *(f"i{place}" for place in range(len(signature.inputs))),
        shape.format("decision") if decided else "NULL",
        *(f"s{place}" for place in range(len(signature.score_columns))),
        shape.format("label") if label or label_too else "NULL",
        "CAST(NULL AS TIMESTAMPTZ)",
        "''",
        "FALSE",
    ]
    named = ", ".join(f"{sql} AS c{place}" for place, sql in enumerate(chosen))
    return f"SELECT {named} FROM ({rows}) JOIN ({given}) USING (id) ORDER BY id"


def _first(schema: TableSchema, *names: str) -> str | None:
    return next((name for name in names if name in schema.columns), None)


def _shape(signature: Signature) -> str:
    """How a label as a bool (binary), a text or a number becomes one of the signature's classes."""
    answer = sql_type(answer_type(signature))
    if signature.task != "binary":
        return f"CAST({{0}} AS {answer})"
    yes = signature.positive_class
    no = next(each for each in signature.classes if each != yes)
    return f"CASE {{0}} WHEN TRUE THEN {literal(yes)} WHEN FALSE THEN {literal(no)} END"
