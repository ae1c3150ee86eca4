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


def test_answers_are_kept_until_a_table_changes(project: Project):
    world = linear_world()
    policy(project, GATE + "    beats: [majority, logistic]\n")
    tables(project, world["label"], x=world["x"], y=world["y"], carrier=world["carrier"])
    predict(project, world["label"], score=world["score"])
    first = project.mlci("compare")
    assert "training simple models: majority" in first.stderr
    before = findings(project)
    kept = sorted((project.root / ".cache/mlci/simple").iterdir())
    assert len(kept) == 2
    times = [file.stat().st_mtime_ns for file in kept]
    again = project.mlci("compare")
    assert "training" not in again.stderr
    assert findings(project) == before
    assert [file.stat().st_mtime_ns for file in kept] == times

    kept[0].write_bytes(b"cut off")
    assert "training simple models: logistic" in project.mlci("compare").stderr
    assert findings(project) == before

    tables(project, ~world["label"], x=world["x"], y=world["y"], carrier=world["carrier"])
    predict(project, ~world["label"], score=world["score"])
    told = project.mlci("compare").stderr
    assert all(f"training simple models: {name}" in told for name in ("majority", "logistic"))


def test_the_order_of_rows_and_how_they_are_stored_do_not_matter(project: Project):
    world = linear_world()
    policy(project, GATE + "    beats: [logistic, tree]\n")
    told = []
    for order, name in ((np.arange(N), "train.parquet"), (np.random.default_rng(5).permutation(N), "train.csv")):
        tables(project, world["label"], x=world["x"], y=world["y"], carrier=world["carrier"])
        columns = {key: world[key][:N][order] for key in ("x", "y", "carrier", "label")}
        project.write(name, id=IDS[:N][order], **columns)
        text = (project.root / "params.yaml").read_text()
        (project.root / "params.yaml").write_text(text.replace("train: train.parquet", f"train: {name}"))
        predict(project, world["label"], score=world["score"])
        project.mlci("compare")
        told.append({check: (item["outcome"], item["gate"]["old"]) for check, item in findings(project).items()})
    assert told[0].keys() == told[1].keys()
    for check, (outcome, old) in told[0].items():
        assert told[1][check] == (outcome, pytest.approx(old, abs=1e-6))


def test_what_only_one_side_trained_on_is_left_out(project: Project):
    """A test row in the training table would make the simple model look good: it is not trained on."""
    rng = np.random.default_rng(2)
    label = rng.random(2 * N) < 0.5
    policy(project, "    metrics: {accuracy: {drop: 0.02}}\n    inputs: [word]\n    beats: tree\n")
    word = np.array(["a", "b"])[(label ^ (rng.random(2 * N) < 0.45)).astype(int)]
    tables(project, label, word=word)
    project.write(
        "train.parquet",
        id=IDS,
        label=np.append(label[:N], label[N:]),
        word=np.append(word[:N], np.where(label[N:], "b", "a")),
    )
    predict(project, label, prediction=label ^ (rng.random(2 * N) < 0.1))
    project.mlci("compare")
    one = findings(project)["gate.beats.tree"]
    assert one["outcome"] == "pass"
    assert one["gate"]["old"] == pytest.approx(0.55, abs=0.03)
    assert "sample" not in one["message"]


def test_three_classes(project: Project):
    rng = np.random.default_rng(3)
    x = rng.normal(size=2 * N)
    label = np.array(["low", "middle", "high"])[np.digitize(x + 0.3 * rng.normal(size=2 * N), [-0.5, 0.5])]
    policy(
        project,
        "    metrics: {macro_f1: {drop: 0.01}, log_loss: {rise: 0.01, critical: true}}\n"
        "    inputs: x\n    beats: [majority, tree]\n",
        ", task: multiclass",
    )
    tables(project, label, x=x)
    sure = {f"score_{name}": np.where(label == name, 0.9, 0.05) for name in ("low", "middle", "high")}
    predict(project, label, prediction=label, **sure)
    assert project.mlci("compare").returncode == 0
    found = findings(project)
    assert {item["outcome"] for item in found.values()} == {"pass"}
    assert found["gate.beats.majority"]["gate"]["metric"] == "log_loss"
    shares = np.unique(label[N:], return_counts=True)[1] / N
    assert found["gate.beats.majority"]["gate"]["old"] == pytest.approx(-(shares * np.log(shares)).sum(), abs=0.005)
    assert "is better, by at least" in found["gate.beats.tree"]["message"]


def test_a_regression_that_says_the_mean_is_blocked(project: Project):
    rng = np.random.default_rng(4)
    x = rng.normal(size=2 * N)
    label = 10 + 3 * x + rng.normal(size=2 * N)
    policy(
        project,
        "    metrics: {mae: {rise: 2%}}\n    inputs: [x, day]\n    beats: [mean, median, linear, tree]\n",
        ", task: regression",
    )
    day = np.array(["mon", "tue"])[rng.integers(0, 2, 2 * N)]
    tables(project, label, x=x, day=day)
    predict(project, label, prediction=np.full(2 * N, label[:N].mean()))
    run = project.mlci("compare")
    assert run.returncode == 1
    found = findings(project)
    assert {item["outcome"] for item in found.values()} == {"fail"}
    assert "the candidate has no advantage" in found["gate.beats.mean"]["message"]
    linear = found["gate.beats.linear"]
    assert linear["gate"]["old"] == pytest.approx(np.sqrt(2 / np.pi), rel=0.03)
    assert "The simple model is better, by at least" in linear["message"]
    predict(project, label, prediction=10 + 3 * x)
    assert project.mlci("compare").returncode == 1
    found = {check: item["outcome"] for check, item in findings(project).items()}
    assert found == {
        "gate.beats.mean": "pass",
        "gate.beats.median": "pass",
        "gate.beats.linear": "fail",
        "gate.beats.tree": "pass",
    }


def test_odd_columns_and_labels_are_survived(project: Project):
    rng = np.random.default_rng(6)
    label = np.append(np.zeros(N, dtype=bool), rng.random(N) < 0.4)
    columns = {
        "empty": np.full(2 * N, np.nan),
        "huge": np.where(rng.random(2 * N) < 0.1, np.inf, 1e300 * rng.normal(size=2 * N)),
        "same": np.ones(2 * N),
        "flag": rng.random(2 * N) < 0.5,
        "word": np.array([f"n{i}" for i in range(2 * N)]),
        'odd "name"; --': rng.normal(size=2 * N),
    }
    names = ", ".join(f"'{name}'" for name in columns)
    policy(project, f"    metrics: {{accuracy: {{drop: 0.01}}}}\n    inputs: [{names}]\n    beats: [logistic, tree]\n")
    tables(project, label, **columns)
    predict(project, label, prediction=label)
    assert project.mlci("compare").returncode == 0, project.mlci("compare").stdout
    assert findings(project)["gate.beats.logistic"]["gate"]["old"] == pytest.approx(1 - label[N:].mean())
    turned = label[::-1].copy()
    tables(project, turned, **columns)
    predict(project, turned, prediction=turned)
    assert project.mlci("compare").returncode == 1
    told = findings(project)["gate.beats.logistic"]
    assert told["outcome"] == "fail", "all test rows are negative, which a simple model says too"
    assert told["gate"]["old"] > 0.99


def test_a_large_table_is_sampled_and_that_is_said(project: Project):
    world = linear_world()
    rows = np.tile(np.arange(N), 15)
    policy(project, GATE + "    beats: logistic\n")
    tables(project, world["label"], x=world["x"], y=world["y"], carrier=world["carrier"])
    columns = {key: world[key][:N][rows] for key in ("x", "y", "carrier", "label")}
    project.write("train.parquet", **columns)
    predict(project, world["label"], score=world["score"])
    project.mlci("compare")
    message = findings(project)["gate.beats.logistic"]["message"]
    assert message.endswith("The simple model was trained on a sample of 50,000 of 60,000 rows.")


@pytest.mark.parametrize(
    ("change", "told", "mend"),
    [
        (("train: train.parquet", "train: no.parquet"), "no.parquet is not there", "gate.train"),
        (("inputs: [x, y, carrier]", "inputs: [x, carier]"), "did you mean `carrier`?", "gate.inputs"),
        (("inputs: [x, y, carrier]", "inputs: [x, when]"), "`when` is TIMESTAMP", "gate.inputs"),
        (("    inputs: [x, y, carrier]\n", ""), "there is no models/model.onnx", "gate.inputs"),
    ],
)
def test_a_simple_model_that_cannot_be_trained_was_not_measured(
    project: Project, change: tuple[str, str], told: str, mend: str
):
    world = linear_world()
    policy(project, GATE + "    beats: [majority, logistic]\n")
    file = project.root / "params.yaml"
    file.write_text(file.read_text().replace(*change))
    when = np.full(2 * N, np.datetime64("2026-01-01T00:00:00", "us"))
    tables(project, world["label"], x=world["x"], y=world["y"], carrier=world["carrier"], when=when)
    predict(project, world["label"], score=world["score"])
    run = project.mlci("compare")
    assert run.returncode == 1
    found = findings(project)["gate.beats.logistic"]
    assert found["outcome"] == "not_measured"
    assert told in found["message"]
    assert mend in found["mend"]
    others = findings(project)["gate.beats.majority"]["outcome"]
    assert others == ("not_measured" if "no.parquet" in told else "pass")


@pytest.mark.parametrize(
    ("gate", "model", "told"),
    [
        ("beats: [majority, logistics]", "", "there is no simple model 'logistics'; did you mean `logistic`?"),
        ("beats: dummy", "", "did you mean `majority`?"),
        ("beats: [mean]", "", "a binary model is not set beside 'mean'; did you mean `majority`?"),
        ("beats: [logistic]", ", task: regression", "did you mean `linear`?"),
        ("beats: [majority, majority]", "", "majority is named twice"),
        ("beats: {majority: true}", "", "a list of simple models is needed here"),
        ("beats: majority\n    inputs: [label]", "", "the label or the id, which no model may read"),
    ],
)
def test_a_wrong_choice_is_told_with_its_line(project: Project, gate: str, model: str, told: str):
    metrics = "mae: {rise: 2%}" if model else "accuracy: {drop: 0.01}"
    policy(project, f"    metrics: {{{metrics}}}\n    {gate}\n", model)
    run = project.mlci("compare")
    assert run.returncode == 2, run.stdout
    assert told in run.stderr
    assert "params.yaml:" in run.stderr


def test_beats_needs_a_metric(project: Project):
    policy(project, "    beats: majority\n")
    run = project.mlci("compare")
    assert run.returncode == 2
    assert "gate.beats: it takes a metric in `gate.metrics`" in run.stderr


def test_a_pull_request_cannot_take_out_the_model_that_is_as_good(project: Project):
    world = linear_world()
    policy(project, GATE + "    beats: [majority, logistic]\n")
    tables(project, world["label"], x=world["x"], y=world["y"], carrier=world["carrier"])
    predict(project, world["label"], score=np.clip(world["score"] + 0.3 * (world["label"] - 0.5), 0, 1))
    project.commit("A model")
    assert project.mlci("compare").returncode == 0, project.mlci("compare").stdout
    project.git("checkout", "-qb", "as-good")
    predict(project, world["label"], score=world["score"])
    policy(project, GATE + "    beats: [majority]\n")
    project.commit("A model as good as a logistic regression")
    run = project.mlci("compare")
    assert run.returncode == 1
    found = findings(project)
    assert found["policy.gate.beats.logistic"]["outcome"] == "fail"
    assert "`gate.beats` majority, logistic → majority" in found["policy.loosened"]["message"]
    assert "gate.beats.logistic" not in found
    waiver = (
        "  waivers:\n    - {check: policy.gate.beats.logistic, reason: a trial, approver: Ada, until: 2999-01-01}\n"
    )
    (project.root / "params.yaml").write_text((project.root / "params.yaml").read_text() + waiver)
    project.mlci("compare")
    assert findings(project)["policy.gate.beats.logistic"]["waived"]


def test_every_page_shows_it(project: Project):
    world = linear_world()
    policy(project, GATE + "    beats: [logistic]\n")
    tables(project, world["label"], x=world["x"], y=world["y"], carrier=world["carrier"])
    predict(project, world["label"], score=world["score"])
    run = project.mlci("compare")
    assert "beats logistic" in run.stdout
    assert project.mlci("report", "--out", "out").returncode == 1
    for name in ("report.md", "report.html", "junit.xml", "results.sarif"):
        text = (project.root / "out" / name).read_text()
        assert "beats logistic" in text, name
        assert "The simple model is as good" in text, name
