"""Polars as somebody who knows it would write the suite: one lazy query on the streaming engine."""

from __future__ import annotations

import datetime as dt

import polars as pl
import suite
from _common import answer, asked

path, rows = asked()
frame = pl.scan_csv(path, try_parse_dates=True) if path.endswith(".csv") else pl.scan_parquet(path)
KINDS = {
    pl.Int64: "integer",
    pl.Int32: "integer",
    pl.Float64: "float",
    pl.String: "string",
    pl.Boolean: "boolean",
}


def kind(dtype: pl.DataType) -> str | None:
    """The suite's name of a Polars type."""
    return "timestamp" if isinstance(dtype, pl.Datetime) else KINDS.get(type(dtype))


asks = {f"missing {column}": pl.col(column).null_count() for column in suite.MISSING}
asks |= {f"range {column}": (~pl.col(column).is_between(*ends)).sum() for column, ends in suite.RANGES.items()}
asks |= {f"allowed {column}": (~pl.col(column).is_in(values)).sum() for column, values in suite.ALLOWED.items()}
asks["unique"] = pl.col(suite.UNIQUE).count() - pl.col(suite.UNIQUE).drop_nulls().n_unique()
asks["pattern"] = (~pl.col(suite.PATTERN[0]).str.contains(f"^{suite.PATTERN[1]}$")).sum()
asks["mean"] = pl.col(suite.MEAN[0]).mean()
asks["median"] = pl.col(suite.MEDIAN[0]).median()
asks["p95"] = pl.col(suite.P95[0]).quantile(0.95, "linear")
asks["rows"] = pl.len()
asks["fresh"] = pl.col(suite.FRESH[0]).max()
asks["rule"] = (pl.col("shipped") < pl.col("created")).sum()
seen = frame.select(**asks).collect(engine="streaming").row(0, named=True)

schema = {name: kind(dtype) for name, dtype in frame.collect_schema().items()}
failed = [] if schema == suite.TYPES else ["types"]
for name, value in seen.items():
    match name.split()[0]:
        case "missing":
            holds = value <= suite.MISSING[name.split()[1]] * seen["rows"]
        case "mean" | "median" | "p95":
            _, low, high = {"mean": suite.MEAN, "median": suite.MEDIAN, "p95": suite.P95}[name]
            holds = low <= value <= high
        case "rows":
            holds = value <= rows
        case "fresh":
            holds = value >= dt.datetime.fromisoformat(suite.FRESH[1]) - dt.timedelta(days=suite.FRESH[2])
        case _:
            holds = value == 0
    if not holds:
        failed.append(name)
answer(failed)
