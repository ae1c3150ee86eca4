"""A window of the server's log, page by page: no page holds the log's writer up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from mlci.edges.duck import first_line, session
from mlci.edges.log.reader import open_reader
from mlci.edges.log.window_schema import answer_type, flat_types, nested, sql_type
from mlci.errors import WorldError
from mlci.nouns.engine import Engine
from mlci.nouns.sql import literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlci.edges.log.window_schema import Asked
    from mlci.nouns.signature import Signature

_STORED = pa.schema(
    [
        ("id", pa.string()),
        ("at", pa.float64()),
        ("role", pa.string()),
        ("model", pa.string()),
        ("version", pa.string()),
        ("revision", pa.string()),
        ("inputs", pa.string()),
        ("prediction", pa.string()),
        ("scores", pa.string()),
        ("label", pa.string()),
        ("labelled_at", pa.float64()),
        ("source", pa.string()),
        ("contradicted", pa.bool_()),
    ]
)
"""A page as the log's reader gives it: inputs, prediction, scores and label are JSON."""


def read_pages(log: str, asked: Asked) -> Iterator[pa.RecordBatch]:
    """Yield batches of a log in a database; errors as of `read_window`."""
    query = _query(asked.signature)
    with session(Engine()) as connection, open_reader(log, asked.root) as reader:
        for page in reader.pages(asked):
            yield nested(_typed(connection, query, page, asked.signature), asked.signature)


def _typed(
    connection: duckdb.DuckDBPyConnection, query: str, page: Sequence[Sequence[Any]], signature: Signature
) -> pa.RecordBatch:
    columns = zip(*page, strict=True)
    stored = [
        pa.array(
            [None if value is None else bool(value) for value in column] if pa.types.is_boolean(field.type) else column,
            field.type,
        )
        for field, column in zip(_STORED, columns, strict=True)
    ]
    connection.register("page", pa.Table.from_arrays(stored, schema=_STORED))
    try:
        table = connection.sql(query).to_arrow_table()
    except duckdb.Error as error:
        raise WorldError(
            f"predictions {page[0][0]} to {page[-1][0]} don't fit the model's signature: {first_line(error)}",
            "read one version at a time, with the signature of that version",
        ) from error
    # Names may repeat: only places count.
    arrays = [
        pa.concat_arrays([chunk.cast(kind) for chunk in column.chunks])
        for column, kind in zip(table.columns, flat_types(signature), strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, names=table.column_names)


def _query(signature: Signature) -> str:
    inputs = [each.name for each in signature.inputs]
    answer = sql_type(answer_type(signature))
    kinds = flat_types(signature)[6 : 6 + len(inputs)]
    typed = [f"CAST(inputs[{place + 1}] AS {sql_type(kind)})" for place, kind in enumerate(kinds)]
    scores = [f"CAST(scores[{place + 1}] AS DOUBLE)" for place in range(len(signature.score_columns))]
    chosen = [
        "id",
        'to_timestamp("at")',
        "role",
        "model",
        "version",
        "revision",
        *typed,
        f"CAST(prediction AS {answer})",
        *scores,
        f"CAST(label AS {answer})",
        "to_timestamp(labelled_at)",
        "source",
        "contradicted",
    ]
    named = ", ".join(f"{sql} AS c{place}" for place, sql in enumerate(chosen))
    return (
        f'SELECT {named} FROM (SELECT id, "at", role, model, version, revision, {_values("inputs", inputs)}, '
        f"prediction ->> '$' AS prediction, {_values('scores', signature.score_columns)}, label ->> '$' AS label, "
        'labelled_at, source, contradicted FROM page) ORDER BY "at", id'
    )


def _values(column: str, names: Sequence[str]) -> str:
    """The texts of an object's fields as a list; a pointer finds a name whatever characters it holds."""
    pointers = [literal("/" + name.replace("~", "~0").replace("/", "~1")) for name in names]
    return f"json_extract_string({column}, [{', '.join(pointers)}]::VARCHAR[]) AS {column}"
