"""`mlci compare` with simple models that the candidate must beat, on real repositories."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from conftest import Project

N = 4_000
IDS = np.array([f"r{i:06}" for i in range(2 * N)])


@pytest.fixture(autouse=True)
def _only_params(project: Project):
    (project.root / "params.yaml").unlink()


def policy(project: Project, gate: str, model: str = "") -> None:
    """Write a policy whose gate ends with these lines."""
    (project.root / "params.yaml").write_text(
        f"mlci:\n  model: {{name: flights, label: label, id: id{model}}}\n"
        f"  gate:\n    test: test.parquet\n    train: train.parquet\n    predictions: predictions.parquet\n{gate}"
    )


def tables(project: Project, label: Any, **columns: Any) -> None:
    """The first half of the rows to train on, the second half to test on."""
    for name, rows in (("train", slice(0, N)), ("test", slice(N, None))):
        project.write(
            f"{name}.parquet", id=IDS[rows], label=label[rows], **{key: value[rows] for key, value in columns.items()}
        )


def predict(project: Project, label: Any, **said: Any) -> None:
    said = {key: np.asarray(value)[-N:] for key, value in said.items()}
    project.write("predictions.parquet", id=IDS[N:], label=label[N:], **said)


def findings(project: Project) -> dict[str, Any]:
    verdict = json.loads((project.root / "reports/verdict.json").read_text())
    return {item["check"]: item for item in verdict["findings"]}


def linear_world(seed: int = 1) -> dict[str, Any]:
    """Two numbers and a text decide the label; a logistic regression is the truth."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, 2 * N))
    carrier = np.array(["AA", "B6", "DL"])[rng.integers(0, 3, 2 * N)]
    logit = -0.5 + 1.5 * x - y + (carrier == "B6")
    return {
        "x": x,
        "y": y,
        "carrier": carrier,
        "score": 1 / (1 + np.exp(-logit)),
        "label": rng.random(2 * N) < 1 / (1 + np.exp(-logit)),
    }


GATE = "    metrics: {roc_auc: {drop: 0.02, critical: true}, accuracy: {drop: 0.02}}\n    inputs: [x, y, carrier]\n"


def test_a_model_as_good_as_a_logistic_regression_is_blocked_by_it_alone(project: Project):
    world = linear_world()
    policy(project, GATE + "    beats: [majority, logistic, tree]\n")
    tables(project, world["label"], x=world["x"], y=world["y"], carrier=world["carrier"])
    predict(project, world["label"], score=world["score"])
    run = project.mlci("compare")
    assert run.returncode == 1, run.stdout + run.stderr
    found = findings(project)
    assert {check: item["outcome"] for check, item in found.items()} == {
        "gate.beats.majority": "pass",
        "gate.beats.logistic": "fail",
        "gate.beats.tree": "pass",
    }
    logistic = found["gate.beats.logistic"]
    assert logistic["gate"]["metric"] == "roc_auc"
    assert logistic["gate"]["tolerance"] == 0.02
    assert abs(logistic["gate"]["old"] - logistic["gate"]["new"]) < 0.005
    assert "The simple model is as good: the candidate's advantage is at most" in logistic["message"]
    assert "you care about 0.02" in logistic["message"]
    assert logistic["place"] == {"file": "params.yaml", "line": 9}
    assert found["gate.beats.majority"]["gate"]["old"] == 0.5
    assert "Blocked: beats logistic, ROC AUC" in run.stdout
