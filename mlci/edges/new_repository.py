"""Begin a repository: `git init`, `dvc init`, which files a folder holds, and the first commit."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import git

from mlci.edges.captured import Tail, captured, quiet_stdout
from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SKIPPED = {"__pycache__", "node_modules", "site-packages", "venv", "env", "reports", "build", "dist", "mlruns"}
MOST_FILES = 20_000


def list_files(root: Path) -> tuple[str, ...]:
    """Files of a folder and those below, ignored ones too, relative to it; at most `MOST_FILES`.

    What is hidden, and what holds packages, caches or reports, is left out.
    """
    found: list[str] = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED)
        found += [Path(folder, name).relative_to(root).as_posix() for name in sorted(names) if not name.startswith(".")]
        if len(found) >= MOST_FILES:
            break
    return tuple(found[:MOST_FILES])


@contextlib.contextmanager
def begun(root: Path, *, new_git: bool, new_dvc: bool) -> Iterator[None]:
    """Run `git init` and `dvc init` as wanted, and take them back if the block fails.

    Raises:
        WorldError: One of them fails.
    """
    made = [root / name for name, wanted in ((".git", new_git), (".dvc", new_dvc)) if wanted]
    ignore = root / ".dvcignore"
    made += [ignore] if new_dvc and not ignore.exists() else []
    try:
        if new_git:
            _git_init(root)
        if new_dvc:
            _dvc_init(root)
        yield
    except BaseException:
        for path in made:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        raise


def _git_init(root: Path) -> None:
    try:
        git.Repo.init(root, initial_branch="main").close()
    except (git.GitError, OSError) as error:
        raise WorldError(f"`git init` failed in {root}: {error}", "see whether the folder can be written") from error


def _dvc_init(root: Path) -> None:
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    try:
        from dvc.exceptions import DvcException  # noqa: PLC0415 - DVC takes a second to load
        from dvc.repo import Repo  # noqa: PLC0415 - as above
    except ImportError as error:
        raise WorldError(
            "DVC is not installed, which keeps data and runs the pipeline", '`pip install "mlci[dvc]"`'
        ) from (error)
    top = git.Repo(root, search_parent_directories=True).working_tree_dir
    try:
        with quiet_stdout():
            Repo.init(str(root), subdir=Path(str(top)).resolve() != root.resolve()).close()
    except (DvcException, OSError) as error:
        raise WorldError(f"`dvc init` failed: {error}", "run `dvc init` yourself, then `mlci init` again") from error


def dvc_root(root: Path) -> bool:
    """Whether DVC knows the folder, or one above it in the same repository."""
    for folder in (root.resolve(), *root.resolve().parents):
        if (folder / ".dvc").is_dir():
            return True
        if (folder / ".git").exists():
            return False
    return False


def branch_merged_into(root: Path) -> str:
    """The branch that changes are merged into: the remote's default, `main`, `master`, or the current one."""
    try:
        repo = git.Repo(root, search_parent_directories=True)
    except (git.GitError, OSError):
        return "main"
    with repo:
        try:
            default = str(repo.git.symbolic_ref("--quiet", "--short", "refs/remotes/origin/HEAD"))
        except git.GitCommandError:
            known = {head.name for head in repo.heads}
            known |= {ref.name.removeprefix("origin/") for ref in repo.refs if ref.name.startswith("origin/")}
            current = "main" if repo.head.is_detached else str(repo.head.ref.name)
            return next((name for name in ("main", "master") if name in known), current)
    return default.removeprefix("origin/")


def has_remote(root: Path) -> bool:
    """Whether DVC's configuration names a remote, without asking DVC."""
    for folder in (root.resolve(), *root.resolve().parents):
        for name in (".dvc/config", ".dvc/config.local"):
            file = folder / name
            if file.is_file() and "remote" in file.read_text(encoding="utf-8", errors="replace"):
                return True
        if (folder / ".git").exists():
            break
    return False


def reproduce_all(root: Path) -> None:
    """`dvc repro` in a folder; what the stages print goes to stderr.

    Raises:
        WorldError: A stage fails.
    """
    from dvc.exceptions import DvcException  # noqa: PLC0415 - DVC takes a second to load
    from dvc.repo import Repo  # noqa: PLC0415 - as above

    try:
        with captured(Tail()), contextlib.chdir(root), Repo(str(root)) as repo:
            repo.reproduce("dvc.yaml")
    except DvcException as error:
        raise WorldError(
            f"the pipeline did not run: {error}", "mend what it says above, then `dvc repro`, and commit"
        ) from error


def changed_files(root: Path) -> frozenset[str]:
    """Paths from the top that are new or differ from the last commit."""
    with git.Repo(root, search_parent_directories=True) as repo:
        told = repo.git.status("--porcelain", "-z", "--untracked-files=all", "--no-renames")
    return frozenset(entry[3:] for entry in told.split("\0") if entry)


def commit_files(root: Path, paths: Iterable[str], message: str) -> str:
    """Commit some files, and leave all else that differs or is staged as it is; gives the commit.

    Raises:
        WorldError: Git refuses, as where it does not know who commits.
    """
    with git.Repo(root, search_parent_directories=True) as repo:
        listed = sorted(paths)
        try:
            top = str(repo.working_tree_dir)
            repo.git.execute(["git", "-C", top, "add", "--", *listed])
            repo.git.execute(["git", "-C", top, "commit", "--quiet", "--message", message, "--only", "--", *listed])
        except git.GitCommandError as error:
            said = " ".join(str(error.stderr).replace("stderr:", "").split()).strip("' ")
            raise WorldError(
                f"Git did not commit: {said[:300]}",
                "`git config --global user.name` and `user.email` tell Git who you are; then `git add .`, `git commit`",
            ) from error
        return repo.head.commit.hexsha
