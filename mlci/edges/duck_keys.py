"""How many rows of a large table repeat a key: its keys fetched as numbers, and ticked off or sorted."""

from __future__ import annotations

from contextlib import closing
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    import duckdb
    from numpy.typing import NDArray

    from mlci.nouns.query import KeyQuery

_BYTES_A_KEY = 24
"""What a key costs while it is fetched: the engine's result, the array and its sorted copy."""
MOST_SUSPECTS = 100_000
"""Up to so many repeated hashes are worth being compared key by key."""
_MOST_HINTS = 10
_DENSE = 4
"""Keys are ticked off rather than sorted where their range is at most so many times their number."""
_AT_A_TIME = 1_000_000


def repeated_keys(
    connection: duckdb.DuckDBPyConnection, query: KeyQuery, rows: int, memory: int
) -> tuple[int, tuple[int, ...]]:
    """How many rows repeat the key of an earlier one, and some of those keys, or hashes of keys.

    Args:
        connection: The session in which the table is open.
        query: Selects the keys as 64-bit numbers.
        rows: Number of the table's rows.
        memory: Bytes that the session may use.

    Raises:
        duckdb.Error: The table can't be read, or its values don't make a key.
    """
    parts = max(1, -(-rows * _BYTES_A_KEY // max(memory // 2, 1)))
    found = (
        _ticked(connection, query.keys, rows, memory) if query.exact and parts > 1 and find_spec("pyarrow") else None
    )
    repeated, again = found or _sorted(connection, query.keys, parts)
    return repeated, tuple(int(key) for key in again)


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
    return found, np.unique(keys[1:][same][: MOST_SUSPECTS + 1]) if found else keys[:0]


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
