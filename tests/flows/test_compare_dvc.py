"""Earlier predictions that DVC keeps: in its cache, on a remote, or nowhere any more."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import People, Project


def dvc(project: Project, *arguments: str) -> None:
    command = Path(sys.executable).parent / "dvc"
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    subprocess.run([command, *arguments], cwd=project.root, check=True, capture_output=True, env=environment)


@pytest.fixture
def kept(project: Project, people: People, tmp_path: Path) -> Project:
    """Predictions kept by DVC, on a remote too; then a better model."""
    dvc(project, "init", "-q")
    dvc(project, "remote", "add", "-d", "store", str(tmp_path / "store"))
    wrong = people.wrong(0.1)
    project.write("predictions.parquet", **people.answers(wrong))
    dvc(project, "add", "-q", "predictions.parquet")
    dvc(project, "push", "-q")
    project.commit("A model")
    assert "predictions.parquet" not in project.git("ls-files").splitlines()
    project.git("checkout", "-qb", "better")
    project.write("predictions.parquet", **people.answers(wrong & people.wrong(0.5, 7)))
    dvc(project, "add", "-q", "predictions.parquet")
    project.commit("A better model")
    shutil.rmtree(project.root / ".cache", ignore_errors=True)
    return project


def test_the_cache_has_them(kept: Project):
    run = kept.mlci("compare")
    assert run.returncode == 0, run.stderr
    assert "any drop is ruled out" in run.stdout


def test_the_remote_has_them(kept: Project):
    shutil.rmtree(kept.root / ".dvc/cache")
    run = kept.mlci("compare")
    assert run.returncode == 0, run.stderr
    assert "any drop is ruled out" in run.stdout


def test_nobody_has_them_any_more(kept: Project, tmp_path: Path):
    shutil.rmtree(kept.root / ".dvc/cache")
    shutil.rmtree(tmp_path / "store")
    run = kept.mlci("compare")
    assert run.returncode == 3, run.stdout
    assert "predictions.parquet of commit" in run.stderr
    assert "neither in Git nor in DVC's cache or remote" in run.stderr
    assert "dvc pull" in run.stderr
    assert "Traceback" not in run.stderr
    assert not (kept.root / "reports/verdict.json").exists()


def test_an_unchanged_model_is_seen_through_its_dvc_file(kept: Project):
    kept.git("checkout", "-q", "main")
    dvc(kept, "checkout", "-q")
    kept.git("checkout", "-qb", "words")
    kept.commit("Words")
    run = kept.mlci("compare")
    assert run.returncode == 0, run.stderr
    assert "did not change" in run.stdout
