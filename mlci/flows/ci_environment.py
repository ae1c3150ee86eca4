"""Which files a project's environment is installed from, told by their names alone."""

from __future__ import annotations

import fnmatch
import posixpath
import tomllib
from typing import Any

PHRASE = "environment "
"""How the phrase begins that tells of such a file."""
_NAMES = (
    "requirements*.txt",
    "requirements*.in",
    "constraints*.txt",
    "*requirements.txt",
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "pylock.toml",
    "pylock.*.toml",
    "Pipfile",
    "Pipfile.lock",
    "pixi.toml",
    "pixi.lock",
    "environment*.yml",
    "environment*.yaml",
    "conda-lock.yml",
    "setup.py",
    "setup.cfg",
    "renv.lock",
    ".python-version",
)
_FOLDER = "requirements"
_PROJECT = "pyproject.toml"
_OF_PROJECT = ("dependencies", "optional-dependencies", "requires-python", "dynamic")
_OF_TOOLS = ("uv", "poetry", "pdm", "hatch", "pixi")


def installs(path: str, folder: str) -> bool:
    """Whether a file of the repository is one that the environment of the project in a folder may come from.

    Those of the folders above count: a monorepo may have one environment for all.

    >>> [installs(path, "teams/one") for path in ("teams/one/uv.lock", "uv.lock", "teams/two/uv.lock", "one.txt")]
    [True, True, False, False]
    """
    place, name = posixpath.split(path)
    if posixpath.basename(place) == _FOLDER and name.endswith((".txt", ".in")):
        return _above(posixpath.dirname(place), folder)
    return _above(place, folder) and (name == _PROJECT or any(fnmatch.fnmatchcase(name, each) for each in _NAMES))


def differs(path: str, old: bytes | None, new: bytes | None) -> bool:
    """Whether the two contents install something else; of pyproject.toml, only what it depends on counts."""
    if posixpath.basename(path) != _PROJECT or old is None or new is None:
        return old != new
    try:
        return _dependencies(old) != _dependencies(new)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return True


def _above(place: str, folder: str) -> bool:
    return not place or folder == place or folder.startswith(f"{place}/")


def _dependencies(content: bytes) -> list[Any]:
    told = tomllib.loads(content.decode())
    project, tool = (found if isinstance(found := told.get(key), dict) else {} for key in ("project", "tool"))
    own = [project.get(key) for key in _OF_PROJECT]
    return [*own, *(told.get(key) for key in ("dependency-groups", "build-system")), *map(tool.get, _OF_TOOLS)]
