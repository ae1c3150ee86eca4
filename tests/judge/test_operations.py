"""What is promised after the merge: each way to weaken it is listed by its key, and nothing else is called weaker."""

from __future__ import annotations

import pytest

from mlci.edges.policy_file import parse_policy
from mlci.judge.loosened import policy_changes

HEAD = """\
mlci:
  model: {name: m, label: y, id: id, path: m.onnx}
  gate: {metrics: {accuracy: {drop: 0.01}}}
"""
RELEASE = "{stages: {dev: {}, prod: {soak: 24h, health: ./well}}}"
MONITOR = (
    "{log: 'sqlite:///log.db', alpha: 0.05, metrics: {accuracy: {tolerance: 1pt}}, stale: {model: 180d},"
    " software: {rows: '>= 100', errors: 1%}, labels: {coverage: 50%}, webhook: HOOK}"
)
RETRAIN = (
    "{data: {parameter: data.until, lag: 3d}, when: {every: 30d, labels: 500}, least_labels: 100, holdout: h.parquet}"
)
ENGINE = "{name: warehouse, url: 'postgresql://host/one'}"
SECTIONS = {"release": RELEASE, "monitor": MONITOR, "retrain": RETRAIN, "engine": ENGINE}


def changes(section, old, new):
    def read(text):
        return parse_policy(f"{HEAD}  {section}: {text}\n" if text else HEAD, "params.yaml").policy

    found = policy_changes(read(SECTIONS[section]), read(SECTIONS[section].replace(old, new) if old else new))
    return [(change.kind, str(change)) for change in found]


@pytest.mark.parametrize(
    ("section", "old", "new", "told"),
    [
        ("release", "soak: 24h", "soak: 1h", "`release.stages.prod.soak` 1d → 1h"),
        ("release", ", health: ./well", "", "`release.stages.prod.health` ./well → none"),
        ("release", "dev: {}, ", "", "`release.stages` dev, prod → prod"),
        ("release", "dev: {}, prod: {soak: 24h, health: ./well}", "prod: {soak: 24h, health: ./well}, dev: {}",
         "`release.stages` dev, prod → prod, dev"),
        ("release", "}}}", "}}, inconclusive: accept}", "`release.inconclusive` refuse → accept"),
        ("release", "", "", "`release` removed (was present)"),
        ("monitor", "alpha: 0.05", "alpha: 0.001", "`monitor.alpha` 0.05 → 0.001"),
        ("monitor", "1pt", "20pt", "`monitor.metrics.accuracy.tolerance` 0.01 → 0.2"),
        ("monitor", "1pt}", "1pt, level: info}", "`monitor.metrics.accuracy.level` block → info"),
        ("monitor", "accuracy:", "brier:", "`monitor.metrics` accuracy → brier"),
        ("monitor", "alpha: 0.05", "calibration: null", "`monitor.calibration` block → none"),
        ("monitor", "alpha: 0.05", "drift: {score: info}", "`monitor.drift.score` warn → info"),
        ("monitor", "alpha: 0.05", "drift: {columns: [one]}", "`monitor.drift.columns` none → one"),
        ("monitor", "alpha: 0.05", "data_level: info", "`monitor.data_level` warn → info"),
        ("monitor", "180d", "900d", "`monitor.stale.model` 180d → 900d"),
        ("monitor", "stale: {model: 180d},", "", "`monitor.stale.model` 180d → none"),
        ("monitor", ">= 100", ">= 1", "`monitor.software.rows` >= 100 → >= 1"),
        ("monitor", "rows: '>= 100', ", "", "`monitor.software.rows` >= 100 → none"),
        ("monitor", "errors: 1%", "errors: 99%", "`monitor.software.errors` 0.01 → 0.99"),
        ("monitor", "coverage: 50%", "coverage: 0%", "`monitor.labels.coverage` 0.5 → 0.0"),
        ("monitor", ", webhook: HOOK", "", "`monitor.webhook` HOOK → none"),
        ("monitor", "", "", "`monitor` removed (was present)"),
        ("retrain", "lag: 3d", "lag: 0d", "`retrain.data.lag` 3d → 0s"),
        ("retrain", "every: 30d", "every: 300d", "`retrain.when.every` 30d → 300d"),
        ("retrain", "labels: 500", "alarms: []", "`retrain.when.alarms` performance, calibration → none"),
        ("retrain", "least_labels: 100", "least_labels: 1", "`retrain.least_labels` 100 → 1"),
        ("retrain", "least_labels: 100", "cooldown: 1h", "`retrain.cooldown` 7d → 1h"),
        ("retrain", ", holdout: h.parquet", "", "`retrain.holdout` h.parquet → none"),
        ("retrain", "least_labels: 100", "pull: {merge: pass}", "`retrain.pull.merge` never → pass"),
    ],
)  # fmt: skip
def test_what_is_loosened_is_listed_by_its_key(section, old, new, told):
    assert ("loosened", told) in changes(section, old, new)


@pytest.mark.parametrize(
    ("section", "old", "new", "kinds"),
    [
        ("release", "soak: 24h", "soak: 48h", {"tightened"}),
        ("release", "}}}", "}, last: {}}}", {"tightened"}),
        ("monitor", "1pt", "0.5pt", {"tightened"}),
        ("monitor", "log.db", "other.db", {"changed"}),
        ("monitor", "metrics: {accuracy: {tolerance: 1pt}}, ", "", {"changed"}),
        ("retrain", "when:", "pull: {branch: b, assignees: [ada]}, when:", set()),
        ("retrain", "h.parquet", "other.parquet", {"changed"}),
        ("engine", "one", "two", {"changed"}),
        ("engine", "name:", "memory: 2GB, threads: 1, name:", set()),
        ("release", "x", "x", set()),
    ],
)
def test_what_is_stricter_or_other_is_not_called_looser(section, old, new, kinds):
    assert {kind for kind, _ in changes(section, old, new)} == kinds


def test_how_fresh_data_must_be_is_compared_as_time():
    def read(within):
        text = f"{HEAD}  data: {{t: {{path: t.parquet, fresh: {{column: at, within: {within}}}}}}}\n"
        return parse_policy(text, "params.yaml").policy

    (change,) = policy_changes(read("12h"), read("45d"))
    assert (change.kind, str(change)) == ("loosened", "`data.t.fresh.within` 12h → 45d")
