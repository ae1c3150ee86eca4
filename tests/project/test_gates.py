"""The whole loop on the real flights, in a clone: what breaks is blocked by name, what is as good is not."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]

pytestmark = pytest.mark.slow


class Clone:
    """A clone of this repository in which the pipeline runs for real."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        plain = {"COLUMNS": "160", "NO_COLOR": "1", "DVC_NO_ANALYTICS": "1"}
        environment = {**os.environ, **plain, "PATH": f"{BIN}:{os.environ['PATH']}"}
        return subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)

    def repro(self, *stages: str) -> str:
        run = self.run("dvc", "repro", *stages)
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def train_with(self, **changes: object) -> None:
        file = self.root / "params.yaml"
        params = yaml.safe_load(file.read_text())
        params["train"].update(changes)
        file.write_text(yaml.safe_dump(params, sort_keys=False))

    def verdict(self) -> dict:
        return json.loads((self.root / "reports/verdict.json").read_text())


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    root = tmp_path_factory.mktemp("clone") / "flights"
    subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(root)], check=True)
    clone = Clone(root)
    clone.repro()
    return clone


@pytest.fixture
def clone(reproduced: Clone, tmp_path: Path) -> Clone:
    """A copy of its own, so that no test sees another's changes."""
    shutil.copytree(reproduced.root, tmp_path / "flights", symlinks=True)
    return Clone(tmp_path / "flights")


def test_a_fresh_clone_has_a_previous_model_and_repeats_nothing(reproduced: Clone):
    again = reproduced.repro()
    assert "Running stage" not in again
    assert not reproduced.run("git", "status", "--porcelain").stdout, "the pipeline is not reproducible"
    run = reproduced.run("mlci", "compare")
    assert run.returncode == 0, run.stdout + run.stderr
    comparison = reproduced.verdict()["comparisons"][0]
    assert comparison["status"] == "compared"
    assert comparison["rescored"]
    assert reproduced.verdict()["outcome"] == "pass"
    assert reproduced.run("mlci", "report").returncode == 0
    assert (reproduced.root / "reports/report.html").stat().st_size > 50_000


def test_a_release_can_be_rehearsed(clone: Clone, tmp_path: Path):
    """The reference project names no remote, as clones share no storage; a folder is enough."""
    for command in (
        ("git", "remote", "remove", "origin"),
        ("dvc", "remote", "add", "--local", "--default", "storage", str(tmp_path / "storage")),
        ("dvc", "push"),
        ("mlci", "compare"),
    ):
        done = clone.run(*command)
        assert done.returncode == 0, done.stdout + done.stderr
    run = clone.run("mlci", "release", "--dry-run")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "flights v1.0.0: the first release" in run.stdout
    assert not clone.run("git", "status", "--porcelain").stdout


def test_dvc_shows_the_metrics_and_plots(reproduced: Clone):
    metrics = json.loads(reproduced.run("dvc", "metrics", "diff", "HEAD~0", "--all", "--json").stdout)
    assert "roc_auc" in json.dumps(metrics)
    plots = reproduced.run("dvc", "plots", "show", "--json")
    assert "ROC curve" in plots.stdout, plots.stderr


def test_too_many_missing_values_are_blocked_by_name_number_and_line(clone: Clone):
    file = clone.root / "data/flights.parquet"
    flights = pd.read_parquet(file)
    flights.loc[flights.sample(frac=0.06, random_state=1).index, "temp"] = None
    flights.to_parquet(file, index=False)
    run = clone.run("mlci", "data", "check", "flights")
    assert run.returncode == 1
    line = next(i for i, text in enumerate((clone.root / "params.yaml").read_text().splitlines(), 1) if '"*"' in text)
    assert "temp" in run.stdout
    assert f"params.yaml:{line}" in run.stdout
    report = json.loads((clone.root / "reports/data-flights.json").read_text())
    broken = [finding for finding in report["verdict"]["findings"] if finding["outcome"] == "fail"]
    assert [finding["data"]["column"] for finding in broken] == ["temp"]
    assert broken[0]["data"]["share"] == pytest.approx(0.06, abs=0.005)
    assert len(broken[0]["data"]["examples"]["rows"]) == 10


def test_an_equally_good_model_is_not_blocked(clone: Clone):
    clone.train_with(seed=2)
    clone.repro()
    run = clone.run("mlci", "compare")
    assert run.returncode == 0, run.stdout
    assert clone.verdict()["comparisons"][0]["status"] == "compared"


def test_a_dropped_feature_is_blocked(clone: Clone):
    params = yaml.safe_load((clone.root / "params.yaml").read_text())
    clone.train_with(numeric=[name for name in params["train"]["numeric"] if name not in WEATHER])
    clone.repro("test")  # without training four times more
    run = clone.run("mlci", "compare")
    assert run.returncode == 1
    assert "Blocked: ROC AUC, all rows: 0.759" in run.stdout
    assert "params.yaml:" in run.stdout


def test_shuffled_labels_are_blocked(clone: Clone):
    script = clone.root / "models/train.py"
    text = script.read_text()
    changed = text.replace('flights["disrupted"])', 'flights["disrupted"].sample(frac=1, random_state=1).to_numpy())')
    assert changed != text
    script.write_text(changed)
    run = clone.run("dvc", "repro")
    assert run.returncode != 0
    assert "ROC AUC floor, all rows" in run.stdout
    assert clone.run("mlci", "compare").returncode == 1
    assert "Blocked" in clone.run("mlci", "report").stdout


def test_a_model_that_only_knows_the_prior_is_blocked_by_the_simplest_one(clone: Clone):
    """The floor would stop it in the stage already; without one it takes `beats`, also on a first run."""
    file = clone.root / "models/predictions.parquet"
    answers = pd.read_parquet(file)
    prior = pd.read_parquet(clone.root / "data/train.parquet")["disrupted"].mean()
    answers.assign(score=prior, prediction=int(prior >= 0.2)).to_parquet(file, index=False)
    run = clone.run("mlci", "compare")
    assert run.returncode == 1, run.stderr
    found = {finding["check"]: finding for finding in clone.verdict()["findings"]}
    majority = found["gate.beats.majority"]
    assert majority["outcome"] == "fail"
    assert (majority["gate"]["old"], majority["gate"]["new"]) == (0.5, 0.5)
    assert "The simple model is as good: the candidate has no advantage" in majority["message"]
    line = next(
        i for i, text in enumerate((clone.root / "params.yaml").read_text().splitlines(), 1) if "beats:" in text
    )
    assert majority["place"] == {"file": "params.yaml", "line": line}
    assert "The simple model is better, by at least" in found["gate.beats.logistic"]["message"]
