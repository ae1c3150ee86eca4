"""Drift is judged by lower bounds: no alarm from many rows, none from few, and one where the data has moved."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from mlci.errors import WorldError
from mlci.flows.data_reference import reference_statistics, store_reference
from mlci.judge.drift import ks_margin, noncentrality, psi_lower
from mlci.measure.data.bins import edges_of, lost
from mlci.measure.data.drift import numeric_shift
from mlci.nouns.engine import Engine
from mlci.nouns.reference import NumericReference

DRIFT = {"drift": {"reference": "ref.parquet"}}


def reference(values):
    values = np.sort(values)
    edges = edges_of(values)
    counts = np.diff(np.searchsorted(values, edges, side="right"), prepend=0, append=len(values))
    return NumericReference(
        rows=len(values),
        missing=0,
        edges=tuple(edges),
        counts=tuple(int(count) for count in counts),
        error=lost(edges, counts),
        mean=values.mean(),
        std=values.std(),
    )


def shift(then, now):
    return shift_from(reference(then), now)


def shift_from(kept, now):
    counts = np.diff(np.searchsorted(np.sort(now), kept.edges, side="right"), prepend=0, append=len(now))
    return numeric_shift(kept, counts)


SHAPES = {
    "normal": lambda rng, n: rng.normal(size=n),
    "heavy tail": lambda rng, n: rng.standard_t(1.5, size=n),
    "lognormal": lambda rng, n: rng.lognormal(0, 2, size=n),
    "few values": lambda rng, n: rng.integers(0, 5, size=n).astype(float),
    "mostly zero": lambda rng, n: np.where(rng.random(n) < 0.7, 0.0, rng.exponential(size=n)),
    "constant": lambda _, n: np.full(n, 3.0),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [1, 17, 1999, 2000, 50_000])
def test_the_distance_from_bins_is_that_of_all_values_within_its_error(shape, n):
    rng = np.random.default_rng(n)
    then = SHAPES[shape](rng, n)
    kept = reference(then)
    assert kept.error <= (5e-4 + 1e-12 if n >= 2000 else 0)
    assert sum(kept.counts) == n
    assert len(kept.edges) < 4_100
    for now in (SHAPES[shape](rng, 3000), then + 0.3, then * 1.5, then[:1]):
        both = np.sort(np.concatenate([then, now]))
        sides = [np.searchsorted(np.sort(values), both, side="right") / len(values) for values in (then, now)]
        exact = np.abs(sides[0] - sides[1]).max()
        assert exact - kept.error - 1e-9 <= shift(then, now).ks <= exact + 1e-9


@pytest.mark.parametrize("shape", ["normal", "heavy tail", "lognormal"])
def test_wasserstein_s_distance_keeps_the_tails(shape):
    rng = np.random.default_rng(3)
    then = SHAPES[shape](rng, 20_000)
    for now in (then + 0.5 * then.std(), then * 2):
        exact = stats.wasserstein_distance(then, now) / then.std()
        assert shift(then, now).w1 == pytest.approx(exact, rel=0.05)


def test_the_lower_bound_of_psi_inverts_the_noncentral_chi_square():
    for freedom in (1, 5, 99):
        for true in (0.5, 10.0, 500.0, 5000.0, 50_000.0):
            seen = stats.ncx2.ppf(0.95, freedom, true)
            assert noncentrality(seen, freedom, 0.95) == pytest.approx(true, rel=2e-3)
    assert noncentrality(3.0, 5, 0.95) == 0
    assert psi_lower(0.3, 1, 100, 100, 0.05) == 0
    assert psi_lower(0.3, 10, 10**6, 10**6, 0.05) == pytest.approx(0.3, rel=0.02)
    assert ks_margin(500, 10**6, 0.05) == pytest.approx(0.0677, abs=1e-4)


def normal(project, name, n, mean):
    project.write(
        f"SELECT {mean} + sqrt(-2 * ln(1 - hash(range, '{name}') / 18446744073709551616.0))"
        f" * cos(2 * pi() * (hash(range, '{name}', 1) / 18446744073709551616.0)) AS x FROM range({n})",
        name,
    )


def test_a_tiny_shift_of_a_million_rows_is_no_drift(project):
    normal(project, "ref.parquet", 1_000_000, 0)
    normal(project, "t.parquet", 1_000_000, 0.01)
    result = project.check(DRIFT)
    (bar,) = result.drift
    assert result.findings[-1].outcome == "pass"
    assert bar.value == pytest.approx(0.0044, abs=0.0015)


@pytest.mark.slow
@pytest.mark.statistics
def test_half_a_standard_deviation_is_seen_with_500_rows():
    rng = np.random.default_rng(5)
    then = rng.normal(size=200_000)
    kept = reference(then)
    alarms = sum(
        shift_from(kept, rng.normal(0.5, 1, size=500)).ks - ks_margin(500, len(then), 0.05) > 0.1 for _ in range(500)
    )
    assert alarms >= 400


@pytest.mark.slow
@pytest.mark.statistics
def test_no_alarm_without_a_shift_and_noise_in_a_raw_distance():
    rng = np.random.default_rng(6)
    raw, alarms = [], 0
    for _ in range(1000):
        moved = shift(rng.normal(size=500), rng.normal(size=500))
        raw.append(moved.w1)
        alarms += moved.ks - ks_margin(500, 500, 0.05) > 0
    assert alarms <= 50
    assert np.median(raw) == pytest.approx(0.08, abs=0.015)


@pytest.mark.slow
@pytest.mark.statistics
def test_psi_s_lower_bound_holds_19_times_in_20():
    rng = np.random.default_rng(7)
    p, q = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.3, 0.3, 0.25, 0.15])
    true = float(np.sum((q - p) * np.log(q / p)))
    above = 0
    for _ in range(2000):
        then, now = rng.multinomial(2000, p) / 2000, rng.multinomial(1000, q) / 1000
        psi = float(np.sum((now - then) * np.log(now / then)))
        above += psi_lower(psi, 4, 1000, 2000, 0.05) > true
    assert above <= 2000 * 0.06


def test_drift_of_every_kind_of_column(project):
    select = (
        "SELECT range AS id, (range % 100 + {more})::{kind} AS n, ['a', 'b', 'c', '{new}'][1 + range % 4] AS c,"
        " range % 10 < {true} AS b, TIMESTAMP '2025-01-01' + to_days(range::INT + {more}) AS d,"
        " md5(range::VARCHAR) AS s,"
        " CASE WHEN range % 2 = 0 THEN range END AS h FROM range(20000)"
    )
    project.write(select.format(more=0, kind="DECIMAL(9,2)", new="d", true=2), "ref.parquet")
    project.write(select.format(more=30, kind="DOUBLE", new="z", true=8))
    model = {"name": "m", "label": "b", "id": "id"}
    result = project.check(DRIFT, model=model)
    found = {f.check.removeprefix("data.t.drift."): f for f in result.findings[1:]}
    assert {name: f.outcome for name, f in found.items()} == {"n": "fail", "c": "fail", "b": "fail", "h": "pass"}
    assert [(bar.column, bar.measure) for bar in result.drift] == [("n", "ks"), ("c", "psi"), ("b", "psi"), ("h", "ks")]
    assert "`n` has drifted: KS distance 0.3, at least 0.27" in found["n"].message
    assert "standard deviations" in found["n"].message
    assert found["n"].mend
    named = {"drift": {"reference": "ref.parquet", "columns": ["d", "s", "nope"], "level": "warn"}}
    outcomes = {f.check.rsplit(".", 1)[-1]: (f.outcome, f.level) for f in project.check(named).findings[1:]}
    assert outcomes == {"d": ("pass", "warn"), "s": ("pass", "warn"), "nope": ("not_measured", "warn")}


def test_missing_categories_are_a_category(project):
    project.write("SELECT CASE WHEN range % 10 > 0 THEN 'a' END AS x FROM range(1000)", "ref.parquet")
    project.write("SELECT CASE WHEN range % 10 > 5 THEN 'a' END AS x FROM range(1000)")
    assert project.find(DRIFT, "drift.x").outcome == "fail"


def test_a_column_of_another_kind_is_not_compared(project):
    project.values("(1), (2)", name="ref.parquet")
    project.values("('a'), ('b')")
    finding = project.find(DRIFT, "drift.x")
    assert finding.outcome == "not_measured"
    assert "VARCHAR here and numeric in the reference" in finding.message


def test_nothing_to_compare_does_not_pass(project):
    project.values("(1)", name="ref.parquet")
    project.values("(1)", "y")
    assert project.find(DRIFT, "drift").outcome == "not_measured"
    assert project.find({"drift": {"reference": "ref.parquet", "by": ["y"]}}, "drift").outcome == "not_measured"


def test_only_the_rows_of_where_are_compared(project):
    project.write("SELECT range % 10 AS x FROM range(5000)", "ref.parquet")
    project.write("SELECT range % 20 AS x FROM range(5000)")
    assert project.find(DRIFT, "drift.x").outcome == "fail"
    assert project.find({"drift": {**DRIFT["drift"], "where": "x < 10"}}, "drift.x").outcome == "pass"


def test_stored_statistics_serve_as_the_reference(project):
    project.write("SELECT range % 10 AS x, 'a' AS c FROM range(5000)", "ref.parquet")
    project.write("SELECT range % 10 AS x, 'b' AS c FROM range(5000)")
    stored = store_reference(project.root, "ref.parquet", project.root / "ref.json")
    assert json.loads((project.root / "ref.json").read_text())["source"] == "ref.parquet"
    (project.root / "ref.parquet").unlink()
    table = {"columns": {"c": {"new": "0%"}}, "drift": {"reference": "ref.json"}}
    outcomes = {f.check: f.outcome for f in project.check(table).findings[1:]}
    assert outcomes == {"data.t.c.new": "fail", "data.t.drift.x": "pass", "data.t.drift.c": "fail"}
    assert reference_statistics(project.root, "ref.json", Engine()) == stored


def test_a_table_s_statistics_are_computed_once(project):
    project.values("(1), (2)", name="ref.parquet")
    first = reference_statistics(project.root, "ref.parquet", Engine())
    (kept,) = (project.root / ".cache/mlci").iterdir()
    kept.write_text(kept.read_text().replace('"rows":2', '"rows":7'), encoding="utf-8")
    assert reference_statistics(project.root, "ref.parquet", Engine()).rows == 7
    project.values("(1), (2), (3)", name="ref.parquet")
    assert reference_statistics(project.root, "ref.parquet", Engine()).rows == 3
    kept.write_text("no statistics", encoding="utf-8")
    project.values("(1), (2)", name="ref.parquet")
    assert reference_statistics(project.root, "ref.parquet", Engine()) == first


@pytest.mark.parametrize("content", [None, "", "[]", '{"schema_version": 2}'])
def test_a_broken_reference_is_said(project, content):
    project.values("(1)")
    if content is not None:
        (project.root / "ref.json").write_text(content, encoding="utf-8")
    with pytest.raises(WorldError, match=r"ref\.json"):
        project.check({"drift": {"reference": "ref.json"}})


def test_a_sampled_reference_counts_all_rows(project, monkeypatch):
    monkeypatch.setattr("mlci.flows.data_reference._BYTES_A_VALUE", 4_000)
    project.write("SELECT (hash(range) % 1000000)::DOUBLE AS x FROM range(300_000)", "ref.parquet")
    statistics = reference_statistics(project.root, "ref.parquet", Engine()).columns["x"]
    assert sum(statistics.counts) == statistics.rows == 300_000
    assert statistics.error < 1.5e-3
