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


def two_models(seed: int = 1, wrong: tuple[float, float] = (0.1, 0.1)) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    label = rng.random(N) < 0.4
    return label, *(label ^ (rng.random(N) < share) for share in wrong)


def test_copies_of_rows_in_groups_do_not_settle_anything(project: Project):
    rng = np.random.default_rng(1)
    users = 40
    user = rng.integers(0, users, N)
    label = rng.random(N) < 0.4
    old = label ^ (rng.random(N) < 0.1)
    # Two users for whom the new model is always wrong.
    new = np.where(user < 2, ~label, label ^ (rng.random(N) < 0.1))
    names = np.array([f"user {i}" for i in range(users)])[user]
    write(project, label, old, new, user=names)
    policy(project, "    metrics: {accuracy: {drop: 0.01}, f1: {drop: 0.01}}\n")
    assert project.mlci("compare").returncode == 1
    policy(project, "    metrics: {accuracy: {drop: 0.01}, f1: {drop: 0.01}}\n    group: user\n")
    assert project.mlci("compare").returncode == 0
    found = findings(project)
    assert found["gate.accuracy.drop"]["outcome"] == "inconclusive"
    assert "cluster-robust" in found["gate.f1.drop"]["gate"]["method"]


def test_rows_without_a_group_stand_alone(project: Project):
    label, old, new = two_models()
    user = np.where(np.arange(N) < 100, None, np.array([f"u{i % 20}" for i in range(N)]))
    write(project, label, old, new, user=user.astype(object))
    policy(project, "    metrics: {accuracy: {drop: 0.1}}\n    group: user\n")
    run = project.mlci("compare")
    assert run.returncode == 0, run.stderr
    first = findings(project)["gate.accuracy.drop"]
    assert first["outcome"] == "pass"
    project.mlci("compare")
    assert findings(project)["gate.accuracy.drop"] == first


def test_few_groups_are_too_few(project: Project):
    label, old, new = two_models()
    write(project, label, old, new, day=np.arange(N) % 7)
    policy(project, "    metrics: {accuracy: {drop: 0.1}}\n    group: day\n")
    assert project.mlci("compare").returncode == 0
    assert findings(project)["gate.accuracy.drop"]["outcome"] == "too_small"


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


def test_crossed_slices_are_those_that_occur(project: Project):
    found = sliced(project, "{by: [origin, [origin, carrier]]}")
    assert list(found) == [
        "origin = JFK",
        "origin = LGA",
        "origin = JFK, carrier = AA",
        "origin = JFK, carrier = B6",
        "origin = LGA, carrier = AA",
    ]
    assert found["origin = JFK"] == found["origin = JFK, carrier = AA"] + found["origin = JFK, carrier = B6"]


def test_bins_with_given_ends(project: Project):
    found = sliced(project, "{bins: {distance: [0, 500, 1000, 2500]}}")
    assert list(found) == [
        "distance 0 to 500",
        "distance 500 to 1,000",
        "distance 1,000 to 2,500",
        "distance 2,500 and above",
        "distance = (missing)",
    ]
    assert sum(found.values()) == N
    assert found["distance = (missing)"] == 40


def test_bins_of_equally_many_rows(project: Project):
    found = sliced(project, "{bins: {distance: 4}, far: {where: distance > 1500}}")
    assert len(found) == 6
    assert "far" in found
    bins = [rows for name, rows in found.items() if name not in {"far", "distance = (missing)"}]
    assert max(bins) - min(bins) < 10


@pytest.mark.parametrize(
    ("slices", "told"),
    [
        ("{by: [orign]}", "params.yaml:7: test.parquet has no column `orign`; did you mean `origin`?"),
        ("{by: [[origin, crrier]]}", "params.yaml:7: test.parquet has no column `crrier`; did you mean `carrier`?"),
        ("{bins: {origin: 3}}", "params.yaml:7: `origin` is VARCHAR, and bins need numbers"),
        ("{bins: {distanse: 3}}", "test.parquet has no column `distanse`; did you mean `distance`?"),
        ("{bins: {distance: 1}}", "params.yaml:7: mlci.gate.slices.bins.distance: between 2 and 100 bins"),
        ("{bins: {distance: [5, 3]}}", "the ends of bins are two or more numbers that go up, not [5, 3]"),
        ("{bins: {distance: some}}", "a number of bins, such as 4, or the list of their ends"),
        ("{by: [id]}", "params.yaml:7: that makes more than 1,000 slices"),
    ],
)
def test_slices_that_do_not_fit_the_table(project: Project, slices: str, told: str):
    label, old, new = two_models()
    text = np.array(["a", "b"])[label.astype(int)]
    write(project, label, old, new, origin=text, carrier=text, distance=np.arange(N))
    policy(project, f"    metrics: {{accuracy: {{drop: 0.1}}}}\n    slices: {slices}\n")
    run = project.mlci("compare")
    assert run.returncode == 2, run.stdout
    assert told in run.stderr


OWN = """\
import numpy as np


def late_cost(label, prediction, score):
    return float(np.where(label, 5.0, 1.0)[label != prediction].sum() / len(label))


def broken(label, prediction, score):
    raise KeyError("carrier")


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


def test_many_slices_that_hold_are_counted(project: Project):
    label, old, new = two_models()
    policy(project, "    metrics: {accuracy: {drop: 0.3}}\n    slices: {by: [hour]}\n")
    write(project, label, old, new, hour=np.arange(N) % 24)
    run = project.mlci("compare")
    assert run.returncode == 0, run.stderr
    assert "others" in run.stdout


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


def test_how_the_test_table_is_cut_into_files_does_not_matter(project: Project):
    label, old, new = two_models(1, (0.1, 0.12))
    origin = np.array(["JFK", "LGA"])[np.random.default_rng(1).integers(0, 2, N)]
    told = []
    for path, cuts in (
        ("test.parquet", [slice(0, N)]),
        ("part-*.parquet", [slice(1_500, N), slice(0, 700), slice(700, 1_500)]),
    ):
        policy(
            project,
            "    metrics: {accuracy: {drop: 0.01}, f1: {drop: 0.01}}\n    slices: {by: origin}\n    group: user\n",
        )
        user = np.arange(N) // 5
        write(project, label, old, new, origin=origin, user=user)
        text = (project.root / "params.yaml").read_text()
        (project.root / "params.yaml").write_text(text.replace("test: test.parquet", f'test: "{path}"'))
        ids = np.array([f"r{i:06}" for i in range(N)])
        for i, cut in enumerate(cuts):
            name = path.replace("*", str(i))
            project.write(name, id=ids[cut], label=label[cut], origin=origin[cut], user=user[cut])
        project.mlci("compare")
        told.append({check: (item["outcome"], item["gate"]) for check, item in findings(project).items()})
    assert told[0] == told[1]
