"""Read what a run left that nobody trusts: every name and every byte of it may be hostile."""

from __future__ import annotations

import math
import os
import re
import stat
import zipfile
import zlib
from typing import TYPE_CHECKING, NamedTuple

import pydantic_core
from pydantic import ValidationError

from mlci.nouns.publish import Artefact, Found
from mlci.nouns.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NAME, INDEX = "report.json", "index.json"
TOP = "."
"""The project whose folder is the repository's own."""
MOST_BYTES = 8_000_000
"""Bytes of one report; ours are below one million."""
MOST_FILES = 5_000
MOST_DEPTH = 12
MOST_PROJECTS = 20
_MOST_NESTED = 60
_MOST_VALUES = 1_000_000
_MOST_TEXT = 200_000
_LARGEST = 2**63
_MOST_PATH = 1_000
_PROJECT = re.compile(r"[\w@+.-][\w@+. -]{0,99}(?:/[\w@+.-][\w@+. -]{0,99})*")


class RefusedError(ValueError):
    """Something of an artefact breaks the rules, in words that are fit to be shown."""


class _Entry(NamedTuple):
    name: str
    read: Callable[[], bytes]


def read_artefact(source: Path, projects: tuple[str, ...] = ()) -> Artefact:
    """The reports of an unpacked artefact, or of a ZIP file that is not unpacked.

    `index.json` says which folder inside is whose: `{"models-churn": "models/churn"}`. Without it, `report.json` at the
    top is that of the project `.`, and where there is none, `<project>/report.json` are those of several projects.
    Nothing else is read, and no link is followed.

    Args:
        source: A folder, or a ZIP file.
        projects: Folders of the projects to look for; none looks for what is there.
    """
    try:
        entries = {entry.name: entry for entry in _entries(source)}
        there = _reports(entries)
        looked = projects or _few(tuple(there))
        found = tuple(_found(project, entries.get(there.get(project, ""))) for project in looked)
    except RefusedError as error:
        return Artefact(problem=str(error))
    except OSError as error:
        return Artefact(problem=f"what the run left cannot be read: {error.strerror or type(error).__name__}")
    return Artefact(found=found)


def _few(projects: tuple[str, ...]) -> tuple[str, ...]:
    if len(projects) > MOST_PROJECTS:
        raise RefusedError(f"the run left reports of {len(projects)} projects; name yours with --project")
    return projects


def _reports(entries: dict[str, _Entry]) -> dict[str, str]:
    """Where the report of each project is."""
    if INDEX in entries:
        return {project: f"{folder}/{NAME}" for folder, project in _index(entries[INDEX].read()).items()}
    if NAME in entries:
        return {TOP: NAME}
    names = sorted(name for name in entries if name.endswith(f"/{NAME}"))
    return {project: name for name in names if _is_project(project := name.removesuffix(f"/{NAME}"))}


def _index(data: bytes) -> dict[str, str]:
    try:
        value = pydantic_core.from_json(data[:MOST_BYTES])
    except ValueError as error:
        raise RefusedError(f"the {INDEX} that the run left is no JSON") from error
    pairs = list(value.items()) if isinstance(value, dict) else []
    plain = all(isinstance(project, str) and (project == TOP or _is_project(project)) for _, project in pairs)
    if not pairs or not plain or len({project for _, project in pairs}) < len(pairs):
        raise RefusedError(f"the {INDEX} that the run left names no projects")
    return dict(pairs)


def _is_project(name: str) -> bool:
    return _PROJECT.fullmatch(name) is not None and not {".", ".."} & set(name.split("/"))


def _found(project: str, entry: _Entry | None) -> Found:
    if entry is None:
        return Found(project=project, problem="the run left no report")
    try:
        return Found(project=project, report=parse_report(entry.read()))
    except RefusedError as error:
        return Found(project=project, problem=str(error))
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        return Found(project=project, problem=f"the report cannot be read ({type(error).__name__})")


def parse_report(data: bytes) -> Report:
    """A report from bytes that may be hostile.

    Raises:
        RefusedError: It is too large, no JSON, nested too deeply, or no report of this version of mlci.
    """
    if len(data) > MOST_BYTES:
        raise RefusedError(f"the report is larger than {MOST_BYTES // 1_000_000} MB")
    try:
        value = pydantic_core.from_json(data, allow_inf_nan=False, cache_strings=False)
    except ValueError as error:
        raise RefusedError("the report is no JSON, or nested too deeply") from error
    _bounded(value)
    try:
        return Report.model_validate(value)
    except ValidationError as error:
        raise RefusedError("the report is none of this version of mlci") from error


def _bounded(value: object) -> None:
    """Refuse what a renderer should not have to think of: depth, sheer number, infinities, texts without an end."""
    left = [(value, 0)]
    seen = 0
    while left:
        item, depth = left.pop()
        seen += 1
        inner = list(item.values()) if isinstance(item, dict) else item if isinstance(item, list) else []
        names = list(item) if isinstance(item, dict) else []
        endless = isinstance(item, float) and not math.isfinite(item)
        huge = isinstance(item, int) and abs(item) >= _LARGEST
        long = any(len(text) > _MOST_TEXT for text in (item, *names) if isinstance(text, str))
        if depth > _MOST_NESTED or seen + len(left) > _MOST_VALUES or endless or huge or long:
            raise RefusedError("the report holds values that no report has")
        left += [(each, depth + 1) for each in inner]


def _entries(source: Path) -> Iterator[_Entry]:
    """Every file, by its path inside; refuses the whole where one entry is none that a report needs."""
    known = source.lstat() if source.is_symlink() or source.exists() else None
    if known is None:
        return
    if stat.S_ISREG(known.st_mode):
        yield from _zipped(source)
    elif stat.S_ISDIR(known.st_mode):
        yield from _counted(_walked(str(source), ""))
    else:
        raise RefusedError("what the run left is neither a folder nor a file")


def _counted(entries: Iterator[_Entry]) -> Iterator[_Entry]:
    for count, entry in enumerate(entries, start=1):
        if count > MOST_FILES:
            raise RefusedError(f"the run left more than {MOST_FILES:,} files")
        yield entry


def _walked(folder: str, above: str) -> Iterator[_Entry]:
    with os.scandir(folder) as items:
        for item in items:
            name = _checked(f"{above}{item.name}")
            if item.is_dir(follow_symlinks=False):
                yield from _walked(item.path, f"{name}/")
            elif item.is_file(follow_symlinks=False):
                yield _Entry(name, lambda path=item.path: _bytes(path))  # type: ignore[misc]  # mypy knows no defaults
            else:
                raise RefusedError("the run left a link or a device; only files are read")


def _bytes(path: str) -> bytes:
    # Were the file a link by now, it would not be followed; were it a pipe, nobody would wait for it.
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        return file.read(MOST_BYTES + 1)


def _zipped(source: Path) -> Iterator[_Entry]:
    try:
        with zipfile.ZipFile(source) as archive:
            items = archive.infolist()
            names = [item.filename for item in items]
            if len(items) > MOST_FILES or len(set(names)) < len(names):
                raise RefusedError("the run left too many files, or two of one name")
            for item in items:
                kind = stat.S_IFMT(item.external_attr >> 16)
                if kind not in {0, stat.S_IFREG, stat.S_IFDIR} or item.flag_bits & 1:
                    raise RefusedError("the run left a link, a device or a locked file; only files are read")
                name = _checked(item.filename.rstrip("/"))
                if not item.is_dir():
                    # Read now, because the archive is closed when the reports are looked at.
                    data = _unzipped(archive, item) if name.rpartition("/")[2] in {NAME, INDEX} else b""
                    yield _Entry(name, lambda data=data: data)  # type: ignore[misc]  # mypy knows no defaults
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
        raise RefusedError("what the run left is no ZIP file") from error


def _unzipped(archive: zipfile.ZipFile, item: zipfile.ZipInfo) -> bytes:
    with archive.open(item) as file:
        return file.read(MOST_BYTES + 1)


def _checked(name: str) -> str:
    """A path that stays inside."""
    parts = name.split("/")
    leads_elsewhere = "\\" in name or any(part in {"", ".", ".."} for part in parts) or re.match("[A-Za-z]:", name)
    if leads_elsewhere or len(parts) > MOST_DEPTH or len(name) > _MOST_PATH:
        raise RefusedError("the run left a file whose path leads elsewhere, or is too long")
    return name
