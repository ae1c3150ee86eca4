"""Small real tables and the whole check of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from data_project import Project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def outcome(project: Project) -> Callable[[str, dict[str, Any], str], str]:
    """The outcome of one word about a column `x` with these values."""

    def of(values: str, entry: dict[str, Any], word: str) -> str:
        project.values(values)
        return project.column(entry, word).outcome

    return of
