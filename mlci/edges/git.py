"""What Git knows: commits, the merge base, tags, and files as they were."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import git
import gitdb.exc  # type: ignore[import-untyped]  # it ships no types

from mlci.errors import PolicyError, WorldError

if TYPE_CHECKING:
    from collections.abc import Iterator

UNSHALLOW = "fetch the whole history: `git fetch --unshallow` (in GitHub Actions: `fetch-depth: 0`)"
_PASSWORD = re.compile(r"://[^/@\s]+@")
_PIECE = 1 << 20
_VERSION = re.compile(r"v(\d+)\.(\d+)\.(\d+)")


class History:
    """The commits of the repository that a folder belongs to; empty where there is no repository or no commit."""

    def __init__(self, root: Path) -> None:
        try:
            self.repo: git.Repo | None = git.Repo(root, search_parent_directories=True)
        except (git.InvalidGitRepositoryError, git.NoSuchPathError):
            self.repo = None
        except (git.GitError, OSError, ValueError) as error:
            raise WorldError(f"the Git repository of {root} cannot be read: {error}", "try `git fsck` there") from error
        top = self.repo.working_tree_dir if self.repo else None
        self.prefix = root.resolve().relative_to(_resolved(top)).as_posix() if top else "."

    @property
    def head(self) -> str:
        """The current commit in full, or empty where there is none."""
        if self.repo is None or not self.repo.head.is_valid():
            return ""
        return self.repo.head.commit.hexsha

    @property
    def dirty(self) -> bool:
        """Whether a tracked file differs from the current commit."""
        return self.dirty_besides()

    def dirty_besides(self, *paths: str) -> bool:
        """The same without some files of the project, such as those that the run itself writes."""
        if not self.head:
            return False
        return bool(
            self._git("diff", "--name-only", "HEAD", "--", ".", *(f":(exclude){self.path(one)}" for one in paths))
        )

    @property
    def shallow(self) -> bool:
        """Whether older commits were left out when this repository was cloned."""
        return self.repo is not None and self._git("rev-parse", "--is-shallow-repository") == "true"

    def commit(self, rev: str) -> str:
        """The commit that a revision names, in full.

        Raises:
            PolicyError: There is no such revision.
        """
        try:
            return self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}")
        except git.GitCommandError as error:
            mend = UNSHALLOW if self.shallow else "see `git log --oneline --all` for what there is"
            raise PolicyError(f"the repository has no revision {rev!r}", mend) from error

    def base_branch(self, wanted: str | None) -> str | None:
        """The branch that changes are merged into, as a revision: the remote's if there is one, else the local one.

        Args:
            wanted: The branch's name by policy; None looks for the remote's default, `main` and `master`.

        Returns:
            None where no branch was asked for and none was found.

        Raises:
            WorldError: The branch that was asked for is not there.
        """
        names = [wanted] if wanted else ["main", "master"]
        revisions: list[str] = [*(() if wanted else ["origin/HEAD"]), *(f"origin/{name}" for name in names), *names]
        for revision in revisions:
            if self.exists(revision):
                return revision
        if wanted:
            raise WorldError(
                f"the branch {wanted!r} is not in this repository",
                f"`git fetch origin {wanted}`, or name the right branch in `mlci.gate.branch`",
            )
        return None

    def merge_base(self, rev: str) -> str:
        """The newest commit that HEAD and a revision share.

        Raises:
            WorldError: There is none, or the history is too shallow to know.
        """
        try:
            return self._git("merge-base", "HEAD", rev)
        except git.GitCommandError as error:
            if self.shallow:
                raise WorldError(f"the history is too shallow to find what HEAD and {rev} share", UNSHALLOW) from error
            raise WorldError(
                f"HEAD and {rev} share no commit",
                "name the branch that you merge into in `mlci.gate.branch`, or choose a baseline with --baseline REV",
            ) from error

    def changed_since(self, commit: str) -> tuple[str, ...]:
        """Paths from the top that differ between a commit and the work tree, new files included and ignored ones not.

        Args:
            commit: In full; empty for every file.
        """
        new = self._git("ls-files", "--others", "--exclude-standard", "-z")
        known = (
            self._git("diff", "--name-only", "--no-renames", "-z", commit) if commit else self._git("ls-files", "-z")
        )
        return tuple(sorted({path for path in (*known.split("\0"), *new.split("\0")) if path}))

    def tracked(self, *patterns: str) -> tuple[str, ...]:
        """Tracked paths from the top that match one of Git's patterns."""
        return tuple(path for path in self._git("ls-files", "-z", "--", *patterns).split("\0") if path)

    def parent(self) -> str:
        """The first parent of the current commit, or empty where it has none."""
        return self.commit("HEAD^") if self.exists("HEAD^") else ""

    def before(self, commit: str, most: int) -> tuple[str, ...]:
        """A commit and those that lead to it, newest first."""
        return tuple(self._git("rev-list", f"--max-count={most}", commit).split())

    def touching(self, start: str, paths: tuple[str, ...]) -> Iterator[str]:
        """First-parent commits from `start` backwards that changed one of the paths, newest first."""
        text = self._git("log", "--first-parent", "--format=%H", start, "--", *(self.path(path) for path in paths))
        yield from text.split()

    def last_release(self, name: str) -> tuple[str, str] | None:
        """Tag and commit of the highest `name@vX.Y.Z` that HEAD contains, or None."""
        if not self.head:
            return None
        tags = self._git("tag", "--list", f"{name}@v*", "--merged", "HEAD").split()
        versions = {tag: match for tag in tags if (match := _VERSION.fullmatch(tag.removeprefix(f"{name}@")))}
        if not versions:
            return None
        tag = max(versions, key=lambda tag: tuple(int(part) for part in versions[tag].groups()))
        return tag, self.commit(tag)

    def blob(self, rev: str, path: str) -> str:
        """Git's digest of a file at a commit, or empty where Git does not hold it there."""
        try:
            return self._git("rev-parse", "--verify", "--quiet", f"{rev}:{self.path(path)}")
        except git.GitCommandError:
            return ""

    def tracks(self, path: str) -> bool:
        """Whether Git itself holds a file of the work tree, or will with the next commit."""
        return self.repo is not None and bool(self._git("ls-files", "--", self.path(path)))

    def ignores(self, path: str) -> bool:
        """Whether a file of the work tree is one that Git was told to leave out."""
        return self.repo is None or bool(self.repo.ignored(self.path(path)))

    def blob_here(self, path: Path) -> str:
        """What Git's digest of a file in the work tree would be."""
        return self._git("hash-object", "--", str(path.resolve()))

    def read(self, rev: str, path: str) -> bytes | None:
        """Content of a file at a commit, or None where Git does not hold it there."""
        known = self.blob(rev, path)
        if not known or self.repo is None:
            return None
        try:
            content: bytes = self.repo.odb.stream(bytes.fromhex(known)).read()
        except (gitdb.exc.ODBError, OSError, ValueError) as error:
            raise WorldError(f"{path} at {rev[:10]} cannot be read from Git: {error}", "try `git fsck`") from error
        return content

    def save(self, rev: str, path: str, target: Path) -> None:
        """Write a file's content at a commit, a piece at a time; an empty file where Git does not hold it there.

        Raises:
            OSError: The target cannot be written.
            WorldError: Git cannot read it.
        """
        known = self.blob(rev, path)
        with target.open("wb") as file:
            if not known or self.repo is None:
                return
            try:
                content = self.repo.odb.stream(bytes.fromhex(known))
                while piece := content.read(_PIECE):
                    file.write(piece)
            except (gitdb.exc.ODBError, ValueError) as error:
                raise WorldError(f"{path} at {rev[:10]} cannot be read from Git: {error}", "try `git fsck`") from error

    @property
    def branch(self) -> str | None:
        """The branch that is checked out; None where HEAD is detached."""
        return None if self.repo is None or self.repo.head.is_detached else str(self.repo.head.ref.name)

    def unfinished(self) -> tuple[str, ...]:
        """What was begun and neither finished nor given up: `merge`, `rebase`, `cherry-pick`, `revert`."""
        marks = {"MERGE_HEAD": "merge", "rebase-merge": "rebase", "rebase-apply": "rebase"}
        marks |= {"CHERRY_PICK_HEAD": "cherry-pick", "REVERT_HEAD": "revert"}
        folder = Path(self.repo.git_dir) if self.repo is not None else None
        return tuple(dict.fromkeys(what for mark, what in marks.items() if folder and (folder / mark).exists()))

    def remotes(self) -> dict[str, str]:
        """Addresses of the remotes by name, without passwords."""
        names = self._git("remote").split()
        return {name: _PASSWORD.sub("://", self._git("remote", "get-url", name)) for name in names}

    def unreachable(self, remote: str, patience: float) -> str:
        """Why a remote does not answer within some seconds, without passwords; empty where it does.

        Nobody is asked for a password or to trust a host.
        """
        if self.repo is None:
            return ""
        quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": "ssh -oBatchMode=yes", "LC_ALL": "C"}
        command = ["git", "-C", str(self.repo.working_tree_dir), "ls-remote", "--quiet", "--heads", "--", remote]
        try:
            subprocess.run(  # noqa: S603 - Git, with a remote that it named
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=patience,
                env=os.environ | quiet,
                check=True,
            )
        except subprocess.TimeoutExpired:
            return f"no answer within {patience:g} s"
        except subprocess.CalledProcessError as error:
            said = error.stderr.strip().splitlines()
            return _PASSWORD.sub("://", said[0]) if said else f"Git ended with {error.returncode}"
        return ""

    @property
    def top(self) -> Path | None:
        """The folder that holds the whole work tree; None where there is none."""
        top = self.repo.working_tree_dir if self.repo is not None else None
        return _resolved(top) if top else None

    def files(self, *, top: bool = False) -> tuple[str, ...]:
        """All files that Git tracks in the project, or from the top of the repository, relative to it."""
        prefix = "" if top or self.prefix == "." else f"{self.prefix}/"
        listed = self._git("ls-files", "-z", "--", prefix or ".").split("\0")
        return tuple(name.removeprefix(prefix) for name in listed if name)

    def tags(self) -> tuple[str, ...]:
        """All tags, the oldest first."""
        return tuple(self._git("tag", "--list", "--sort=creatordate").split())

    def message(self, commit: str) -> str:
        """The whole message of a commit."""
        return self._git("log", "-1", "--format=%B", commit)

    def path(self, path: str) -> str:
        """A path of the project, from the repository's top."""
        return path if self.prefix == "." else f"{self.prefix}/{path}"

    def exists(self, rev: str) -> bool:
        """Whether a revision names a commit that is at hand."""
        try:
            self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}")
        except git.GitCommandError:
            return False
        return True

    def _git(self, *arguments: str) -> str:
        if self.repo is None:
            raise WorldError("this folder is in no Git repository", "`git init`, and commit what you have")
        # From the top, so that a path means the same wherever the command was started.
        return str(self.repo.git.execute(["git", "-C", str(self.repo.working_tree_dir), *arguments])).strip()


def _resolved(top: str | os.PathLike[str]) -> Path:
    return Path(top).resolve()
