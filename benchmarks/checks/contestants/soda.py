"""Soda 4: one contract on a DuckDB view of the file."""

from __future__ import annotations

import json
import os

os.environ["SODA_CORE_TELEMETRY_ENABLED"] = "false"

import duckdb
import suite
from _common import answer, asked
from soda_core.common.yaml import ContractYamlSource
from soda_core.contracts.contract_verification import CheckOutcome, ContractVerificationSession
from soda_duckdb.common.data_sources.duckdb_data_source import DuckDBDataSourceImpl

path, rows = asked()
TYPES = {"integer": "bigint", "float": "double", "string": "varchar", "timestamp": "timestamp", "boolean": "boolean"}


def column_checks(column: str) -> list[dict]:
    """Soda's checks of one column."""
    share = suite.MISSING[column]
    checks: list[dict] = [
        {
            "missing": {
                "name": f"missing {column}",
                "threshold": {"metric": "percent", "must_be_less_than_or_equal": 100 * share},
            }
        }
    ]
    invalid = {}
    if column in suite.RANGES:
        low, high = suite.RANGES[column]
        invalid = {"name": f"range {column}", "valid_min": low, "valid_max": high}
    if column in suite.ALLOWED:
        invalid = {"name": f"allowed {column}", "valid_values": list(suite.ALLOWED[column])}
    if column == suite.PATTERN[0]:
        invalid = {"name": "pattern", "valid_format": {"name": "code", "regex": f"^{suite.PATTERN[1]}$"}}
    if invalid:
        checks.append({"invalid": invalid})
    if column == suite.UNIQUE:
        checks.append({"duplicate": {"name": "unique"}})
    if column == suite.MEAN[0]:
        checks.append(
            {"aggregate": {"name": "mean", "function": "avg", "threshold": {"must_be_between": bound(*suite.MEAN[1:])}}}
        )
    return checks


def bound(low: float, high: float) -> dict[str, float]:
    """Soda's closed range."""
    return {"greater_than_or_equal": low, "less_than_or_equal": high}


def quantile(name: str, column: str, share: float, low: float, high: float) -> dict:
    """Soda has no quantile of its own: a metric with an expression."""
    expression = f"quantile_cont({column}, {share})"
    return {
        "metric": {
            "name": name,
            "qualifier": name,
            "expression": expression,
            "threshold": {"must_be_between": bound(low, high)},
        }
    }


fresh, at, days = suite.FRESH
kinds = {column: TYPES[kind] for column, kind in suite.TYPES.items()}
if not path.endswith(".csv"):
    kinds |= {"quantity": "integer", "age": "integer"}
contract = {
    "dataset": "bench/main/events",
    "variables": {"NOW": {"default": at.replace(" ", "T") + "+00:00"}},
    "columns": [{"name": column, "data_type": kind, "checks": column_checks(column)} for column, kind in kinds.items()],
    "checks": [
        {"schema": {"name": "types"}},
        {"row_count": {"name": "rows", "threshold": {"must_be_less_than_or_equal": rows}}},
        {
            "freshness": {
                "name": "fresh",
                "column": fresh,
                "now_variable": "NOW",
                "threshold": {"unit": "day", "must_be_less_than_or_equal": days},
            }
        },
        {"failed_rows": {"name": "rule", "expression": f"NOT ({suite.RULE})"}},
        quantile("median", suite.MEDIAN[0], 0.5, *suite.MEDIAN[1:]),
        quantile("p95", suite.P95[0], 0.95, *suite.P95[1:]),
    ],
}
with duckdb.connect() as connection:
    connection.execute("SET threads = 2")
    connection.execute(f"CREATE VIEW events AS SELECT * FROM '{path}'")
    result = ContractVerificationSession.execute(
        contract_yaml_sources=[ContractYamlSource.from_str(json.dumps(contract))],
        data_source_impls=[DuckDBDataSourceImpl.from_existing_cursor(connection, "bench")],
    )
if result.has_errors:
    raise SystemExit(result.get_errors_str())
checks = result.contract_verification_results[0].check_results
answer([check.check.name for check in checks if check.outcome != CheckOutcome.PASSED])
