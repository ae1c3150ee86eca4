"""A throw-away copy of the work tree in which a pipeline runs, without touching the one that people work in."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import git

from mlci.edges.scratch import scratch
from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlci.edges.dvc_pipeline import Pipeline

_PLACE = "tmp/mlci-seeds"
_LEFT_OUT = {".git", ".hg", ".dvc", ".cache", ".venv", "venv", "node_modules", "__pycache__"}


@dataclass(frozen=True)
class WorkCopy:
    """The copy, and what it is a copy of.

    Attributes:
        original: Top of the work tree.
        top: Top of the copy.
    """

    original: Path
    top: Path

    def here(self, path: Path) -> Path:
        """Where a file of the work tree is in the copy."""
        return self.top / placed(path).relative_to(self.original)


def placed(path: Path) -> Path:
    """The path without links above the file; a file that is itself a link, as into DVC's cache, stays where it is."""
    return path.parent.resolve() / path.name


@contextlib.contextmanager
def work_copy(pipeline: Pipeline, needs: Iterable[Path], without: Iterable[Path]) -> Iterator[WorkCopy]:
    """Copy what Git holds or would hold as it is now, and the data that is needed; all gone at the end.

    It lies in `.dvc/tmp`, on the disk of the data, where neither Git nor DVC looks. What an earlier run that was killed
    left behind is cleared away.

    Args:
        pipeline: Of the work tree.
        needs: Files and folders to copy, whether or not Git knows them.
        without: Files and folders to leave out: what the pipeline is to make.

    Raises:
        WorldError: Something that is needed is not there, or the disk is full.
    """
    place = pipeline.root / ".dvc" / _PLACE
    top, files = _files(pipeline.root)
    left_out = [placed(path) for path in without]
    with contextlib.ExitStack() as ends:
        try:
            copy = WorkCopy(top, ends.enter_context(scratch("seeds", place)))
            for path in [*files, *(each for need in needs for each in _inside(placed(need), top))]:
                if not any(path == out or out in path.parents for out in left_out):
                    _copy(path, copy.top / path.relative_to(top))
            _configure(copy.top / pipeline.root.relative_to(top), pipeline.cache)
        except OSError as error:
            raise WorldError(
                f"the work tree cannot be copied to {place}: {error}", "free some space there, or make it writable"
            ) from error
        yield copy


def _files(root: Path) -> tuple[Path, list[Path]]:
    """The top of the work tree, and the files there that are in Git or could be added to it."""
    try:
        repository = git.Repo(root, search_parent_directories=True)
        top = Path(str(repository.working_tree_dir)).resolve()
        listed = str(repository.git.ls_files("-z", "--cached", "--others", "--exclude-standard"))
    except (git.InvalidGitRepositoryError, git.NoSuchPathError):
        return root, list(_walk(root))
    except git.GitError as error:
        raise WorldError(f"the files of {root} cannot be listed: {error}", "try `git status` there") from error
    return top, [top / name for name in dict.fromkeys(listed.split("\0")) if name and _is_file(top / name)]


def _is_file(path: Path) -> bool:
    return path.is_symlink() or path.is_file()


def _walk(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _LEFT_OUT]
        yield from (Path(folder) / name for name in names)
    if (config := root / ".dvc/config").is_file():
        yield config


def _inside(path: Path, top: Path) -> Iterator[Path]:
    """A file, or all files of a folder.

    Raises:
        WorldError: It is not there, or not in the repository.
    """
    if not path.is_relative_to(top):
        return
    if not path.exists():
        shown = path.relative_to(top)
        raise WorldError(f"{shown} is not there", f"`dvc pull {shown}`, or `dvc repro`")
    yield from ([each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path])


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink() and not source.resolve().is_file():
        target.unlink(missing_ok=True)
        target.symlink_to(source.readlink())
        return
    # A link into DVC's cache must become a file of its own: a stage may write into it.
    shutil.copyfile(source, target)
    target.chmod(source.stat().st_mode | 0o200)


def _configure(root: Path, cache: Path) -> None:
    """A DVC repository by itself: the same cache, and no Git around it."""
    folder = root / ".dvc"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config").touch()
    lines = ["[core]", "no_scm = true", "analytics = false", f"site_cache_dir = {folder / 'tmp/site'}"]
    lines += ["[cache]", f"dir = {cache}"]
    (folder / "config.local").write_text("\n".join([*lines, ""]), encoding="utf-8")
