"""A branch of our own: a commit made of files, and pushed only over what we know to be there.

No work tree, index, branch or configuration of the user's is touched.
"""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import git

from mlci.edges.own_refs import IDENTITY, OwnRefs, reason_of
from mlci.edges.scratch import scratch
from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_HEADS = "refs/heads/"
_DATES = ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE")


class Tip(NamedTuple):
    """The newest commit of a branch.

    Attributes:
        commit: In full; empty where there is no such branch.
        ours: Whether we made it: by its committer, whom nobody is by accident.
        message: Of the commit.
    """

    commit: str = ""
    ours: bool = True
    message: str = ""


class OwnBranch(OwnRefs):
    """A branch that is ours alone, in a repository and on its remote where it has one.

    Args:
        root: A folder of the repository.
        name: Of the branch.
    """

    def __init__(self, root: Path, name: str) -> None:
        super().__init__(root, "a branch of our own")
        self.name = name
        self._ref = f"{_HEADS}{name}"

    def tip(self) -> Tip:
        """What is there now, on the remote where there is one.

        Raises:
            WorldError: The remote can't be asked.
        """
        try:
            remote = self.remote
            commit = self._theirs(remote, self._ref) if remote is not None else self._tip(self._ref)
            if commit is None:
                return Tip()
            said = self._text("log", "-1", "--format=%ce%n%B", commit)
        except git.GitCommandError as error:
            raise WorldError(
                f"the branch {self.name} can't be read: {reason_of(error)}", "see that the remote answers"
            ) from error
        committer, _, message = said.partition("\n")
        return Tip(commit, committer == IDENTITY["GIT_COMMITTER_EMAIL"], message.strip())

    def newest(self, branch: str) -> str:
        """The newest commit of any branch, fetched; empty where there is none. Raises WorldError as `tip`."""
        return OwnBranch(Path(self._repo.git_dir), branch).tip().commit

    def commit(self, base: str, files: Mapping[str, Path | None], message: str, day: datetime | None = None) -> str:
        """A commit on top of another one, in which some files are as they are on disk.

        Args:
            base: The commit before.
            files: Where each file's content is, by its path from the top; None: it is removed. Links are kept as such.
            message: Of the commit.
            day: Its date, so that two runs that make the same on one day make the same commit; None: now.

        Raises:
            WorldError: A file can't be read.
        """
        with scratch("tree") as folder:
            env = {"GIT_INDEX_FILE": str(folder / "index")}
            self._git("read-tree", base, env=env)
            lines = [self._line(path, file) for path, file in sorted(files.items())]
            self._git("update-index", "-z", "--index-info", stdin="".join(lines).encode(), env=env)
            tree = self._text("write-tree", env=env)
        said = {} if day is None else dict.fromkeys(_DATES, f"{day.astimezone(UTC):%Y-%m-%d}T00:00:00Z")
        return self._text("commit-tree", tree, "-p", base, "-m", message, env={**IDENTITY, **said})

    def _line(self, path: str, file: Path | None) -> str:
        if file is None:
            return f"0 {'0' * 40}\t{path}\0"
        try:
            if file.is_symlink():
                content, mode = str(file.readlink()).encode(), "120000"
            else:
                content, mode = file.read_bytes(), "100755" if file.stat().st_mode & 0o100 else "100644"
        except OSError as error:
            raise WorldError(f"{path} can't be read: {error.strerror or error}") from error
        blob = self._git("hash-object", "-w", "--stdin", stdin=content).decode().strip()
        return f"{mode} {blob}\t{path}\0"

    def push(self, commit: str, expected: str) -> bool:
        """Let the branch be a commit, if it still is what was expected; False where somebody was faster.

        Args:
            commit: In full.
            expected: The commit that is there now; empty: there is no such branch.

        Raises:
            WorldError: The remote takes nothing.
        """
        try:
            remote = self.remote
            if remote is not None:
                lease = f"--force-with-lease={self._ref}:{expected}"
                self._git("push", "--quiet", "--no-verify", lease, remote, f"{commit}:{self._ref}")
            else:
                self._git("update-ref", self._ref, commit, expected or "0" * len(commit))
        except git.GitCommandError as error:
            now = self.tip().commit
            if now == commit:
                return True
            if now != expected:
                return False
            raise WorldError(
                f"the branch {self.name} can't be pushed: {reason_of(error)}",
                "it takes the right to push: in GitHub Actions `permissions: {contents: write}`",
            ) from error
        return True

    def take(self, bundle: Path) -> str:
        """The commit that a bundle brings, whose objects are put into the repository.

        Raises:
            WorldError: It is no bundle, or of another repository.
        """
        try:
            self._git(
                "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", str(bundle.resolve()), "HEAD"
            )
            return self._text("bundle", "list-heads", str(bundle.resolve()), "HEAD").split()[0]
        except (git.GitCommandError, IndexError) as error:
            said = reason_of(error) if isinstance(error, git.GitCommandError) else "it brings nothing"
            raise WorldError(f"{bundle.name} can't be taken: {said}", "let the run that trained run again") from error

    def parents(self, commit: str) -> tuple[str, ...]:
        """The commits right before one."""
        return tuple(self._text("rev-list", "--parents", "-n", "1", commit).split()[1:])

    def changed(self, old: str, new: str) -> tuple[str, ...]:
        """Paths from the top that differ between two commits."""
        text = self._text("diff", "--name-only", "--no-renames", "-z", old, new)
        return tuple(path for path in text.split("\0") if path)

    def is_before(self, commit: str, other: str) -> bool:
        """Whether a commit leads to another one, or is it."""
        try:
            self._git("merge-base", "--is-ancestor", commit, other)
        except git.GitCommandError:
            return False
        return True

    def default(self) -> str:
        """The branch that the remote merges into by default; empty where nobody says."""
        try:
            remote = self.remote
            said = self._text("ls-remote", "--symref", remote, "HEAD") if remote is not None else ""
        except git.GitCommandError as error:
            raise WorldError(f"the remote can't be asked: {reason_of(error)}", "see that it answers") from error
        first = said.partition("\n")[0].split()
        return first[1].removeprefix(_HEADS) if len(first) > 1 and first[0] == "ref:" else ""
