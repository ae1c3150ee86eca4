"""`mlci compare` with metrics of the project's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from full_gate import N, classified, findings, policy, two_models, write

if TYPE_CHECKING:
    from conftest import Project


OWN = """\
import numpy as np


def late_cost(label, prediction, score):
    return float(np.where(label, 5.0, 1.0)[label != prediction].sum() / len(label))


def broken(label, prediction, score):
    raise KeyError("carrier")


def precise(label, prediction, score):
    if not label.any():
        raise ValueError("no positives here")
    return float(label[prediction].mean())


def words(label, prediction, score):
    return "much"


def types(label, prediction, score):
    return float(label.dtype.kind in "UO" and set(prediction) <= {"AA", "B6", "DL"})


not_callable = 5
"""


def own(project: Project, promise: str, model: str = "") -> Any:
    folder = project.root / "metrics"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "ours.py").write_text(OWN)
    policy(project, f"    metrics:\n      late cost:\n        {promise}\n", model)
    if not model:
        write(project, *two_models(1, (0.1, 0.2)))
    return project.mlci("compare")


def test_a_metric_of_the_project(project: Project):
    text = '{function: "metrics.ours:late_cost", good: down, rise: 0.05, ceiling: 1}'
    run = own(project, text)
    assert run.returncode == 1, run.stderr
    found = findings(project)
    assert found["gate.late cost.rise"]["outcome"] == "fail"
    assert found["gate.late cost.rise"]["gate"]["method"] == "paired bootstrap of rows"
    assert found["gate.late cost.rise"]["gate"]["good"] == "down"
    assert "The late cost rose by" in found["gate.late cost.rise"]["message"]
    assert found["gate.late cost.ceiling"]["outcome"] == "pass"
    first = (project.root / "reports/verdict.json").read_bytes()
    project.mlci("compare")
    assert (project.root / "reports/verdict.json").read_bytes() == first


def test_a_metric_of_the_project_on_a_slice(project: Project):
    label, old, new = two_models(1, (0.1, 0.2))
    policy(
        project,
        """\
    metrics: {late cost: {function: "ours:late_cost", good: down, rise: 2}}
    slices:
      early: {where: "hour < 12", metrics: {late cost: {rise: 0.05, ceiling: 1}}}
""",
    )
    (project.root / "ours.py").write_text(OWN)
    write(project, label, old, new, hour=np.arange(N) % 24)
    assert project.mlci("compare").returncode == 1
    found = findings(project)
    assert found["gate.late cost.rise"]["outcome"] == "pass"
    assert found["gate.slices.early.late cost.rise"]["outcome"] == "fail"
    assert found["gate.slices.early.late cost.ceiling"]["outcome"] == "pass"


def test_classes_come_by_name(project: Project):
    write(project, *classified(1, (0.1, 0.1)))
    run = own(project, '{function: "metrics.ours:types", good: up, floor: 0.9}', ", task: multiclass")
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    ("promise", "told"),
    [
        (
            "{function: metrics.ours:late_csot, good: down, rise: 1}",
            "has no function `late_csot`; did you mean `late_cost`?",
        ),
        ("{function: metrics.ours:not_callable, good: down, rise: 1}", "has no function `not_callable`"),
        ("{function: metrics.theirs:f, good: down, rise: 1}", "`metrics.theirs` cannot be imported: ModuleNotFound"),
        ("{function: json:dumps, good: down, rise: 1}", "the module `json` is not one of this project"),
        ("{function: sys:exit, good: down, rise: 1}", "the module `sys` is not one of this project: built in"),
        (
            "{function: metrics.ours:broken, good: down, rise: 1}",
            "`metrics.ours:broken` failed on 2,000 rows: KeyError",
        ),
        ("{function: metrics.ours:words, good: down, rise: 1}", "returned str instead of a number"),
        ("{function: late_cost, good: down, rise: 1}", "mlci.gate.metrics.late cost.function: String should match"),
        ("{function: metrics.ours:late_cost, rise: 1}", "needs `good: up` or `good: down`"),
        ("{function: metrics.ours:late_cost, good: down, drop: 1}", "less is better: write `rise` instead of `drop`"),
        ("{good: down, rise: 1}", "only a metric with a `function` of your own has it"),
        ("{rise: 1}", "or one of your own with `function`"),
    ],
)
def test_a_metric_that_does_not_work_is_told_with_its_line(project: Project, promise: str, told: str):
    run = own(project, promise)
    assert run.returncode == 2, run.stdout
    assert told in run.stderr
    assert "params.yaml:" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_slice_where_it_has_no_value_is_not_judged(project: Project):
    label, old, new = two_models(1, (0.1, 0.1))
    kind = np.where(label, "some", "other").astype(object)
    kind[np.flatnonzero(~label)[200:]] = "some"
    policy(
        project,
        """\
    metrics: {precise: {function: "ours:precise", good: up, drop: 0.2}}
    slices: {by: [kind]}
""",
    )
    (project.root / "ours.py").write_text(OWN)
    write(project, label, old, new, kind=kind)
    run = project.mlci("compare")
    assert run.returncode == 0, run.stderr
    assert findings(project)["gate.precise.drop"]["outcome"] == "pass"
    assert findings(project)["gate.slices.kind = some.precise.drop"]["outcome"] == "pass"
    assert findings(project)["gate.slices.kind = other.precise.drop"]["outcome"] == "too_small"
