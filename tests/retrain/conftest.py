"""Fixtures of retraining: a project whose world changes, challengers that were made of it once, and GitHub here."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "forge"))

from seasons import JULY, MAY, OCTOBER, PATH, Seasons

from mlci.flows.retrain import retrain


@pytest.fixture(autouse=True)
def tools(monkeypatch):
    """Stages find Python and mlci, and no user's settings."""
    monkeypatch.setenv("PATH", PATH)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The project as of March."""
    folder = tmp_path_factory.mktemp("seasons")
    return Seasons(folder / "project/work", folder / "project/origin.git").make()


@pytest.fixture
def project(made, tmp_path):
    return made.copied(tmp_path / "project")


def _challenger(made, tmp_path_factory, now):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", PATH)
        patch.setenv("OMP_NUM_THREADS", "1")
        folder = tmp_path_factory.mktemp("challenger")
        project = made.copied(folder / "project")
        retrain(project.asked(now, by_hand=True, out=folder / "out"))
        return folder / "out"


@pytest.fixture(scope="session")
def better(made, tmp_path_factory):
    """The folder of a challenger of July, which is better."""
    return _challenger(made, tmp_path_factory, JULY)


@pytest.fixture(scope="session")
def worse(made, tmp_path_factory):
    """The folder of a challenger of October, which is worse."""
    return _challenger(made, tmp_path_factory, OCTOBER)


@pytest.fixture
def env(github, project):
    """What a job's environment says; pull requests show the origin's branches."""
    github.follow(project.origin)
    return {
        "GITHUB_REPOSITORY": github.repository,
        "GITHUB_API_URL": github.url,
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_RUN_ID": "7",
        "GITHUB_TOKEN": github.token(permissions=MAY),
    }
