"""Drift counts a warehouse's values between the edges of a reference as plain Python does."""

from __future__ import annotations

import bisect
from collections import Counter

import pytest
from mariadb_server import PASSWORD

from mlci.edges.warehouse.connect import warehouse
from mlci.edges.warehouse.table import open_in_warehouse
from mlci.measure.data.drift_bins import binned_values
from mlci.nouns.engine import Engine
from mlci.nouns.reference import NumericReference

EDGES = tuple(at / 7 - 100 for at in range(1_400))
VALUES = [EDGES[0], EDGES[-1], -1e9, 1e9, None, *EDGES[::97], *(at * 0.37 - 150 for at in range(800))]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mariadb", "duckdb"])
def test_values_are_counted_between_two_thousand_edges(name, request, tmp_path, monkeypatch):
    rows = ", ".join(f"({'NULL' if value is None else repr(float(value)) + 'e0'})" for value in VALUES)
    rows = rows.replace("e+", "e").replace("000000.0e0", "000000.0")
    if name == "mariadb":
        monkeypatch.setenv("MLCI_WAREHOUSE_PASSWORD", PASSWORD)
        engine = Engine(name="warehouse", url=request.getfixturevalue("mariadb").url)
    else:
        engine = Engine(name="warehouse", url=f"duckdb://{tmp_path}/x.db")
    with warehouse(engine) as connection:
        for sql in ("DROP TABLE IF EXISTS bins", "CREATE TABLE bins (v DOUBLE)", f"INSERT INTO bins VALUES {rows}"):
            with connection.asked(sql):
                pass
        table = open_in_warehouse(connection, "bins")
        counts = (0,) * (len(EDGES) + 1)
        known = NumericReference(rows=1, missing=0, edges=EDGES, counts=counts, error=0, mean=0, std=0)
        ((found, missing),) = table.binned(*binned_values({"v": known}, table.schema, ""))
    edges = (*EDGES, float("inf"))
    assert found == Counter(edges[bisect.bisect_left(EDGES, value)] for value in VALUES if value is not None)
    assert missing == 1
