"""Evidently: one report with a test for each check, on pandas."""

from __future__ import annotations

import os
import re

os.environ["DO_NOT_TRACK"] = "1"

import pandas as pd
import suite
from _common import answer, asked
from evidently import DataDefinition, Dataset, Report
from evidently import metrics as m
from evidently.tests import gte, lte

path, rows = asked()
KINDS = {
    "integer": pd.api.types.is_integer_dtype,
    "float": pd.api.types.is_float_dtype,
    "string": pd.api.types.is_string_dtype,
    "timestamp": pd.api.types.is_datetime64_any_dtype,
    "boolean": pd.api.types.is_bool_dtype,
}

IS_CSV = path.endswith(".csv")
DATES = {"parse_dates": ["created", "shipped"], "date_format": "ISO8601"}
frame = pd.read_csv(path, **DATES) if IS_CSV else pd.read_parquet(path)
typed = all(KINDS[kind](frame[column]) for column, kind in suite.TYPES.items())
fresh, at, days = suite.FRESH
is_fresh = frame[fresh].max() >= pd.Timestamp(at) - pd.Timedelta(days=days)
# Evidently has no check of two columns, of a pattern, of uniqueness or of time: made by hand, as its users do.
by_hand = {
    "types": typed,
    "fresh": is_fresh,
    "rule": not (frame["shipped"] < frame["created"]).any(),
    "unique": not frame[suite.UNIQUE].dropna().duplicated().any(),
    "pattern": bool(frame[suite.PATTERN[0]].dropna().str.fullmatch(suite.PATTERN[1]).all()),
}
asks = {
    f"missing {column}": m.MissingValueCount(column=column, share_tests=[lte(share)])
    for column, share in suite.MISSING.items()
}
for column, (low, high) in suite.RANGES.items():
    asks[f"range {column}"] = m.OutRangeValueCount(column=column, left=low, right=high, tests=[lte(0)])
for column, values in suite.ALLOWED.items():
    asks[f"allowed {column}"] = m.OutListValueCount(column=column, values=list(values), tests=[lte(0)])
asks["mean"] = m.MeanValue(column=suite.MEAN[0], tests=[gte(suite.MEAN[1]), lte(suite.MEAN[2])])
for name, share, (column, low, high) in (("median", 0.5, suite.MEDIAN), ("p95", 0.95, suite.P95)):
    asks[name] = m.QuantileValue(column=column, quantile=share, tests=[gte(low), lte(high)])
asks["rows"] = m.RowCount(tests=[lte(rows)])

definition = DataDefinition(
    id_column=None,
    numerical_columns=[column for column, kind in suite.TYPES.items() if kind in {"integer", "float"}],
    categorical_columns=[column for column, kind in suite.TYPES.items() if kind in {"string", "boolean"}],
    datetime_columns=[column for column, kind in suite.TYPES.items() if kind == "timestamp"],
)
snapshot = Report(list(asks.values())).run(Dataset.from_pandas(frame, data_definition=definition), None)
failed = {name for name, holds in by_hand.items() if not holds}
LINES = (
    (r"Column '(.*)' missing values", "missing {}"),
    (r"Column '(.*)' values out of range", "range {}"),
    (r"Column '(.*)' values out of list", "allowed {}"),
    (r"Mean value", "mean"),
    (r"Quantile 0.5 ", "median"),
    (r"Quantile 0.95 ", "p95"),
    (r"Row count", "rows"),
)
for test in snapshot.tests_results:
    if str(test.status.value) != "SUCCESS":
        found = next((match, name) for pattern, name in LINES if (match := re.match(pattern, test.name)))
        failed.add(found[1].format(*found[0].groups()))
answer(list(failed))
