"""The best design by hand: footers where they prove something, one aggregate, rank counts, the key sorted in numpy."""

from __future__ import annotations

import datetime as dt

import duckdb
import numpy as np
import suite
from _common import answer, asked

path, rows = asked()
KINDS = {
    "BIGINT": "integer",
    "INTEGER": "integer",
    "DOUBLE": "float",
    "VARCHAR": "string",
    "TIMESTAMP": "timestamp",
    "BOOLEAN": "boolean",
}
FLOATS = [column for column, kind in suite.TYPES.items() if kind == "float"]


def footers(connection: duckdb.DuckDBPyConnection) -> tuple[dict[str, tuple[int, int, float, float]], bool]:
    """Per column: values, nulls, smallest, largest; and whether the newest timestamp is fresh."""
    found = connection.execute(
        f"""SELECT path_in_schema, sum(num_values), sum(stats_null_count),
            min(try_cast(stats_min_value AS DOUBLE)), max(try_cast(stats_max_value AS DOUBLE)), max(stats_max_value)
            FROM parquet_metadata('{path}') GROUP BY ALL"""
    ).fetchall()
    column, at, days = suite.FRESH
    newest = dt.datetime.fromisoformat(next(row[5] for row in found if row[0] == column))
    limit = dt.datetime.fromisoformat(at) - dt.timedelta(days=days)
    return {row[0]: row[1:5] for row in found}, newest.replace(tzinfo=None) >= limit


def materialised(connection: duckdb.DuckDBPyConnection) -> tuple[dict[str, tuple[int, int, float, float]], bool]:
    """The same as `footers` of a file that has none, with the columns that are asked for more than nulls kept."""
    connection.execute(f"CREATE TEMP TABLE events AS SELECT * FROM '{path}'")
    terms = []
    for column in suite.TYPES:
        ends = f"min({column}), max({column})" if column in suite.RANGES else "0, 0"
        terms.append(f"count(*), count(*) - count({column}), {ends}")
    column, at, days = suite.FRESH
    fresh = f"max({column}) >= TIMESTAMP '{at}' - INTERVAL {days} DAY"
    row = connection.execute(f"SELECT {', '.join(terms)}, {fresh} FROM events").fetchall()[0]
    return {column: row[4 * i : 4 * i + 4] for i, column in enumerate(suite.TYPES)}, bool(row[-1])


def terms(seen: dict[str, tuple[int, int, float, float]]) -> dict[str, str]:
    """What the footers do not prove."""
    asks = {f"nan {column}": f"count_if(isnan({column}))" for column in FLOATS}
    for column, (low, high) in suite.RANGES.items():
        if not (seen[column][2] >= low and seen[column][3] <= high):
            asks[f"range {column}"] = f"count_if({column} < {low} OR {column} > {high})"
    for column, values in suite.ALLOWED.items():
        asks[f"allowed {column}"] = f"count({column}) FILTER (list_position({list(values)}, {column}) IS NULL)"
    asks["pattern"] = f"count_if(NOT regexp_full_match({suite.PATTERN[0]}, '{suite.PATTERN[1]}'))"
    asks["mean"] = f"avg({suite.MEAN[0]})"
    for name, (column, low, high) in {"median": suite.MEDIAN, "p95": suite.P95}.items():
        asks[f"{name} under"] = f"count_if({column} < {low})"
        asks[f"{name} upto"] = f"count_if({column} <= {high})"
    asks["rule"] = f"count_if(NOT ({suite.RULE}))"
    return asks


with duckdb.connect() as connection:
    connection.execute("SET threads = 2")
    if path.endswith(".csv"):
        seen, fresh = materialised(connection)
        scanned = "events"
    else:
        seen, fresh = footers(connection)
        scanned = f"'{path}'"
    columns = connection.execute(f"DESCRIBE SELECT * FROM {scanned}").fetchall()
    asks = terms(seen)
    counts = dict(
        zip(asks, connection.execute(f"SELECT {', '.join(asks.values())} FROM {scanned}").fetchone() or (), strict=True)
    )
    keys = connection.execute(f"SELECT {suite.UNIQUE} FROM {scanned} WHERE {suite.UNIQUE} IS NOT NULL").fetchnumpy()[
        suite.UNIQUE
    ]

keys = np.asarray(keys)
keys.sort()
total = seen[suite.UNIQUE][0]
failed = [] if {name: KINDS.get(kind) for name, kind, *_ in columns} == suite.TYPES else ["types"]
failed += [] if fresh else ["fresh"]
failed += [] if total <= rows else ["rows"]
failed += ["unique"] if (keys[1:] == keys[:-1]).any() else []
for column, share in suite.MISSING.items():
    if seen[column][1] + counts.get(f"nan {column}", 0) > share * total:
        failed.append(f"missing {column}")
failed += [name for name in counts if name.split()[0] in {"range", "allowed", "pattern", "rule"} and counts[name]]
failed += [] if suite.MEAN[1] <= counts["mean"] <= suite.MEAN[2] else ["mean"]
for name, (column, _, _), share in (("median", suite.MEDIAN, 0.5), ("p95", suite.P95, 0.95)):
    present = seen[column][0] - seen[column][1]
    rank = share * (present - 1)
    if counts[f"{name} under"] > rank or counts[f"{name} upto"] <= rank:
        failed.append(name)
answer(failed)
