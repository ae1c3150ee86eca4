"""The repository that is looked at: everything that checks share, read once and when it is needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from mlci.edges.dvc_stages import read_stages
from mlci.edges.dvc_state import probe_remote, read_pipeline
from mlci.edges.files import read_text
from mlci.edges.git import History
from mlci.edges.policy_file import load_policy
from mlci.edges.workflows import read_workflows
from mlci.errors import MlciError
from mlci.nouns.diagnosis import Diagnosed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from mlci.nouns.automation import Stage, Workflow
    from mlci.nouns.base import Place
    from mlci.nouns.diagnosis import Group, Standing
    from mlci.nouns.policy import PolicyFile
    from mlci.nouns.storage import Pipeline, Probe

    Check = Callable[["Patient"], Iterable[Diagnosed]]


@dataclass(frozen=True)
class Patient:
    """A project, and what may be asked.

    Attributes:
        root: Its folder.
        file: Its policy.
        offline: Whether no remote may be asked.
        patience: Seconds to wait for a remote.
        environment: Names the token, the repository and the API of GitHub, as on its runners.
    """

    root: Path
    file: str = "params.yaml"
    offline: bool = False
    patience: float = 30
    environment: Mapping[str, str] = field(default_factory=dict)

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

    @property
    def token(self) -> str:
        """A token of the forge; empty where nobody gave one."""
        return self.environment.get("GITHUB_TOKEN", "") or self.environment.get("GH_TOKEN", "")

    @cached_property
    def files(self) -> frozenset[str]:
        """All files that Git tracks in the project."""
        return frozenset(self.history.files())

    @cached_property
    def stages(self) -> tuple[Stage, ...] | MlciError:
        """The stages of dvc.yaml, or why they cannot be read."""
        file, lock = self.root / "dvc.yaml", self.root / "dvc.lock"
        try:
            text = read_text(file, "dvc.yaml") if file.is_file() else ""
            return read_stages(text, lock.read_bytes() if lock.is_file() else None)
        except MlciError as error:
            return error

    @cached_property
    def pipeline(self) -> Pipeline | MlciError:
        """What DVC says of the pipeline, or why it says nothing."""
        try:
            return read_pipeline(self.root)
        except MlciError as error:
            return error

    @cached_property
    def probe(self) -> Probe:
        """What the default remote of DVC answers."""
        return probe_remote(self.root, self.patience)

    @property
    def has_remote(self) -> bool:
        """Whether DVC has a default remote."""
        return not isinstance(self.pipeline, MlciError) and bool(self.pipeline.remote)

    @cached_property
    def workflows(self) -> tuple[Workflow, ...]:
        """What the forge runs."""
        return read_workflows(self.history.top) if self.history.top is not None else ()


_MOST = 4


def listed(names: Iterable[str]) -> str:
    """The first names of a list, and how many more there are."""
    names = tuple(names)
    shown = ", ".join(names[:_MOST])
    return f"{shown} and {len(names) - _MOST} more" if len(names) > _MOST else shown


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
