"""What `dvc.lock` records of the outputs of the pipeline's stages."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from mlci.edges.files import digest
from mlci.errors import WorldError


def outputs(content: bytes) -> list[dict[str, Any]]:
    """All outputs that a `dvc.lock` or a `.dvc` file lists; none where it cannot be read."""
    return [out for holder in _holders(content) for out in _entries(holder, "outs")]


def _holders(content: bytes) -> list[dict[str, Any]]:
    """The stages of a lock, and the file itself: a `.dvc` file is one stage."""
    try:
        lock = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader
    except yaml.YAMLError:
        return []
    if not isinstance(lock, dict):
        return []
    stages = lock.get("stages")
    holders = [*(stages.values() if isinstance(stages, dict) else ()), lock]
    return [holder for holder in holders if isinstance(holder, dict)]


def _entries(holder: dict[str, Any], part: str) -> list[dict[str, Any]]:
    return [entry for entry in holder.get(part) or () if isinstance(entry, dict)]


def vouches(root: Path, made: str, read: str) -> bool:
    """Whether `dvc.lock` says that a file was made from a table as the table is now, though it is not at hand.

    Args:
        root: Folder of the project.
        made: The file, relative to the project; it is as its stage wrote it.
        read: The table, or a pattern of its files.
    """
    try:
        content = (root / "dvc.lock").read_bytes()
        now = digest(root / made, "md5")
    except (OSError, WorldError):
        return False
    for stage in _holders(content):
        if any(out.get("path") == made and out.get("md5") == now for out in _entries(stage, "outs")):
            deps = [dep for dep in _entries(stage, "deps") if _covers(str(dep.get("path")), read)]
            if deps and all(dep.get("md5") and dep["md5"] == _current(root, content, dep["path"]) for dep in deps):
                return True
    return False


def _covers(dep: str, path: str) -> bool:
    return dep == path or path.startswith(f"{dep}/")


def _current(root: Path, lock: bytes, path: str) -> str:
    """Digest that an output has by the lock, or by the `.dvc` file beside it."""
    if known := md5_of(lock, PurePosixPath(), path):
        return known
    beside = root / f"{path}.dvc"
    try:
        return md5_of(beside.read_bytes(), PurePosixPath(path).parent, path)
    except OSError:
        return ""


def md5_of(content: bytes, folder: PurePosixPath, path: str) -> str:
    """Digest of one output, told by its path relative to the project; empty where the file lists none."""
    for out in outputs(content):
        name = out.get("path")
        if isinstance(name, str) and (folder / name).as_posix() == path:
            return str(out.get("md5", ""))
    return ""


def recorded_md5(root: Path, path: Path) -> str | None:
    """Digest that DVC recorded for a file of the work tree, or None where it knows none."""
    try:
        inside = path.resolve().relative_to(root.resolve()).as_posix()
        content = (root / "dvc.lock").read_bytes()
    except (OSError, ValueError):
        return None
    return _current(root, content, inside) or None
