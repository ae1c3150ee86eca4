"""A throw-away clone at a commit, with DVC's cache and remotes: what runs there touches nobody's files."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import git

from mlci.edges.captured import quiet_stdout
from mlci.edges.git import UNSHALLOW, History
from mlci.edges.own_refs import reason_of
from mlci.edges.scratch import scratch
from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PLACE = "tmp/mlci-retrain"
_LOCK = "tmp/mlci-retrain.lock"
_SECRETS = ("GITHUB_TOKEN", "GH_TOKEN", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "GIT_CONFIG_COUNT")


@contextlib.contextmanager
def alone(root: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Wait for another retraining that runs in this work tree, so that this one sees what that one offered.

    A project without DVC has no place for the lock, and one that can't be written to needs none.
    """
    dvc = next((each for each in (root.resolve(), *root.resolve().parents) if (each / ".dvc").is_dir()), None)
    with contextlib.ExitStack() as ends:
        if dvc is not None and os.access(dvc / ".dvc", os.W_OK):
            file = dvc / ".dvc" / _LOCK
            file.parent.mkdir(exist_ok=True)
            lock = ends.enter_context(file.open("w"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("waiting for another retraining in this work tree")
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def scratch_clone(root: Path, commit: str) -> Iterator[Path]:
    """The project's folder in a clone at a commit, gone at the end; what a killed run left is cleared away.

    Args:
        root: Folder of the project.
        commit: In full; it is at hand.

    Raises:
        WorldError: The repository can't be cloned, or DVC's settings can't be shared.
    """
    history = History(root)
    if history.repo is None or history.top is None:
        raise WorldError("retraining needs a Git repository", "`git init`, and commit what you have")
    if history.shallow:
        raise WorldError("the history is too shallow to start a branch from", UNSHALLOW)
    dvc = next((each for each in (root.resolve(), *root.resolve().parents) if (each / ".dvc").is_dir()), None)
    with contextlib.ExitStack() as ends:
        try:
            clone = ends.enter_context(scratch("retrain", dvc / ".dvc" / _PLACE if dvc is not None else None))
            _clone(history, clone, commit)
            if dvc is not None and dvc.is_relative_to(history.top):
                _share_storage(dvc, clone / dvc.relative_to(history.top))
        except OSError as error:
            raise WorldError(f"the repository cannot be cloned: {error}", "free some space, or make it writable") from (
                error
            )
        yield clone / history.prefix


def _clone(history: History, clone: Path, commit: str) -> None:
    assert history.repo is not None  # noqa: S101 - asked before
    top = str(history.top)
    quiet = ("-c", f"core.hooksPath={os.devnull}", "-c", "advice.detachedHead=false")
    try:
        client = git.Git(top)
        client.execute(["git", "clone", "--quiet", "--shared", "--no-checkout", top, str(clone)])
        client.execute(["git", "-C", str(clone), *quiet, "checkout", "--quiet", "--detach", commit])
        refs = "+refs/mlci/*:refs/mlci/*"
        client.execute(["git", "-C", str(clone), "fetch", "--quiet", "--no-auto-gc", top, refs])
        remotes = history.repo.git.remote().split()
        if remotes:
            name = "origin" if "origin" in remotes else remotes[0]
            url = str(history.repo.git.remote("get-url", name))
            here = Path(top) / url
            client.execute(
                ["git", "-C", str(clone), "remote", "set-url", "origin", str(here) if here.is_dir() else url]
            )
        else:
            client.execute(["git", "-C", str(clone), "remote", "remove", "origin"])
    except git.GitCommandError as error:
        raise WorldError(f"the repository cannot be cloned: {reason_of(error)}", "try `git fsck`") from error


def _share_storage(original: Path, clone: Path) -> None:
    """Let a clone use the original's cache and credentials, and find remotes that are folders."""
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    try:
        from dvc.config import Config  # noqa: PLC0415 - DVC takes a second to load
        from dvc.exceptions import DvcException  # noqa: PLC0415
        from dvc.repo import Repo  # noqa: PLC0415
    except ImportError as error:
        raise WorldError(
            "this project has a DVC pipeline, and DVC is not installed", '`pip install "mlci[dvc]"`'
        ) from error
    try:
        with quiet_stdout(), Repo(str(original)) as repo:
            cache = str(repo.cache.local_cache_dir)
            folders = {name: str(told["url"]) for name, told in repo.config["remote"].items() if _is_folder(told)}
        if (local := original / ".dvc/config.local").is_file():
            shutil.copy(local, clone / ".dvc/config.local")
        with Config(str(clone / ".dvc")).edit("local") as settings:
            settings["cache"]["dir"] = cache
            for name, url in folders.items():
                settings["remote"].setdefault(name, {})["url"] = url
    except DvcException as error:
        raise WorldError(f"DVC's settings cannot be shared: {error}", "see what `dvc doctor` says") from error


def _is_folder(remote: dict[str, str]) -> bool:
    return "://" not in str(remote.get("url", "://"))


@contextlib.contextmanager
def without_secrets() -> Iterator[None]:
    """Hide from whatever runs meanwhile the tokens by which a job may write; a stage of a pipeline needs none."""
    hidden = {name: os.environ.pop(name) for name in _SECRETS if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)


def commit_here(clone: Path, commit: str) -> None:
    """Let a clone's HEAD be a commit that holds what its work tree holds."""
    _git(clone, "reset", "--quiet", "--mixed", commit)


def write_bundle(clone: Path, base: str, file: Path) -> None:
    """Write what a clone's HEAD has more than a commit into a file that Git can fetch from.

    Raises:
        WorldError: Git can't.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    _git(clone, "bundle", "create", "--quiet", str(file.resolve()), f"{base}..HEAD", "HEAD")


def _git(clone: Path, *arguments: str) -> str:
    try:
        return str(git.Git(str(clone)).execute(["git", "-C", str(clone), *arguments]))
    except git.GitCommandError as error:
        raise WorldError(f"git {arguments[0]} failed: {reason_of(error)}", "try `git fsck`") from error
