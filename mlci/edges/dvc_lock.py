"""What `dvc.lock` records of the outputs of the pipeline's stages."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import yaml


def outputs(content: bytes) -> list[dict[str, Any]]:
    """All outputs that a `dvc.lock` or a `.dvc` file lists; none where it cannot be read."""
    try:
        lock = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader
    except yaml.YAMLError:
        return []
    if not isinstance(lock, dict):
        return []
    stages = lock.get("stages")
    holders = [*(stages.values() if isinstance(stages, dict) else ()), lock]
    found = [out for holder in holders if isinstance(holder, dict) for out in holder.get("outs") or ()]
    return [out for out in found if isinstance(out, dict)]


def md5_of(content: bytes, folder: PurePosixPath, path: str) -> str:
    """Digest of one output, told by its path relative to the project; empty where the file lists none."""
    for out in outputs(content):
        name = out.get("path")
        if isinstance(name, str) and (folder / name).as_posix() == path:
            return str(out.get("md5", ""))
    return ""


def recorded_md5(root: Path, path: Path) -> str | None:
    """Digest that DVC recorded for a file of the work tree, or None where it knows none."""
    lock = root / "dvc.lock"
    try:
        inside = path.resolve().relative_to(root.resolve()).as_posix()
        content = lock.read_bytes()
    except (OSError, ValueError):
        return None
    return md5_of(content, PurePosixPath(), inside) or None
