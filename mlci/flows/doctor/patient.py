"""The repository that is looked at: everything that checks share, read once and when it is needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from mlci.edges.git import History
from mlci.edges.policy_file import load_policy
from mlci.errors import MlciError
from mlci.nouns.diagnosis import Diagnosed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from mlci.nouns.base import Place
    from mlci.nouns.diagnosis import Group, Standing
    from mlci.nouns.policy import PolicyFile

    Check = Callable[["Patient"], Iterable[Diagnosed]]


@dataclass(frozen=True)
class Patient:
    """A project, and what may be asked.

    Attributes:
        root: Its folder.
        file: Its policy.
        offline: Whether no remote may be asked.
    """

    root: Path
    file: str = "params.yaml"
    offline: bool = False

    @cached_property
    def history(self) -> History:
        """Its Git repository."""
        return History(self.root)

    @cached_property
    def loaded(self) -> PolicyFile | MlciError:
        """The policy, or why there is none."""
        try:
            return load_policy(self.root, self.file)
        except MlciError as error:
            return error

    @property
    def policy(self) -> PolicyFile | None:
        """The policy, where it can be read."""
        return None if isinstance(self.loaded, MlciError) else self.loaded


@dataclass(frozen=True)
class Look:
    """Makes the lines of one check."""

    check: str
    group: Group

    def fine(self, says: str) -> Diagnosed:
        """Nothing to do."""
        return self._line("fine", says)

    def warning(self, says: str, mend: str, place: Place | None = None) -> Diagnosed:
        """The loop works, but less well or less safely."""
        return self._line("warning", says, mend, place)

    def failure(self, says: str, mend: str, place: Place | None = None) -> Diagnosed:
        """The loop would fail."""
        return self._line("failure", says, mend, place)

    def not_asked(self, says: str, mend: str) -> Diagnosed:
        """Nobody could look."""
        return self._line("not_asked", says, mend)

    def broken(self, error: MlciError) -> Diagnosed:
        """What an error says."""
        return self.failure(error.problem, error.mend)

    def _line(self, standing: Standing, says: str, mend: str = "", place: Place | None = None) -> Diagnosed:
        return Diagnosed(check=self.check, group=self.group, standing=standing, says=says, mend=mend, place=place)
