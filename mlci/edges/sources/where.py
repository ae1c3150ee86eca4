"""What a path of the policy names: files, objects behind a URL, a table of a database, or a lake."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from mlci.errors import WorldError

if TYPE_CHECKING:
    from pathlib import Path

Kind = Literal["files", "objects", "postgres", "sqlite", "delta", "iceberg"]

_SCHEMES: dict[str, Kind] = {
    "s3": "objects",
    "http": "objects",
    "https": "objects",
    "postgresql": "postgres",
    "postgres": "postgres",
    "sqlite": "sqlite",
}


def kind_of_source(root: Path, path: str) -> Kind:
    """What a path names.

    Raises:
        WorldError: It is a URL of a kind that is not read, or holds a password.
    """
    if "://" not in path:
        return _kind_of_folder(root / path)
    scheme = path.partition("://")[0].lower()
    kind = _SCHEMES.get(scheme)
    if kind is None:
        known = ", ".join(f"{name}://" for name in _SCHEMES)
        raise WorldError(
            f"{path}: DuckDB is given no tables of {scheme}://",
            f"It reads files and {known}; others fetch with `dvc import-url`, or measure with Spark (`mlci.engine`).",
        )
    if kind != "objects" and urlsplit(path).password:
        raise WorldError(
            f"{re.sub(':[^:@/]*@', ':…@', path)}: there is a password in the path, which is kept in Git and in reports",
            "Take it out, and give it by the variable PGPASSWORD or the file ~/.pgpass.",
        )
    return kind


def is_remote(path: str) -> bool:
    """Whether a table lies elsewhere than in the project's files."""
    return "://" in path


def _kind_of_folder(path: Path) -> Kind:
    if path.is_dir():
        if (path / "_delta_log").is_dir():
            return "delta"
        if next(iter((path / "metadata").glob("*.metadata.json")), None) is not None:
            return "iceberg"
    return "files"


def named_table(path: str) -> tuple[str, str]:
    """The database and the table of a path such as `postgresql://host/db#public.flights`.

    Raises:
        WorldError: It names no table.
    """
    database, _, table = path.partition("#")
    if not table:
        raise WorldError(f"{path} names a database, and no table of it", f"Write `{path}#table`, or `#schema.table`.")
    return database, table
