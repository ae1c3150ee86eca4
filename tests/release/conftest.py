"""A released model, and GitHub on this machine."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "embed"))
sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))
sys.path.insert(0, str(Path(__file__).parents[1] / "forge"))

from typing import TYPE_CHECKING

from release_project import make
from repositories import People, Project
from signers import key_pair

if TYPE_CHECKING:
    from forge_emulator import GitHub


@pytest.fixture
def people() -> People:
    return People()


@pytest.fixture
def project(tmp_path) -> Project:
    (tmp_path / "elsewhere").mkdir()
    return Project(tmp_path / "elsewhere")


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    make(folder)
    return folder


@pytest.fixture
def ready(made, tmp_path) -> Project:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return Project(tmp_path / "repository")


@pytest.fixture(scope="session")
def made_release(made, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("released")
    shutil.copytree(made, folder, dirs_exist_ok=True)
    done = Project(folder / "repository").mlci("release")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def released(made_release, tmp_path) -> Project:
    """A project whose only model is people v1.0.0."""
    shutil.copytree(made_release, tmp_path, dirs_exist_ok=True)
    return Project(tmp_path / "repository")


@pytest.fixture
def keys(tmp_path) -> tuple[Path, Path]:
    return key_pair(tmp_path, "team")


@pytest.fixture
def forge(github, monkeypatch) -> GitHub:
    """The same, as a job that may write contents and deployments sees it."""
    permissions = {"contents": "write", "deployments": "write"}
    for name, value in {
        "GITHUB_API_URL": github.url,
        "GITHUB_REPOSITORY": github.repository,
        "GITHUB_TOKEN": github.token(permissions=permissions),
    }.items():
        monkeypatch.setenv(name, value)
    return github
