"""Train again in a real DVC project: with other seeds, on shuffled labels, interrupted, broken and misused."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from dvc.repo import Repo

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Project


# DVC's own use of a library that will change.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")

POLICY = """\
train: {seed: 1, rows: 300}
mlci:
  model: {name: people, label: ill, id: person}
  gate:
    test: data/test.parquet
    predictions: predictions.parquet
    train: data/train.parquet
    metrics:
      roc_auc: {floor: 0.6, drop: 0.02}
      log_loss: {rise: 0.05}
  train: {seeds: 3, shuffled_labels: true, shuffled: shuffled.parquet}
"""
TRAIN = """\
import os, pathlib, time
import numpy as np, pyarrow.parquet as pq, yaml
params = yaml.safe_load(open("params.yaml"))["train"]
rows = pq.read_table("data/train.parquet")
x = np.column_stack([rows[f"x{i}"].to_numpy() for i in range(6)])
y = rows["ill"].to_numpy().astype(float)
some = np.random.default_rng(params["seed"]).integers(0, len(y), params["rows"])
weights = np.linalg.lstsq(np.column_stack([x[some], np.ones(len(some))]), y[some], rcond=None)[0]
if "TRAINED" in os.environ:
    with open(os.environ["TRAINED"], "a") as log:
        print(params["seed"], file=log)
    time.sleep(float(os.environ.get("SLOWLY", 0)))
np.savetxt("weights.txt", weights)
print("trained with seed", params["seed"])
"""
PREDICT = """\
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
rows = pq.read_table("data/test.parquet")
x = np.column_stack([rows[f"x{i}"].to_numpy() for i in range(6)])
weights = np.loadtxt("weights.txt")
score = np.clip(x @ weights[:-1] + weights[-1], 0.001, 0.999)
table = {"person": rows["person"], "ill": rows["ill"], "prediction": score > 0.5, "score": score}
pq.write_table(pa.table(table), "predictions.parquet")
"""
PIPELINE = """\
stages:
  check:
    cmd: mlci data check --no-such-option
    deps: [data/train.parquet]
    outs: [checked.txt]
    frozen: true
  train:
    cmd: {python} train.py
    deps: [train.py, data/train.parquet]
    params: [train.seed, train.rows]
    outs: [weights.txt]
  predict:
    cmd: {python} predict.py
    deps: [predict.py, weights.txt, data/test.parquet]
    outs: [predictions.parquet]
"""


def people(n: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6))
    ill = rng.random(n) < 1 / (1 + np.exp(-x @ [1.2, -0.8, 0.5, 0, 0, 0]))
    return {"person": [f"p{seed}-{i:05}" for i in range(n)], **{f"x{i}": x[:, i] for i in range(6)}, "ill": ill}


def reproduce(root: Path, *targets: str) -> None:
    with contextlib.chdir(root), Repo(str(root)) as repo:
        repo.reproduce(list(targets) or None)


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory, project_in: type[Project]) -> tuple[Path, str]:
    """A pipeline that trained, predicted and was trained again, made once; and what the last said."""
    folder = tmp_path_factory.mktemp("template")
    root = folder / "repository"
    root.mkdir()
    made = project_in(root)
    made.git("init", "-q", "-b", "main")
    made.git("config", "user.name", "A Tester")
    made.git("config", "user.email", "tester@example.org")
    made.write("data/train.parquet", **people(1_000, 1))
    made.write("data/test.parquet", **people(1_500, 2))
    (root / "params.yaml").write_text(POLICY)
    (root / "train.py").write_text(TRAIN)
    (root / "predict.py").write_text(PREDICT)
    (root / "dvc.yaml").write_text(PIPELINE.replace("{python}", sys.executable))
    (root / ".gitignore").write_text("reports/*\n!reports/seeds.json\n.cache/\n/shuffled.parquet\n")
    Repo.init(str(root)).close()
    (root / "checked.txt").touch()
    reproduce(root)
    made.commit("A model")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRAINED", str(folder / "trained.log"))
        run = made.mlci("model", "seeds")
    assert run.returncode == 0, run.stderr
    return folder, run.stderr


@pytest.fixture
def measured(
    templates: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, project_in: type[Project]
) -> Project:
    """A copy of it: trained again, with everything kept."""
    monkeypatch.setenv("TRAINED", str(tmp_path / "trained.log"))
    root = tmp_path / "repository"
    shutil.copytree(templates[0] / "repository", root, symlinks=True)
    return project_in(root)


@pytest.fixture
def trained(measured: Project) -> Project:
    """The same before it was trained again."""
    shutil.rmtree(measured.root / ".cache")
    (measured.root / "reports/seeds.json").unlink()
    (measured.root / "shuffled.parquet").unlink()
    return measured


def trainings(tmp_path: Path) -> list[str]:
    log = tmp_path / "trained.log"
    return sorted(log.read_text().split()) if log.exists() else []


def evidence(project: Project) -> dict[str, Any]:
    return json.loads((project.root / "reports/seeds.json").read_text())


def report(project: Project) -> dict[str, Any]:
    return json.loads((project.root / "reports/report.json").read_text())


def findings(project: Project) -> dict[str, dict[str, Any]]:
    return {item["check"]: item for item in report(project)["verdict"]["findings"]}


def edit(project: Project, old: str, new: str, file: str = "params.yaml") -> None:
    text = (project.root / file).read_text()
    assert old in text
    (project.root / file).write_text(text.replace(old, new))


def test_seeds_and_shuffled_labels_are_measured_and_nothing_else_changes(
    measured: Project, templates: tuple[Path, str]
):
    folder, said = templates
    assert "training 3 of 4 (seed 3): train" in said
    assert trainings(folder) == ["1", "2", "3", "4"]
    found = evidence(measured)
    assert [item["seed"] for item in found["retrained"]] == [2, 3, 4]
    assert found["seed"] == 1
    assert found["stages"] == ["train", "predict"]
    aucs = [item["metrics"]["roc_auc"] for item in found["retrained"]]
    assert len(set(aucs)) == 3
    assert min(aucs) > 0.75
    assert found["shuffled"]["metrics"]["roc_auc"] < min(aucs)
    assert measured.git("status", "--porcelain") == "?? reports/"
    kept = [path for path in (measured.root / ".dvc/cache/files").rglob("*") if path.is_file()]
    assert len(kept) == 3, "what the pipeline itself made, and nothing of the other trainings"
    assert [each.name for each in (measured.root / ".dvc/tmp/mlci-seeds").iterdir()] == []


def test_the_same_files_give_the_same_bytes(measured: Project, tmp_path: Path):
    first = (measured.root / "reports/seeds.json").read_bytes()
    for kept in sorted((measured.root / ".cache/mlci/seeds").iterdir())[:2]:
        kept.unlink()
    run = measured.mlci("model", "seeds", "--jobs", "2")
    assert run.returncode == 0, run.stderr
    assert "2 of 4 trainings are kept" in run.stderr
    assert len(trainings(tmp_path)) == 2
    assert (measured.root / "reports/seeds.json").read_bytes() == first


def test_the_report_tells_the_recipe_from_the_model(measured: Project):
    (measured.root / "reports/seeds.json").rename(measured.root / "reports/kept.json")
    assert measured.mlci("compare").returncode == 1
    assert "Judges this model, not the recipe that made it" in report(measured)["recipe"]["words"]
    assert findings(measured)["train.seeds"]["outcome"] == "not_measured"
    assert findings(measured)["train.seeds"]["level"] == "warn"
    assert findings(measured)["train.shuffled_labels"]["outcome"] == "not_measured"
    (measured.root / "reports/kept.json").rename(measured.root / "reports/seeds.json")
    run = measured.mlci("compare")
    assert run.returncode == 0, run.stdout
    assert "Retraining alone moves the ROC AUC by about ±" in run.stdout
    assert "train.seeds" not in findings(measured)
    assert findings(measured)["train.shuffled_labels"]["outcome"] == "pass"
    assert measured.mlci("report").returncode == 0
    for name in ("report.md", "report.html"):
        assert "Retraining alone moves the ROC AUC" in (measured.root / "reports" / name).read_text()
    assert (measured.root / "reports/charts/seeds.svg").exists()


def test_a_change_is_set_beside_the_spread_of_both_recipes(measured: Project):
    measured.commit("How it varies")
    measured.git("checkout", "-qb", "more")
    edit(measured, "rows: 300", "rows: 60")
    reproduce(measured.root)
    measured.mlci("compare")
    assert "stale: it speaks of another model" in report(measured)["recipe"]["words"]
    assert findings(measured)["train.shuffled_labels"]["outcome"] == "not_measured"
    assert measured.mlci("model", "seeds", "--jobs", "2").returncode == 0
    measured.commit("Fewer rows")
    measured.mlci("compare")
    auc = report(measured)["recipe"]["metrics"][0]
    (change,) = auc["changes"]
    assert change["baseline"] == "merge-base"
    assert change["old_seeds"] == 3
    assert change["low"] < change["recipe"] < change["high"]
    seeds = {str(item["seed"]): item["metrics"]["roc_auc"] for item in evidence(measured)["retrained"]}
    assert auc["seeds"] == seeds
    before = json.loads(measured.git("show", "main:reports/seeds.json"))
    means = [
        np.mean([item["metrics"]["roc_auc"] for item in each["retrained"]]) for each in (before, evidence(measured))
    ]
    assert change["recipe"] == pytest.approx(means[1] - means[0], abs=1e-9)


def test_a_gate_without_floors_lets_a_model_of_nothing_pass_and_is_named(measured: Project):
    edit(measured, "roc_auc: {floor: 0.6, drop: 0.02}", "accuracy: {drop: 0.6}")
    edit(measured, "log_loss: {rise: 0.05}", "brier: {rise: 0.6}")
    run = measured.mlci("compare")
    assert run.returncode == 1
    found = findings(measured)["train.shuffled_labels"]
    assert found["outcome"] == "fail"
    assert "a model trained on shuffled labels passes this gate: it proves nothing" in found["message"].lower()
    assert "roc_auc: {floor: 0." in found["mend"]
    assert found["place"]["line"] == 11
    assert "shuffled labels" in run.stdout


def test_labels_that_the_training_finds_elsewhere_are_a_leak(trained: Project):
    (trained.root / "data/labels.parquet").write_bytes((trained.root / "data/train.parquet").read_bytes())
    edit(trained, 'pq.read_table("data/train.parquet")\n', 'pq.read_table("data/labels.parquet")\n', "train.py")
    edit(trained, "{seeds: 3,", "{")
    reproduce(trained.root)
    trained.commit("Another table")
    trained.mlci("model", "seeds")
    assert trained.mlci("compare").returncode == 1
    leak = findings(trained)["train.shuffled_labels.leak"]
    assert leak["level"] == "warn"
    assert "A leak is suspected" in leak["message"]
    assert findings(trained)["train.shuffled_labels"]["outcome"] == "fail"


def test_an_interrupted_run_leaves_nothing_and_resumes(trained: Project, tmp_path: Path):
    edit(trained, "{seeds: 3, shuffled_labels: true,", "{seeds: 2,")
    trained.commit("Ask less")
    environment = {**os.environ, "SLOWLY": "1"}
    command = [sys.executable, "-m", "mlci", "model", "seeds"]
    # A runner that started the tests in the background made them ignore the interrupt, and children inherit that.
    interruptible = functools.partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    running = subprocess.Popen(
        command,
        cwd=trained.root,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=interruptible,  # noqa: PLW1509 - sets a signal and takes no lock
    )
    kept = trained.root / ".cache/mlci/seeds"
    while not (len(list(kept.glob("*.parquet"))) == 1 and len(trainings(tmp_path)) == 2):
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate()
    assert running.returncode == 130, said
    assert "Traceback" not in said
    assert not (trained.root / "reports/seeds.json").exists()
    assert [each.name for each in (trained.root / ".dvc/tmp/mlci-seeds").iterdir()] == []
    assert trained.git("status", "--porcelain") == ""
    (tmp_path / "trained.log").unlink()
    run = trained.mlci("model", "seeds")
    assert run.returncode == 0, run.stderr
    assert "1 of 2 trainings are kept" in run.stderr
    assert trainings(tmp_path) == ["3"]


def test_a_killed_run_is_cleared_away_by_the_next(measured: Project):
    left = measured.root / ".dvc/tmp/mlci-seeds/mlci-seeds-killed"
    (left / "work").mkdir(parents=True)
    (left / "in-use").touch()
    next((measured.root / ".cache/mlci/seeds").iterdir()).unlink()
    assert measured.mlci("model", "seeds").returncode == 0
    assert not left.exists()


def test_a_project_without_a_pipeline_is_told_what_to_do(project: Project):
    edit(project, "  gate:\n", "  train: {seeds: 2}\n  gate:\n")
    run = project.mlci("model", "seeds")
    assert run.returncode == 2
    assert "this project has none" in run.stderr
    assert "mend: `dvc init`" in run.stderr


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "said"),
    [
        ("params.yaml", "{seeds: 3,", "{seeds: 3, seed: train.sede,", 2, "has no parameter `train.sede`"),
        ("params.yaml", "{seeds: 3,", "{seeds: 3, seed: other.yaml:seed,", 2, "is not there"),
        ("params.yaml", "{seeds: 3,", "{seeds: 3, table: data/other.parquet,", 2, "no stage of dvc.yaml reads"),
        ("params.yaml", "{seeds: 3, shuffled_labels: true,", "{", 2, "asks for no other training"),
        ("params.yaml", "{seeds: 3,", "{seeds: 1,", 2, "one more seed has no spread"),
        (
            "params.yaml",
            "predictions: predictions.parquet",
            "predictions: elsewhere.parquet",
            2,
            "no stage of dvc.yaml",
        ),
        ("params.yaml", "label: ill", "label: sick", 2, "has no column `sick`"),
        ("params.yaml", "rows: 300", "rows: 400", 3, "`dvc repro predict` first"),
        (
            "dvc.yaml",
            "params: [train.seed, train.rows]",
            "params: [train.rows]",
            2,
            "depends on the parameter `train.seed`",
        ),
        ("dvc.yaml", "deps: [predict.py, weights.txt,", "deps: [predict.py,", 2, "does not reach predictions.parquet"),
        (
            "train.py",
            "np.savetxt",
            "if params['seed'] == 3:\n    raise SystemExit('no luck')\nnp.savetxt",
            3,
            "no luck",
        ),
    ],
)
def test_what_is_wrong_is_named(trained: Project, file: str, old: str, new: str, code: int, said: str):
    edit(trained, old, new, file)
    if file != "params.yaml":
        reproduce(trained.root)
    run = trained.mlci("model", "seeds")
    assert run.returncode == code, run.stderr
    assert said in run.stderr
    assert "mend:" in run.stderr
    assert "Traceback" not in run.stderr
    assert not (trained.root / "reports/seeds.json").exists()


def test_the_seed_may_stand_in_a_command_or_in_another_file(trained: Project, tmp_path: Path):
    (trained.root / "config.yaml").write_text("# how to train\nseed: 7  # chosen\n")
    edit(trained, "{seeds: 3, shuffled_labels: true,", "{seeds: 2, seed: 'config.yaml:seed',")
    edit(trained, "train: {seed: 1, rows: 300}", "train: {rows: 300}")
    edit(trained, "stages:\n", "vars: [config.yaml]\nstages:\n", "dvc.yaml")
    edit(trained, "train.py\n    deps: [train.py,", "train.py ${seed}\n    deps: [train.py,", "dvc.yaml")
    edit(trained, "params: [train.seed, train.rows]", "params: [train.rows, config.yaml: [seed]]", "dvc.yaml")
    edit(trained, "rows = pq", "import sys; params['seed'] = int(sys.argv[1])\nrows = pq", "train.py")
    reproduce(trained.root)
    (tmp_path / "trained.log").unlink()
    run = trained.mlci("model", "seeds")
    assert run.returncode == 0, run.stderr
    assert trainings(tmp_path) == ["1", "2"]
    assert evidence(trained)["seed"] == 7
    assert (trained.root / "config.yaml").read_text() == "# how to train\nseed: 7  # chosen\n"


def test_loosening_what_is_asked_of_training_is_guarded(measured: Project):
    measured.commit("How it varies")
    measured.git("checkout", "-qb", "looser")
    edit(measured, "{seeds: 3, shuffled_labels: true,", "{seeds: 2,")
    measured.commit("Ask less")
    run = measured.mlci("compare")
    listed = findings(measured)["policy.loosened"]["message"]
    assert "`train.seeds` 3 → 2" in listed
    assert "`train.shuffled_labels` removed (was True)" in listed
    assert run.returncode == 0, "the evidence is there, and it holds"
    (measured.root / "reports/seeds.json").unlink()
    assert measured.mlci("compare").returncode == 1
    assert findings(measured)["policy.train.shuffled_labels"]["outcome"] == "not_measured"


def test_a_project_in_a_folder_of_a_larger_repository(trained: Project, project_in: type[Project], tmp_path: Path):
    top = project_in(tmp_path / "larger")
    top.root.mkdir()
    top.git("init", "-q", "-b", "main")
    top.git("config", "user.name", "A Tester")
    top.git("config", "user.email", "tester@example.org")
    shutil.copytree(
        trained.root, top.root / "ml", ignore=shutil.ignore_patterns(".git", ".dvc", "dvc.lock", ".dvcignore")
    )
    (top.root / "shared.py").write_text("SHARED = 1\n")
    edit(
        top, "import os, pathlib, time\n", "import os, sys, time\nsys.path.append('..')\nimport shared\n", "ml/train.py"
    )
    edit(top, "{seeds: 3, shuffled_labels: true,", "{shuffled_labels: true,", "ml/params.yaml")
    Repo.init(str(top.root)).close()
    reproduce(top.root, "ml/dvc.yaml")
    top.commit("A model")
    run = top.mlci("model", "seeds", "--project", "ml")
    assert run.returncode == 0, run.stderr
    found = json.loads((top.root / "ml/reports/seeds.json").read_text())
    assert found["stages"] == ["ml/dvc.yaml:train", "ml/dvc.yaml:predict"]
    assert top.mlci("compare", "--project", "ml").returncode == 0
    assert top.git("status", "--porcelain") == "?? ml/reports/"
