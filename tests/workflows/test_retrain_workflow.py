"""An alarm, a retraining pull request with the gate on its head; the next run updates it; a worse one is refused."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "retrain"))

from loop import REPOSITORY, Loop
from seasons import Seasons

from mlci import __version__
from mlci.flows.workflows import render_workflows
from mlci.nouns.workflows import WorkflowOptions

pytestmark = pytest.mark.slow


@pytest.fixture
def seasons(tmp_path, github, host):
    """The loop of a project whose world changes; six months are known."""
    folder = tmp_path / "made"
    project = Seasons(folder / "work", folder / "origin.git").make()
    for path, text in render_workflows(WorkflowOptions(version=__version__, retrained=(".",))).items():
        (project.root / path).parent.mkdir(parents=True, exist_ok=True)
        (project.root / path).write_text(text)
    project.call("dvc", "remote", "modify", "-q", "store", "url", str(folder / "store"))
    project.policy(cooldown="0s")
    project.git("remote", "remove", "origin")
    loop = Loop(tmp_path, github, host, project)
    github.follow(loop.bare)
    return loop


def known(loop, months):
    """Let so many months be known, and let that be merged."""
    (loop.project.root / "data/known").write_text(f"{months}\n")
    loop.project.call("dvc", "repro", "-q")
    loop.project.call("dvc", "push", "-q")
    loop.project.commit(f"{months} months are known")


def run(loop, kind="schedule", **inputs):
    """Run `retrain.yml` as the default branch has it."""
    owner, name = REPOSITORY.split("/")
    repository = {"name": name, "full_name": REPOSITORY, "default_branch": "main", "owner": {"login": owner}}
    told = {"schedule": "41 4 * * *"} if kind == "schedule" else {"inputs": inputs}
    # One token for both jobs: act gives every job the same.
    token = loop.token(loop.permissions("retrain.yml", "offer"))
    return loop.runner.run((loop.bare, "main"), "retrain.yml", kind, {**told, "repository": repository}, token=token)


def test_an_alarm_becomes_a_pull_request_that_is_updated_and_a_worse_challenger_is_refused(seasons, github):
    known(seasons, 6)
    assert run(seasons).outcome == "success"
    assert github.pulls() == []

    seasons.project.alarm("performance", said="accuracy has fallen to 51 %")
    first = run(seasons)
    assert first.outcome == "success", first
    (pull,) = github.pulls()
    assert (pull["state"], pull["user"]["login"], pull["base"]["ref"]) == ("open", "github-actions[bot]", "main")
    assert "performance alarm: accuracy has fallen to 51 %" in pull["body"]
    head = pull["head"]["sha"]
    assert head == seasons.git("rev-parse", "retrain/shop").strip()
    assert {check["name"]: check["conclusion"] for check in github.checks(head)} == {
        "mlci": "success",
        "mlci verdict": "success",
    }
    assert "any drop is ruled out" in github.comments(pull["number"])[0]["body"]
    assert {"refs/mlci/retrain", "refs/mlci/ledger"} <= set(seasons.refs())

    seasons.project.alarm("performance", "calibration", said="accuracy has fallen to 50 %")
    assert run(seasons).outcome == "success"
    (again,) = github.pulls()
    assert (again["number"], again["head"]["sha"]) == (pull["number"], head)
    assert "accuracy has fallen to 50 %" in again["body"]

    known(seasons, 9)
    refused = run(seasons, "workflow_dispatch", to="2013-09", again="false")
    assert refused.outcome == "success", refused
    assert "Blocked: accuracy" in refused.summary
    (kept,) = github.pulls()
    assert (kept["state"], kept["head"]["sha"]) == ("open", head)
    assert '"refused"' in seasons.git("show", "refs/mlci/retrain:shop.json")
