"""A schedule, an alarm, its issue; the next run updates it; healthy again, it is closed: under a real runner."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "monitor"))

from loop import REPOSITORY, Loop
from production import START
from shop import make
from user_project import PATH, UserProject

from mlci import __version__
from mlci.edges.monitor_state import REF
from mlci.flows.workflows import render_workflows
from mlci.nouns.workflows import WorkflowOptions


@pytest.fixture
def watched(tmp_path, github, host):
    """The loop of a project whose log of predictions is a folder, and the project."""
    folder = tmp_path / "made"
    folder.mkdir()
    shop = make(folder)
    (shop.root / ".gitignore").unlink()
    for path, text in render_workflows(WorkflowOptions(version=__version__, monitored=(".",))).items():
        (shop.root / path).parent.mkdir(parents=True, exist_ok=True)
        (shop.root / path).write_text(text)
    environment = {"PATH": PATH, "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    project = UserProject(shop.root, folder / "store", environment)
    project.commit("Watch production")
    project.git("branch", "-M", "main")
    project.git("remote", "remove", "origin")
    return Loop(tmp_path, github, host, project), shop


def scheduled(loop):
    """Run `monitor.yml` as the default branch has it, by the clock."""
    loop.project.commit("What was predicted since")
    loop.project.git("push", "--quiet", str(loop.bare), "HEAD:refs/heads/main")
    owner, name = REPOSITORY.split("/")
    event = {
        "schedule": "23 * * * *",
        "repository": {"name": name, "full_name": REPOSITORY, "default_branch": "main", "owner": {"login": owner}},
    }
    token = loop.token(loop.permissions("monitor.yml", "monitor"))
    return loop.runner.run((loop.bare, "main"), "monitor.yml", "schedule", event, token=token)


def test_an_alarm_becomes_an_issue_that_is_updated_and_closed(watched, github):
    loop, shop = watched
    first = (datetime.now(UTC) - START).days - 70
    shop.log(first, first + 3, count=400)
    shop.log(first + 3, first + 10, count=400, wrong=0.25)
    run = scheduled(loop)
    assert run.outcome == "success", run
    (issue,) = [one for one in github.issues() if "performance" in one["title"]]
    assert (issue["state"], issue["user"]["login"]) == ("open", "github-actions[bot]")
    assert (
        REF
        in subprocess.run(["git", "-C", loop.bare, "for-each-ref"], check=True, capture_output=True, text=True).stdout
    )

    shop.log(first + 10, first + 11, count=400, wrong=0.25)
    assert scheduled(loop).outcome == "success"
    (updated,) = [one for one in github.issues() if "performance" in one["title"]]
    assert (updated["number"], updated["state"]) == (issue["number"], "open")
    assert updated["body"] != issue["body"]

    shop.log(first + 11, first + 65, count=400)
    assert scheduled(loop).outcome == "success"
    assert {one["state"] for one in github.issues()} == {"closed"}
