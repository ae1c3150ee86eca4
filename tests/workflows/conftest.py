"""Fixtures of the loop: GitHub's API and Git's server on this machine, and a project that lives there."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "forge"))

from githost import GitHost
from loop import Loop, copied
from user_project import PATH, UserProject

from mlci import __version__
from mlci.flows.workflows import render_workflows
from mlci.nouns.workflows import WorkflowOptions


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """A project with mlci's workflows: its first model on `main`, and branches with changes that ran on a laptop.

    `more-steps` is as good; `cap-ages` is worse for people over 50, and `no-cap` is as good again, on top of that.
    """
    folder = tmp_path_factory.mktemp("project")
    environment = {
        "PATH": PATH,
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(folder / "site"),
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
        "GIT_CONFIG_NOSYSTEM": "1",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    project = UserProject(folder / "work", folder / "remote", environment)
    project.make(render_workflows(WorkflowOptions(version=__version__)))
    project.branch("more-steps", ("params.yaml", "steps: 40", "steps: 44"))
    project.branch("cap-ages", ("params.yaml", "oldest: 90", "oldest: 60"))
    back = ("params.yaml", "oldest: 60", "oldest: 90"), ("params.yaml", "steps: 40", "steps: 44")
    project.branch("no-cap", *back, start="cap-ages")
    project.git("switch", "--quiet", "main")
    return project


@pytest.fixture
def host(tmp_path):
    with GitHost(tmp_path / "git") as running:
        yield running


@pytest.fixture
def loop(tmp_path, github, shop, host):
    return Loop(tmp_path, github, host, copied(shop, tmp_path / "work"))
