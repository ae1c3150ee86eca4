"""Small repositories with a pipeline, to score and to break."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from doctor_repositories import PIPELINE_TO_SCORE as PIPELINE
from doctor_repositories import POLICY_TO_SCORE as POLICY
from doctor_repositories import Repository

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def empty(tmp_path: Path) -> Repository:
    root = tmp_path / "repository"
    root.mkdir()
    made = Repository(root)
    made.git("init", "-q", "-b", "main")
    made.git("config", "user.name", "A Tester")
    made.git("config", "user.email", "tester@example.org")
    return made


@pytest.fixture
def repository(empty: Repository) -> Repository:
    """A policy, a pipeline with code of its own, and nothing that runs it."""
    empty.write("params.yaml", f"train: {{seed: 1}}\n{POLICY}")
    empty.write("dvc.yaml", PIPELINE)
    empty.write("features.py", "print('person,age,sex,ill')\n")
    empty.write("train.py", "import sys\n")
    empty.commit()
    return empty
