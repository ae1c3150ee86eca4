"""A team that has a first model on main, and is about to change it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from team import FILES, RAW, Team, dvc_init, set_up

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The team's folder after the author pushed a first model to main."""
    team = Team(tmp_path_factory.mktemp("team"))
    author = team.author
    author.root.mkdir()
    team.store.mkdir()
    set_up(author)
    for name, text in FILES.items():
        author.write(name, text)
    dvc_init(author)
    subprocess.run([sys.executable, "-c", RAW], cwd=author.root, check=True)
    author.dvc("add", "raw.csv")
    author.repro()
    author.commit("A first model")
    author.dvc("push")
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(team.origin)], check=True)
    author.git("remote", "add", "origin", team.origin.as_uri())
    author.git("push", "-q", "origin", "main")
    return team.folder


@pytest.fixture
def team(built: Path, tmp_path: Path) -> Team:
    """A copy of the team, with the author on a branch of a pull request."""
    copy = Team(tmp_path / "team")
    shutil.copytree(built, copy.folder, symlinks=True)
    copy.author.git("remote", "set-url", "origin", copy.origin.as_uri())
    copy.author.git("checkout", "-qb", "change")
    copy.author.git("fetch", "-q", "origin")
    return copy
