"""Projects of every task, and what `mlci compare` finds in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from conftest import Project


N = 2_000
CLASSES = np.array(["AA", "B6", "DL"])


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


def classified(seed: int, wrong: tuple[float, float]) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    label = rng.choice(3, size=N, p=[0.5, 0.3, 0.2])
    said = [np.where(rng.random(N) < share, (label + 1) % 3, label) for share in wrong]
    return CLASSES[label], CLASSES[said[0]], CLASSES[said[1]]


def two_models(seed: int = 1, wrong: tuple[float, float] = (0.1, 0.1)) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    label = rng.random(N) < 0.4
    return label, *(label ^ (rng.random(N) < share) for share in wrong)


def sliced(project: Project, slices: str) -> dict[str, int]:
    """Rows by slice."""
    rng = np.random.default_rng(1)
    label, old, new = two_models()
    origin, carrier = np.array(["JFK", "LGA"])[rng.integers(0, 2, N)], np.array(["AA", "B6"])[rng.integers(0, 2, N)]
    distance = rng.integers(0, 3_000, N).astype(float)
    distance[:40] = np.nan
    origin[(origin == "LGA") & (carrier == "B6")] = "JFK"
    write(project, label, old, new, origin=origin, carrier=carrier, distance=distance)
    policy(project, f"    metrics: {{accuracy: {{drop: 0.1}}}}\n    slices: {slices}\n")
    run = project.mlci("compare")
    assert run.returncode == 0, run.stderr
    verdict = json.loads((project.root / "reports/verdict.json").read_text())
    return {item["gate"]["slice"]: item["gate"]["rows"] for item in verdict["findings"] if item["gate"]["slice"]}
