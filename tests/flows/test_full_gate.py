"""`mlci compare` with every task, grouped rows, slices of every kind and metrics of the project's own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from conftest import Project

N = 2_000


@pytest.fixture(autouse=True)
def _only_params(project: Project):
    (project.root / "params.yaml").unlink()


def policy(project: Project, gate: str, model: str = "") -> None:
    """Write a policy whose gate ends with these lines."""
    (project.root / "params.yaml").write_text(
        f"mlci:\n  model: {{name: flights, label: label, id: id{model}}}\n"
        f"  gate:\n    test: test.parquet\n    predictions: predictions.parquet\n{gate}"
    )


def write(project: Project, label: Any, *models: Any, scores: dict[str, Any] | None = None, **columns: Any) -> None:
    """A test table, and the predictions of two models: the first committed, the second not."""
    ids = np.array([f"r{i:06}" for i in range(len(label))])
    project.write("test.parquet", id=ids, label=label, **columns)
    project.write("predictions.parquet", id=ids, label=label, prediction=models[0], **(scores or {}))
    project.commit("A model")
    project.write("predictions.parquet", id=ids, label=label, prediction=models[1], **(scores or {}))


def findings(project: Project) -> dict[str, Any]:
    verdict = json.loads((project.root / "reports/verdict.json").read_text())
    return {item["check"]: item for item in verdict["findings"]}


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


CLASSES = np.array(["AA", "B6", "DL"])


def classified(seed: int, wrong: tuple[float, float]) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    label = rng.choice(3, size=N, p=[0.5, 0.3, 0.2])
    said = [np.where(rng.random(N) < share, (label + 1) % 3, label) for share in wrong]
    return CLASSES[label], CLASSES[said[0]], CLASSES[said[1]]


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
