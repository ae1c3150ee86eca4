"""`mlci compare` of regression and multiclass models; calibration, weak slices and groups beside the verdict."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from full_gate import N, classified, findings, policy, two_models, write

if TYPE_CHECKING:
    from conftest import Project


def test_a_worse_regression_is_blocked_on_every_metric(project: Project):
    rng = np.random.default_rng(1)
    label = 20 + 5 * rng.normal(size=N)
    old = label + rng.normal(size=N)
    policy(
        project,
        """\
    metrics:
      mae: {rise: 0.01}
      rmse: {rise: 1%, ceiling: 1.2}
      r2: {drop: 0.001, floor: 0.5}
      mape: {rise: 1%}
      pinball_90: {rise: 1%}
""",
        ", task: regression",
    )
    write(project, label, old, label + 1.2 * rng.normal(size=N))
    run = project.mlci("compare")
    assert run.returncode == 1, run.stderr
    found = findings(project)
    for metric in ("mae", "rmse", "mape", "pinball_90"):
        assert found[f"gate.{metric}.rise"]["outcome"] == "fail", metric
    assert found["gate.r2.drop"]["outcome"] == "fail"
    assert found["gate.r2.floor"]["outcome"] == "pass"
    assert found["gate.rmse.ceiling"]["outcome"] == "inconclusive"
    assert "pinball loss at 90 %" in run.stdout
    rows = {row["metric"] for row in json.loads((project.root / "reports/report.json").read_text())["metrics"]}
    assert rows == {"mae", "mse", "rmse", "r2", "mape", "pinball_90"}


def test_a_label_of_zero_has_no_relative_error(project: Project):
    label = np.arange(N, dtype=float)
    policy(project, "    metrics: {mape: {rise: 1%}}\n", ", task: regression")
    write(project, label, label + 1, label + 1.1)
    assert project.mlci("compare").returncode == 1
    assert findings(project)["gate.mape.rise"]["outcome"] == "not_measured"
    assert "1 of 2,000 labels are 0" in findings(project)["gate.mape.rise"]["message"]


def test_a_worse_multiclass_model_is_blocked(project: Project):
    policy(
        project,
        """\
    metrics:
      macro_f1: {drop: 0.01, floor: 0.5}
      micro_f1: {drop: 0.01}
      recall_AA: {drop: 0.01}
      precision_B6: {drop: 0.01}
""",
        ", task: multiclass",
    )
    label, old, new = classified(1, (0.1, 0.2))
    write(project, label, old, new)
    run = project.mlci("compare")
    assert run.returncode == 1, run.stderr
    found = findings(project)
    for metric in ("macro_f1", "micro_f1", "recall_AA", "precision_B6"):
        assert found[f"gate.{metric}.drop"]["outcome"] == "fail", metric
    assert found["gate.macro_f1.floor"]["outcome"] == "pass"
    assert "recall of AA" in run.stdout


def test_a_class_that_nobody_names_is_a_typo(project: Project):
    policy(project, "    metrics:\n      recall_B7: {drop: 0.01}\n", ", task: multiclass")
    write(project, *classified(1, (0.1, 0.1)))
    run = project.mlci("compare")
    assert run.returncode == 2
    assert "params.yaml:7: no row has the class 'B7'; did you mean `recall_B6`?" in run.stderr


def test_calibration_is_reported_not_judged(project: Project):
    label, old, new = two_models()
    score = np.where(label, 0.7, 0.3) + np.random.default_rng(1).normal(size=N) * 0.05
    policy(project, "    metrics: {accuracy: {drop: 0.3}}\n")
    write(project, label, old, new, scores={"score": score})
    assert project.mlci("compare").returncode == 0
    rows = {row["metric"]: row for row in json.loads((project.root / "reports/report.json").read_text())["metrics"]}
    assert 0.25 < rows["ece"]["low"] < rows["ece"]["new"] < rows["ece"]["high"] < 0.35
    assert rows["ece"]["old"]["previous"] == rows["ece"]["new"]
    parts = [rows[f"brier_{name}"]["new"] for name in ("reliability", "resolution", "uncertainty")]
    assert parts[0] - parts[1] + parts[2] == pytest.approx(rows["brier"]["new"], abs=0.003)
    assert [check for check in findings(project) if "ece" in check] == []
    assert project.mlci("report", "--format", "markdown", "--out", "out").returncode == 0
    page = next((project.root / "out").glob("*.md")).read_text()
    assert "expected calibration error" in page


def test_weak_slices_and_groups_are_told_not_judged(project: Project):
    rng = np.random.default_rng(3)
    label = rng.random(N) < 0.4
    old = label ^ (rng.random(N) < 0.1)
    sex = np.array(["f", "m"])[rng.integers(0, 2, N)]
    distance = rng.integers(0, 1_000, N)
    new = label ^ (rng.random(N) < np.where(distance < 250, 0.4, 0.02)) | ((sex == "f") & (rng.random(N) < 0.2))
    policy(
        project,
        """\
    metrics: {accuracy: {drop: 0.5}}
    weak: {features: [sex, distance]}
    fairness: {groups: sex}
""",
    )
    write(project, label, old, new, sex=sex, distance=distance)
    assert project.mlci("compare").returncode == 0
    report = json.loads((project.root / "reports/report.json").read_text())
    assert any(each["slice"].startswith("distance 0 to 2") for each in report["weak"])
    rates = {(each["kind"], each["group"]): each for each in report["fairness"]}
    assert rates["false positive rate", "sex = f"]["difference_low"] > 0.05
    assert rates["false positive rate", "sex = f"]["change_low"] > 0.05
    assert len(findings(project)) == 1
    assert project.mlci("report", "--format", "markdown", "--out", "out").returncode == 0
    page = next((project.root / "out").glob("*.md")).read_text()
    assert "Rates by group" in page
    assert "| sex = f | false positive rate |" in page
    assert "Weak slices, which nobody named" in page
    policy(project, "    metrics: {accuracy: {drop: 0.5}}\n    weak: {features: [sxe]}\n")
    run = project.mlci("compare")
    assert run.returncode == 2
    assert "params.yaml:7: test.parquet has no column `sxe`; did you mean `sex`?" in run.stderr
    policy(project, "    metrics: {accuracy: {drop: 0.5}}\n    weak: {features: [id]}\n")
    assert "`id` has more than 200 values" in project.mlci("compare").stderr
