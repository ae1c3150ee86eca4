from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from repositories import POLICY, People, Project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def project_in() -> type[Project]:
    """For fixtures that make repositories of their own."""
    return Project


@pytest.fixture
def people() -> People:
    return People()


@pytest.fixture
def project(tmp_path: Path, people: People) -> Project:
    root = tmp_path / "repository"
    root.mkdir()
    made = Project(root)
    made.git("init", "-q", "-b", "main")
    made.git("config", "user.name", "A Tester")
    made.git("config", "user.email", "tester@example.org")
    (root / ".gitignore").write_text("reports/\n.cache/\n")
    (root / "params.yaml").write_text(POLICY)
    made.write("test.parquet", person=people.person, age=people.age, ill=people.ill)
    return made
