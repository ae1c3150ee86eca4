"""Ask DuckDB the queries of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

from mlci.edges.duck import first_line, world_error
from mlci.nouns.aggregate import Aggregate, Answers, SliceKey, Value
from mlci.nouns.footer import ColumnFooter, Footer
from mlci.nouns.query import MOST_SLICES, KeyQuery, Plan, Query
from mlci.nouns.table_schema import kind_of

if TYPE_CHECKING:
    from mlci.edges.tables import TableFiles
    from mlci.nouns.table_schema import TableSchema

_SORTED_FROM = 1_000_000
"""Rows from which sorting a fetched key is quicker than grouping by it."""
_MOST_HINTS = 10
_OF_THE_DATA = (
    duckdb.BinderException,
    duckdb.ConversionException,
    duckdb.DataError,
    duckdb.InvalidInputException,
    duckdb.InvalidTypeException,
    duckdb.NotImplementedException,
    duckdb.OutOfRangeException,
    duckdb.TypeMismatchException,
)
"""Errors that values or types cause: the one check that meets them is not measured."""


def measure(
    connection: duckdb.DuckDBPyConnection, plan: Plan, schema: TableSchema, *, rows: int | None, memory: int
) -> Answers:
    """The answers to all queries of a plan.

    Args:
        connection: The session in which the table is open.
        plan: The queries.
        schema: The table.
        rows: Number of its rows where it is known.
        memory: Bytes that the session may use.

    Raises:
        WorldError: The file cannot be read, or the memory or the disk does not suffice.
    """
    answers = Answers()
    try:
        for query in plan.queries:
            answers = answers.joined(_merged(connection, query))
        for key in plan.keys:
            answers = answers.joined(_repeats(connection, key, rows=rows, memory=memory))
    except duckdb.Error as error:
        raise world_error(error, schema.path) from error
    return answers


def _merged(connection: duckdb.DuckDBPyConnection, query: Query) -> Answers:
    try:
        return _answers(connection, query)
    except _OF_THE_DATA as error:
        if not query.alone:
            return Answers(failures=dict.fromkeys(query.aggregates, first_line(error)))
    answers = Answers()
    for aggregate, sql in zip(query.aggregates, query.alone, strict=True):
        alone = Query(sql=sql, aggregates=(aggregate,), keys=query.keys)
        answers = answers.joined(_merged(connection, alone))
    return answers


def _answers(connection: duckdb.DuckDBPyConnection, query: Query, parameters: list[Any] | None = None) -> Answers:
    found = connection.execute(query.sql, parameters).fetchall()
    if len(found) > MOST_SLICES:
        why = f"its `by` has more than {MOST_SLICES:,} values"
        return Answers(failures=dict.fromkeys(query.aggregates, why))
    values: dict[Aggregate, dict[SliceKey, Value]] = {aggregate: {} for aggregate in query.aggregates}
    for row in found:
        for aggregate, value in zip(query.aggregates, row[query.keys :], strict=True):
            values[aggregate][row[: query.keys]] = value
    return Answers(values)


def _repeats(connection: duckdb.DuckDBPyConnection, query: KeyQuery, *, rows: int | None, memory: int) -> Answers:
    """How many rows repeat a key: by grouping, or by sorting the fetched keys where the table is large."""
    try:
        if rows is None:
            rows = _one(connection, f"SELECT count(*) FROM ({query.keys.format(part='TRUE')})")
        if rows < _SORTED_FROM:
            return _answers(connection, query.plain)
        from mlci.edges.duck_keys import MOST_SUSPECTS, repeated_keys  # noqa: PLC0415 - small tables do without NumPy

        repeated, again = repeated_keys(connection, query, rows, memory)
        if query.exact or repeated == 0:
            return Answers({query.aggregate: {(): repeated}}, hints={query.aggregate: again[:_MOST_HINTS]})
        if len(again) > MOST_SUSPECTS:
            return _answers(connection, query.plain)
        among = query.plain.model_copy(update={"sql": query.among})
        return _answers(connection, among, [list(again)])
    except _OF_THE_DATA as error:
        return Answers(failures={query.aggregate: first_line(error)})


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    found = connection.execute(sql).fetchone()
    return int(found[0]) if found else 0


def read_footer(connection: duckdb.DuckDBPyConnection, table: TableFiles, schema: TableSchema) -> Footer:
    """What the footers of the table's Parquet files state.

    Raises:
        WorldError: A file cannot be read.
    """
    files = table.listed
    try:
        rows = _one(connection, f"SELECT sum(num_rows) FROM parquet_file_metadata({files})")
        described = connection.execute(f"SELECT * FROM parquet_metadata({files}) LIMIT 0").description or []
        nans = "stats_nan_count" if any(name == "stats_nan_count" for name, *_ in described) else "NULL::BIGINT"
        found = connection.execute(_FOOTER.format(files=files, nans=nans)).fetchall()
    except duckdb.Error as error:
        raise world_error(error, table.path) from error
    seen = {row[0]: _column(schema.columns[row[0]], row[1:], rows) for row in found if row[0] in schema.columns}
    return Footer(rows=rows, columns={name: column for name, column in seen.items() if column is not None})


_FOOTER = """
SELECT path_in_schema,
    sum(num_values) AS held,
    CASE WHEN count(stats_null_count) = count(*) THEN sum(stats_null_count) END AS nulls,
    CASE WHEN count({nans}) = count(*) THEN sum({nans}) END AS nans,
    count_if(stats_min_value IS NULL AND num_values > coalesce(stats_null_count, 0)) AS silent,
    min(try_cast(stats_min_value AS HUGEINT)), max(try_cast(stats_max_value AS HUGEINT)),
    epoch_us(min(try_cast(stats_min_value AS TIMESTAMP))), epoch_us(max(try_cast(stats_max_value AS TIMESTAMP))),
    min(try_cast(stats_min_value AS DOUBLE)), max(try_cast(stats_max_value AS DOUBLE)),
    coalesce(bool_or(isnan(try_cast(stats_min_value AS DOUBLE)) OR isnan(try_cast(stats_max_value AS DOUBLE))), FALSE)
FROM parquet_metadata({files}) GROUP BY path_in_schema
"""


def _column(type_name: str, stated: tuple[Any, ...], rows: int) -> ColumnFooter | None:
    held, nulls, nans, silent, low, high, first, last, least, most, odd = stated
    if held != rows:
        # Two columns of this name, or a nested one: not a statement about the rows.
        return None
    if silent:
        return ColumnFooter(nulls=nulls, nans=nans)
    match kind_of(type_name):
        case "integer":
            return ColumnFooter(nulls=nulls, nans=nans, low=low, high=high)
        case "timestamp" | "date":
            return ColumnFooter(nulls=nulls, nans=nans, low=first, high=last)
        case "float" if type_name == "DOUBLE" and not odd:
            return ColumnFooter(nulls=nulls, nans=nans, least=least, most=most)
        case _:
            return ColumnFooter(nulls=nulls, nans=nans)
