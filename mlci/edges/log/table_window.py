"""A window of predictions from files that something else than our server wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from mlci.edges.duck import session, world_error
from mlci.edges.log.window_schema import flat_types, nested, sql_type, window_schema
from mlci.edges.tables import find_table, open_table
from mlci.errors import WorldError
from mlci.nouns.engine import Engine
from mlci.nouns.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from mlci.edges.log.window_schema import Asked
    from mlci.nouns.signature import Signature

_TIMES = {"predicted_at", "labelled_at"}
_NUMBERS = {"DOUBLE", "FLOAT", "BIGINT", "INTEGER"}
"""Types of a time that counts seconds since 1970."""
_ABSENT = {"role": "'current'", "id": "CAST(row_number() OVER () AS VARCHAR)"}
"""What stands for a column that files may lack; else null."""
_MEND = "write the columns that docs/how-to/serve.md lists"


def read_tables(path: str, asked: Asked) -> Iterator[pa.RecordBatch]:
    """Yield batches of files; errors as of `read_window`."""
    signature = asked.signature
    if len({each.name.lower() for each in signature.inputs}) < len(signature.inputs):
        raise WorldError(f"{path}: inputs whose names differ by case only can't be told apart in files", "read the log")
    with session(Engine()) as connection:
        columns = _opened(connection, path, asked)
        chosen = _chosen(path, columns, signature, asked.private)
        named = ", ".join(f"{sql} AS c{place}" for place, sql in enumerate(chosen))
        # The places of the window's columns: 0 id, 1 time, 2 role, 4 version.
        query = f"SELECT * FROM (SELECT {named} FROM logged) WHERE c1 >= ? AND c1 < ? AND list_contains(?, c2)"
        values: list[object] = [asked.since, asked.until, list(asked.roles)]
        if asked.version is not None:
            query += " AND c4 = ?"
            values.append(asked.version)
        kinds = flat_types(signature)
        try:
            found = connection.sql(f"{query} ORDER BY c1, c0", params=values)
            for batch in found.to_arrow_reader(asked.batch_rows):
                if batch.num_rows:
                    arrays = [each.cast(kind) for each, kind in zip(batch.columns, kinds, strict=True)]
                    yield nested(pa.RecordBatch.from_arrays(arrays, names=batch.schema.names), signature)
        except duckdb.Error as error:
            raise world_error(error, path) from error


def _opened(connection: duckdb.DuckDBPyConnection, path: str, asked: Asked) -> dict[str, str]:
    """Open the files under the name `logged`, with our names beside theirs; the columns with their types."""
    found = open_table(connection, find_table(asked.root, path), "files" if asked.names else "logged").columns
    if not asked.names:
        return found
    for theirs in asked.names.values():
        if theirs not in found:
            raise WorldError(f"{path} has no column {theirs!r}; its columns are {', '.join(found)}", _MEND)
    other = [column for column in found if column not in asked.names]
    chosen = [identifier(column) for column in other]
    chosen += [f"{identifier(theirs)} AS {identifier(ours)}" for ours, theirs in asked.names.items()]
    connection.execute(f"CREATE TEMP VIEW logged AS SELECT {', '.join(chosen)} FROM files")
    return {column: found[column] for column in other} | {ours: found[theirs] for ours, theirs in asked.names.items()}


def _chosen(path: str, columns: Mapping[str, str], signature: Signature, private: Collection[str]) -> list[str]:
    """The window's columns as SQL, the inputs side by side."""
    chosen: list[str] = []
    for field in window_schema(signature):
        if field.name == "inputs":
            chosen += _inputs(path, columns, signature, private)
        elif field.name in _TIMES:
            chosen.append(_time(path, columns, field.name))
        else:
            kind = sql_type(field.type)
            value = identifier(field.name) if field.name in columns else _ABSENT.get(field.name, "NULL")
            chosen.append(f"CAST({value} AS {kind})")
    if not {"prediction", *signature.score_columns} & columns.keys():
        raise WorldError(f"{path} has neither `prediction` nor scores; its columns are {', '.join(columns)}", _MEND)
    return chosen


def _time(path: str, columns: Mapping[str, str], name: str) -> str:
    if name not in columns:
        if name == "predicted_at":
            raise WorldError(f"{path} has no column `{name}`; its columns are {', '.join(columns)}", _MEND)
        return "CAST(NULL AS TIMESTAMPTZ)"
    if columns[name] in _NUMBERS:
        return f"to_timestamp(CAST({identifier(name)} AS DOUBLE))"
    return f"CAST({identifier(name)} AS TIMESTAMPTZ)"


def _inputs(path: str, columns: Mapping[str, str], signature: Signature, private: Collection[str]) -> list[str]:
    struct = columns.get("inputs", "").startswith("STRUCT")
    chosen: list[str] = []
    for field in window_schema(signature).field("inputs").type:
        name, kind = field.name, sql_type(field.type)
        if struct:
            chosen.append(f"CAST(inputs[{literal(name)}] AS {kind})")
        elif name in columns:
            chosen.append(f"CAST({identifier(name)} AS {kind})")
        elif name in private:
            chosen.append(f"CAST(NULL AS {kind})")
        else:
            raise WorldError(f"{path} has no column {name!r}, which the model reads", _MEND)
    return chosen
