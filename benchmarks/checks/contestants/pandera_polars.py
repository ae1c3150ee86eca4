"""Pandera's schema on a lazy Polars frame, schema and data."""

from __future__ import annotations

import datetime as dt
import os

os.environ["PANDERA_VALIDATION_DEPTH"] = "SCHEMA_AND_DATA"

import pandera.polars as pa
import polars as pl
import suite
from _common import answer, asked

path, rows = asked()
IS_CSV = path.endswith(".csv")
SHORT = pl.Int64 if IS_CSV else pl.Int32
TYPES = {
    "id": pl.Int64,
    "account": pl.Int64,
    "amount": pl.Float64,
    "score": pl.Float64,
    "quantity": SHORT,
    "age": SHORT,
    "country": pl.String,
    "status": pl.String,
    "code": pl.String,
    "created": pl.Datetime("us"),
    "shipped": pl.Datetime("us"),
    "active": pl.Boolean,
}


def table_check(name: str, expression: pl.Expr) -> pa.Check:
    """A check of one number of the whole table."""
    return pa.Check(lambda data: data.lazyframe.select(expression), name=name)


def between(low: float, high: float, expression: pl.Expr) -> pl.Expr:
    """Whether the expression lies in the closed range."""
    return (expression >= low) & (expression <= high)


def named(item: pa.errors.SchemaError) -> str:
    """The suite's name of what Pandera found."""
    match str(item.reason_code).rpartition(".")[2]:
        case "SERIES_CONTAINS_NULLS":
            return f"missing {item.schema.name}"
        case "SERIES_CONTAINS_DUPLICATES":
            return "unique"
        case "WRONG_DATATYPE":
            return "types"
        case _:
            return item.check.name


columns = {}
for column, share in suite.MISSING.items():
    checks = []
    if column in suite.RANGES:
        checks.append(pa.Check.in_range(*suite.RANGES[column], name=f"range {column}"))
    if column in suite.ALLOWED:
        checks.append(pa.Check.isin(suite.ALLOWED[column], name=f"allowed {column}"))
    if column == suite.PATTERN[0]:
        checks.append(pa.Check.str_matches(f"^{suite.PATTERN[1]}$", name="pattern"))
    columns[column] = pa.Column(TYPES[column], checks, nullable=share > 0, unique=column == suite.UNIQUE)

(mean, *mean_bound), (median, *median_bound), (p95, *p95_bound) = suite.MEAN, suite.MEDIAN, suite.P95
fresh, at, days = suite.FRESH
since = dt.datetime.fromisoformat(at) - dt.timedelta(days=days)
schema = pa.DataFrameSchema(
    columns,
    checks=[
        table_check("rule", pl.col("shipped") >= pl.col("created")),
        table_check("mean", between(*mean_bound, pl.col(mean).mean())),
        table_check("median", between(*median_bound, pl.col(median).median())),
        table_check("p95", between(*p95_bound, pl.col(p95).quantile(0.95, "linear"))),
        table_check("rows", pl.len() <= rows),
        table_check("fresh", pl.col(fresh).max() >= since),
        *(
            table_check(f"missing {column}", pl.col(column).null_count() <= pl.len() * share)
            for column, share in suite.MISSING.items()
            if share
        ),
    ],
)
try:
    frame = pl.scan_csv(path, try_parse_dates=True) if IS_CSV else pl.scan_parquet(path)
    schema.validate(frame, lazy=True).collect()
    failed = []
except pa.errors.SchemaErrors as error:
    failed = [named(item) for item in error.schema_errors]
answer(failed)
