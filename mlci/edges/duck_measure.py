"""Ask DuckDB the queries of a plan."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from mlci.edges.duck import first_line, world_error
from mlci.nouns.aggregate import Aggregate, Answers, SliceKey, Value
from mlci.nouns.footer import ColumnFooter, Footer
from mlci.nouns.query import MOST_SLICES, KeyQuery, Plan, Query
from mlci.nouns.table_schema import kind_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from numpy.typing import NDArray

    from mlci.edges.tables import TableFiles
    from mlci.nouns.table_schema import TableSchema

_SORTED_FROM = 1_000_000
"""Rows from which sorting a fetched key is quicker than grouping by it."""
_BYTES_A_KEY = 24
"""What a key costs while it is fetched: the engine's result, the array and its sorted copy."""
_MOST_SUSPECTS = 100_000
"""Up to so many repeated hashes are compared key by key; with more the table is grouped by its key after all."""
_MOST_HINTS = 10
_DENSE = 4
"""Keys are ticked off rather than sorted where their range is at most so many times their number."""
_AT_A_TIME = 1_000_000

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
        parts = max(1, -(-rows * _BYTES_A_KEY // max(memory // 2, 1)))
        found = _ticked(connection, query.keys, rows, memory) if query.exact and parts > 1 else None
        repeated, again = found or _sorted(connection, query.keys, parts)
        if query.exact or repeated == 0:
            hints: dict[Aggregate, tuple[int, ...]] = {query.aggregate: tuple(int(key) for key in again[:_MOST_HINTS])}
            return Answers({query.aggregate: {(): repeated}}, hints=hints)
        if len(again) > _MOST_SUSPECTS:
            return _answers(connection, query.plain)
        among = query.plain.model_copy(update={"sql": query.among})
        return _answers(connection, among, [[int(key) for key in again]])
    except _OF_THE_DATA as error:
        return Answers(failures={query.aggregate: first_line(error)})


def _sorted(connection: duckdb.DuckDBPyConnection, keys: str, parts: int) -> tuple[int, NDArray[Any]]:
    """How many keys repeat an earlier one, and some of those keys, a part of all keys at a time."""
    repeated, again = 0, []
    for part in range(parts):
        condition = "TRUE" if parts == 1 else f"hash(key) % {parts} = {part}"
        fetched = np.ma.getdata(connection.execute(keys.format(part=condition)).fetchnumpy()["key"])
        found, which = _dense(fetched) or _by_order(fetched)
        repeated += found
        again.append(which)
    return repeated, np.concatenate(again)


def _ticked(
    connection: duckdb.DuckDBPyConnection, keys: str, rows: int, memory: int
) -> tuple[int, NDArray[Any]] | None:
    """The same of numbers that lie close together, in one pass and a byte a number; None where they don't."""
    every = keys.format(part="TRUE")
    low, high = connection.execute(f"SELECT min(key), max(key) FROM ({every})").fetchall()[0]
    if low is None or (span := high - low + 1) > min(_DENSE * rows, memory // 2):
        return None
    seen = np.zeros(span, dtype=bool)
    count = 0
    for places in _streamed(connection, every, low):
        seen[places] = True
        count += len(places)
    repeated = count - int(np.count_nonzero(seen))
    if not repeated:
        return 0, seen[:0]
    with closing(_streamed(connection, every, low)) as again:
        return repeated, _some_twins(again, span) + low


def _streamed(connection: duckdb.DuckDBPyConnection, sql: str, low: int) -> Generator[NDArray[Any]]:
    import pyarrow as pa  # noqa: PLC0415 - only large tables need it

    # Closed at once when nobody wants more: the connection takes no other question before.
    with connection.sql(sql).to_arrow_reader(_AT_A_TIME) as batches:
        for batch in batches:
            keys = batch.column(0)
            # Arrow's own way to NumPy loads pandas, which takes longer than reading ten million keys.
            yield (np.from_dlpack(keys) if pa.types.is_integer(keys.type) else keys.to_numpy()) - low


def _some_twins(batches: Iterable[NDArray[Any]], span: int) -> NDArray[Any]:
    """The first numbers that come twice."""
    seen = np.zeros(span, dtype=bool)
    for places in batches:
        ordered = np.sort(places)
        twins = np.concatenate([places[seen[places]], ordered[1:][ordered[1:] == ordered[:-1]]])
        if twins.size:
            return np.unique(twins)[:_MOST_HINTS]
        seen[places] = True
    return np.zeros(0, dtype=np.int64)


def _by_order(keys: NDArray[Any]) -> tuple[int, NDArray[Any]]:
    """How many keys repeat an earlier one, and some of them; sorts the array in place."""
    keys.sort()
    same = keys[1:] == keys[:-1]
    found = int(np.count_nonzero(same))
    return found, np.unique(keys[1:][same][: _MOST_SUSPECTS + 1]) if found else keys[:0]


def _dense(keys: NDArray[Any]) -> tuple[int, NDArray[Any]] | None:
    """The same by ticking off numbers that lie close together, as ids often do; None where they don't."""
    if len(keys) == 0 or (span := int(keys.max()) - int(keys.min()) + 1) > _DENSE * len(keys):
        return None
    seen, low = np.zeros(span, dtype=bool), keys.min()
    again: list[NDArray[Any]] = []
    for start in range(0, len(keys), _AT_A_TIME):
        places = keys[start : start + _AT_A_TIME] - low
        if len(again) < _MOST_HINTS and (met := places[seen[places]]).size:
            again.append(np.unique(met[:_MOST_HINTS]) + low)
        seen[places] = True
    repeated = len(keys) - int(np.count_nonzero(seen))
    if repeated and not again:
        return None
    return repeated, np.unique(np.concatenate(again)) if again else keys[:0]


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
    epoch_us(min(try_cast(stats_min_value AS TIMESTAMP))), epoch_us(max(try_cast(stats_max_value AS TIMESTAMP)))
FROM parquet_metadata({files}) GROUP BY path_in_schema
"""


def _column(type_name: str, stated: tuple[Any, ...], rows: int) -> ColumnFooter | None:
    held, nulls, nans, silent, low, high, first, last = stated
    if held != rows:
        # Two columns of this name, or a nested one: not a statement about the rows.
        return None
    low, high = {"integer": (low, high), "timestamp": (first, last), "date": (first, last)}.get(
        kind_of(type_name), (None, None)
    )
    if silent:
        low = high = None
    return ColumnFooter(nulls=nulls, nans=nans, low=low, high=high)
