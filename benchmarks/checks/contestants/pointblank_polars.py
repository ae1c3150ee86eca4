"""Pointblank on a Polars frame in memory, as its guide writes it: one step a check."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pointblank as pb
import polars as pl
import suite
from _common import answer, asked

if TYPE_CHECKING:
    from collections.abc import Callable

path, rows = asked()
frame = pl.read_csv(path, try_parse_dates=True) if path.endswith(".csv") else pl.read_parquet(path)
KINDS = {"integer": ["Int64", "Int32"], "float": "Float64", "string": "String", "boolean": "Boolean"}


def kind(name: str) -> str | list[str]:
    """Pointblank's names of a type."""
    found = [str(dtype) for dtype in frame.dtypes if isinstance(dtype, pl.Datetime)]
    return sorted(set(found)) if name == "timestamp" else KINDS[name]


def between(value: Callable[[pl.DataFrame], float], low: float, high: float) -> Callable[[pl.DataFrame], bool]:
    """A step of its own for a number of the whole table."""
    return lambda table: low <= value(table) <= high


plan, names = pb.Validate(data=frame), list[str]()
for column, share in suite.MISSING.items():
    # A threshold is the share of rows from which a step is in error: just above what may be missing.
    plan = plan.col_vals_not_null(columns=column, thresholds=pb.Thresholds(error=share + 1e-9))
    names.append(f"missing {column}")
for column, (low, high) in suite.RANGES.items():
    plan = plan.col_vals_between(columns=column, left=low, right=high, na_pass=True)
    names.append(f"range {column}")
for column, values in suite.ALLOWED.items():
    plan = plan.col_vals_in_set(columns=column, set=[*values, None])
    names.append(f"allowed {column}")
plan = plan.rows_distinct(columns_subset=suite.UNIQUE, pre=lambda table: table.drop_nulls(suite.UNIQUE))
plan = plan.col_vals_regex(columns=suite.PATTERN[0], pattern=f"^{suite.PATTERN[1]}$", na_pass=True)
plan = plan.col_vals_expr(expr=(pl.col("shipped") >= pl.col("created")).fill_null(value=True))
plan = plan.col_schema_match(
    schema=pb.Schema(columns=[(column, kind(name)) for column, name in suite.TYPES.items()]), full_match_dtypes=True
)
plan = plan.specially(expr=lambda table: table.height <= rows)
column, at, days = suite.FRESH
limit = dt.datetime.fromisoformat(at) - dt.timedelta(days=days)
plan = plan.specially(expr=lambda table: table[suite.FRESH[0]].max() >= limit)
plan = plan.specially(expr=between(lambda table: table[suite.MEAN[0]].mean(), *suite.MEAN[1:]))
plan = plan.specially(expr=between(lambda table: table[suite.MEDIAN[0]].median(), *suite.MEDIAN[1:]))
plan = plan.specially(expr=between(lambda table: table[suite.P95[0]].quantile(0.95, "linear"), *suite.P95[1:]))
names += ["unique", "pattern", "rule", "types", "rows", "fresh", "mean", "median", "p95"]
done = plan.interrogate(collect_extracts=False)
answer(
    [
        name
        for name, step in zip(names, done.validation_info, strict=True)
        if (step.error if name.startswith("missing") else not step.all_passed)
    ]
)
