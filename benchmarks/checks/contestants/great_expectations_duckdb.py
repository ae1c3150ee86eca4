"""Great Expectations: one suite, on DuckDB through SQLAlchemy.

It fetches a result after it gave the connection back, so it is told to keep this one.
"""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from enum import Enum
from pathlib import Path

os.environ["GX_ANALYTICS_ENABLED"] = "false"

import duckdb
import great_expectations as gx
import suite
from _common import answer, asked
from great_expectations.execution_engine import sqlalchemy_execution_engine as engine

path, rows = asked()
engine._PERSISTED_CONNECTION_DIALECTS += tuple(Enum("Kept", {"DUCKDB": "duckdb"}, type=str))  # noqa: SLF001 - it has no setting for it
expect = gx.expectations
TYPES = {
    "integer": {"BIGINT", "INTEGER"},
    "float": {"DOUBLE"},
    "string": {"VARCHAR"},
    "timestamp": {"TIMESTAMP"},
    "boolean": {"BOOLEAN"},
}


def wanted() -> dict[str, object]:
    """Check → its expectation."""
    fresh, at, days = suite.FRESH
    since = dt.datetime.fromisoformat(at) - dt.timedelta(days=days)
    quantiles = {
        name: {"quantiles": [share], "value_ranges": [list(bound)]}
        for name, share, bound in (("median", 0.5, suite.MEDIAN[1:]), ("p95", 0.95, suite.P95[1:]))
    }
    found: dict[str, object] = {
        f"missing {column}": expect.ExpectColumnValuesToNotBeNull(column=column, mostly=1 - share)
        for column, share in suite.MISSING.items()
    }
    for column, (low, high) in suite.RANGES.items():
        found[f"range {column}"] = expect.ExpectColumnValuesToBeBetween(column=column, min_value=low, max_value=high)
    for column, values in suite.ALLOWED.items():
        found[f"allowed {column}"] = expect.ExpectColumnValuesToBeInSet(column=column, value_set=list(values))
    found["unique"] = expect.ExpectColumnValuesToBeUnique(column=suite.UNIQUE)
    column, low, high = suite.MEAN
    found["mean"] = expect.ExpectColumnMeanToBeBetween(column=column, min_value=low, max_value=high)
    for name, column in (("median", suite.MEDIAN[0]), ("p95", suite.P95[0])):
        found[name] = expect.ExpectColumnQuantileValuesToBeBetween(column=column, quantile_ranges=quantiles[name])
    found["rows"] = expect.ExpectTableRowCountToBeBetween(max_value=rows)
    found["fresh"] = expect.ExpectColumnMaxToBeBetween(column=fresh, min_value=since)
    found["rule"] = expect.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A="shipped", column_B="created", or_equal=True, ignore_row_if="either_value_is_missing"
    )
    return found


with tempfile.TemporaryDirectory() as folder:
    database = Path(folder) / "bench.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"CREATE VIEW events AS SELECT * FROM '{path}'")
        # Its own expectations of types and of a pattern do not know DuckDB.
        kinds = {name: kind for name, kind, *_ in connection.execute("DESCRIBE events").fetchall()}
        column, pattern = suite.PATTERN
        matches = connection.execute(
            f"SELECT bool_and(regexp_full_match({column}, '{pattern}')) FROM events"
        ).fetchall()
    context = gx.get_context(mode="ephemeral")
    source = context.data_sources.add_sql("bench", connection_string=f"duckdb:///{database}")
    batch = source.add_table_asset("events", table_name="events").add_batch_definition_whole_table("all").get_batch()
    asks = wanted()
    result = batch.validate(gx.ExpectationSuite(name="suite", expectations=list(asks.values())))


def key(configuration: object) -> tuple[str, str]:
    """Which expectation a result answers: results come in another order."""
    kwargs = {name: value for name, value in configuration.kwargs.items() if name != "batch_id"}
    return configuration.type, repr(sorted(kwargs.items()))


failed = [] if all(kinds[column] in TYPES[kind] for column, kind in suite.TYPES.items()) else ["types"]
failed += [] if matches[0][0] else ["pattern"]
names = {key(item.configuration): name for name, item in asks.items()}
for item in result.results:
    if "'raised_exception': True" in str(item.exception_info):
        raise SystemExit(str(item.exception_info))
    if not item.success:
        failed.append(names[key(item.expectation_config)])
answer(failed)
