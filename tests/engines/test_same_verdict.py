"""The same policy file on DuckDB and on Spark gives the same verdict, byte for byte."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from postgres_server import PASSWORD

from mlci.edges.policy_file import load_policy
from mlci.flows.report_data import check_and_report

REPOSITORY = Path(__file__).parents[2]
# Answers come to Python through sockets that pyspark leaves to the garbage collector.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


BROKEN = {
    "fresh": {"column": "scheduled", "within": "30d", "as_of": "2013-09-01"},
    "unique": [["carrier", "dest"]],
    "conflicts": {"label": "disrupted", "features": ["carrier", "dest", "distance"]},
    "columns": {
        "distance": {"range": [100, 2000], "mean": [0, 10], "std": [0, 1], "sum": [0, 1]},
        "temp": {"median": [-20, 0], "mean": [0, 1], "missing": "0%", "by": ["origin"]},
        "humid": {"quantiles": {0.9: [0, 10]}},
        "carrier": {"allowed": ["AA", "UA"], "pattern": "[A-Z]{2}", "by": "origin"},
        "dest": {"share": {"ATL": "<= 1%"}, "length": 2, "where": "carrier <> 'UA' AND distance / 2 > 100"},
        "scheduled": {"range": ["2013-01-10", "2013-02-10T12:00"]},
    },
    "rules": {
        "short": "scheduled_arrival <= scheduled + INTERVAL 2 HOUR OR origin LIKE 'E%'",
        "early": {"sql": "extract(hour FROM scheduled) BETWEEN 6 AND 12", "nulls": False},
    },
}
"""Promises that the flights break, so that what is said and shown of broken ones is compared too."""


def verdict(root, engine, data=None):
    params = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    if data is not None:
        params["mlci"] = {"data": data}
    params["mlci"]["engine"] = engine
    (root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    report, found = check_and_report(root, load_policy(root, "params.yaml"), explain=True)
    return (root / "reports" / "data.json").read_bytes(), report, found


@pytest.mark.usefixtures("spark")
def test_the_flights_have_the_same_verdict_on_both(flights):
    duck, report, _ = verdict(flights, "duckdb")
    spark, _, found = verdict(flights, "spark")
    assert len(report.verdict.findings) > 60
    assert len(report.charts.drift) > 10
    assert spark == duck
    assert "-- Spark" in found.explain


def test_the_test_table_has_the_same_findings_in_a_warehouse(flights, postgres, monkeypatch):
    import pandas as pd  # noqa: PLC0415 - slow to load
    import psycopg  # noqa: PLC0415

    url = postgres.new_database()
    frame = pd.read_parquet(flights / "data" / "test.parquet")
    kinds = {"int64": "bigint", "float64": "float8", "datetime64[us]": "timestamp", "str": "text", "object": "text"}
    columns = ", ".join(f'"{name}" {kinds[str(kind)]}' for name, kind in frame.dtypes.items())
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        connection.execute(f"CREATE TABLE flights ({columns})")
        with cursor.copy("COPY flights FROM STDIN") as copy:
            for row in frame.itertuples(index=False):
                copy.write_row([None if value != value else value for value in row])  # noqa: PLR0124 - NaN
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    drift = {"reference": "data/train.parquet", "level": "info"}
    promises = {**BROKEN, "drift": drift, "rows": 1}
    _, report, _ = verdict(flights, "duckdb", {"t": {"path": "data/test.parquet", **promises}})
    engine = {"name": "warehouse", "url": re.sub(":[^:/@]*@", "@", url, count=1)}
    _, other, found = verdict(flights, engine, {"t": {"path": "flights", **promises}})
    assert "-- drift" in found.explain
    assert other.charts.drift == report.charts.drift
    for one, two in zip(report.verdict.findings, other.verdict.findings, strict=True):
        assert one.message == two.message
        # A table of a database has no order, so other rows may be its first ones.
        assert one.data.model_copy(update={"examples": None}) == two.data.model_copy(update={"examples": None})


@pytest.mark.usefixtures("spark")
def test_broken_promises_read_the_same_on_both(flights):
    data = {"flights": {"path": "data/flights.parquet", **BROKEN}}
    duck, report, _ = verdict(flights, "duckdb", data)
    spark, other, _ = verdict(flights, "spark", data)
    failed = [finding for finding in report.verdict.findings if finding.outcome == "fail"]
    assert len(failed) > 15
    assert any(finding.data.examples for finding in failed)
    for one, two in zip(report.verdict.findings, other.verdict.findings, strict=True):
        assert one == two
    assert spark == duck
