"""What a loop such as monitoring keeps between two looks, in a ref of its own: one JSON file a model, the newest only.

A look reads it, and writes the next one only if that is still what it read: of two looks at once one is told that
it lost, and looks again at what the other one left. So nothing is counted twice, whoever looks how often.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import git

from mlci.edges.files import read_text, write_text
from mlci.edges.own_refs import IDENTITY, OwnRefs, reason_of
from mlci.errors import WorldError

if TYPE_CHECKING:
    from pathlib import Path

REF = "refs/mlci/monitor"


class Kept(NamedTuple):
    """A state as it was read.

    Attributes:
        text: JSON; empty where there is none.
        version: What must still be there when the next one is written.
    """

    text: str
    version: str


class StateRef(OwnRefs):
    """The states in a repository, and on its remote where it has one.

    Args:
        root: A folder of the repository.
        ref: Where they are kept.
        what: Who keeps them: `monitoring`.
    """

    def __init__(self, root: Path, ref: str = REF, what: str = "monitoring") -> None:
        super().__init__(root, what)
        self.ref, self.what = ref, what

    def read(self, model: str) -> Kept:
        """The newest state of a model.

        Raises:
            WorldError: The remote can't be asked.
        """
        try:
            remote = self.remote
            tip = self._theirs(remote, self.ref) if remote is not None else self._tip(self.ref)
            if tip is None:
                return Kept("", "")
            path = f"{model}.json"
            if path not in self._text("ls-tree", "--name-only", "--full-tree", tip).splitlines():
                return Kept("", tip)
            return Kept(self._text("cat-file", "blob", f"{tip}:{path}"), tip)
        except git.GitCommandError as error:
            raise WorldError(
                f"what {self.what} keeps in {self.ref} can't be read: {reason_of(error)}", "see that the remote answers"
            ) from error

    def write(self, model: str, text: str, version: str) -> bool:
        """Keep the next state of a model; False where another look was faster.

        Args:
            model: Its name.
            text: JSON.
            version: Of what was read.

        Raises:
            WorldError: The remote takes nothing.
        """
        remote = self.remote
        commit = self._commit(model, text, version)
        try:
            if remote is not None:
                lease = f"--force-with-lease={self.ref}:{version}"
                self._git("push", "--quiet", "--no-verify", lease, remote, f"{commit}:{self.ref}")
                self._git("update-ref", self.ref, commit)
            else:
                self._git("update-ref", self.ref, commit, version or "0" * len(commit))
        except git.GitCommandError as error:
            if self.read(model).version != version:
                return False
            raise WorldError(
                f"what {self.what} keeps can't be written to {self.ref}: {reason_of(error)}",
                "who looks needs the right to push: in GitHub Actions `permissions: {contents: write}`",
            ) from error
        return True

    def _commit(self, model: str, text: str, version: str) -> str:
        """A commit without a parent: only the newest state is of use, and no look must make the repository grow."""
        listed = self._text("ls-tree", "--full-tree", version).splitlines() if version else []
        blob = self._git("hash-object", "-w", "--stdin", stdin=text.encode()).decode().strip()
        path = f"{model}.json"
        lines = [line for line in listed if line.split("\t", 1)[1] != path] + [f"100644 blob {blob}\t{path}"]
        tree = self._git("mktree", stdin="".join(f"{line}\n" for line in lines).encode()).decode().strip()
        return self._text("commit-tree", tree, "-m", f"Keep what {self.what} has seen", env=IDENTITY)


class StateFile:
    """A state in a file, for who looks without a repository."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, model: str) -> Kept:  # noqa: ARG002 - a file holds one model's
        """The state; none where there is no file."""
        text = read_text(self.path, str(self.path)) if self.path.exists() else ""
        return Kept(text, text)

    def write(self, model: str, text: str, version: str) -> bool:
        """Keep the next state, where the file still holds what was read."""
        if self.read(model).text != version:
            return False
        write_text(self.path, text)
        return True
