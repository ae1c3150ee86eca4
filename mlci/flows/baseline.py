"""Find what the candidate is compared with, by itself: the merge base, the previous version, the last release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mlci.errors import WorldError

if TYPE_CHECKING:
    from mlci.edges.git import History
    from mlci.edges.revisions import Revisions
    from mlci.nouns.policy import Gate, Model

_SHORT = 10


@dataclass(frozen=True)
class Baseline:
    """One thing to compare with.

    Attributes:
        name: `merge-base`, `previous`, `release`, or the revision that was asked for.
        commit: In full; empty where there is none.
        status: `found`, or why there is nothing to compare.
        reason: In words.
        version: Digest of its model or predictions.
        answers: Digest of its predictions; empty where the commit names none.
        same_model: Whether its model is the candidate's; its answers may differ all the same, by another threshold.
    """

    name: str
    commit: str
    status: Literal["found", "first_run", "unchanged"]
    reason: str = ""
    version: str = ""
    answers: str = ""
    same_model: bool = False


class Finder:
    """Looks for baselines in one repository. A version is told by its model and its predictions."""

    def __init__(
        self, history: History, revisions: Revisions, model: Model, gate: Gate, merge_base: str | None = None
    ) -> None:
        self.history = history
        self.known_merge_base = merge_base
        self.revisions = revisions
        self.model = model
        self.gate = gate
        here = revisions.root / model.path
        self.artefact = model.path if here.is_file() else gate.predictions

    def find(self, asked: str | None) -> tuple[Baseline, ...]:
        """All baselines of the policy, or the one that was asked for; each version once.

        Raises:
            PolicyError: The revision that was asked for does not exist.
            WorldError: The history is too shallow, or the branch is not there.
        """
        if asked is not None:
            return (self._at(asked, self.history.commit(asked)),)
        if not self.history.head:
            return (Baseline("previous", "", "first_run", "The repository has no commit yet."),)
        found: list[Baseline] = []
        for kind in self.gate.baseline:
            one = (
                self._release() if kind == "release" else self._previous() if kind == "previous" else self._merge_base()
            )
            if one is not None and not any(_same(one, other) for other in found):
                found.append(one)
        return tuple(found) or (self._previous(),)

    def _merge_base(self) -> Baseline:
        if self.known_merge_base is not None:
            return self._at("merge-base", self.known_merge_base)
        branch = self.history.base_branch(self.gate.branch)
        base = self.history.merge_base(branch) if branch is not None else self.history.head
        return self._previous() if base == self.history.head else self._at("merge-base", base)

    def _release(self) -> Baseline | None:
        found = self.history.last_release(self.model.name)
        return self._at("release", found[1]) if found else None

    def _at(self, name: str, commit: str) -> Baseline:
        version, answers = self._version(commit), self.revisions.version(commit, self.gate.predictions)
        if not version:
            return Baseline(name, commit, "first_run", f"Commit {commit[:_SHORT]} has no {self.artefact} yet.")
        same = version == self._here(version)
        reason = f"The model is the one of {commit[:_SHORT]}." if same else ""
        status: Literal["found", "unchanged"] = "unchanged" if same and self._answers_alike(answers) else "found"
        return Baseline(name, commit, status, reason, version, answers, same)

    def _answers_alike(self, answers: str) -> bool:
        """Whether nothing is known to tell the predictions apart."""
        return not answers or self.revisions.version_here(self.gate.predictions, answers) in {answers, ""}

    def _previous(self) -> Baseline:
        """The newest version in the history that differs from the work tree's."""
        paths = dict.fromkeys((self.artefact, self.gate.predictions))
        files = (*paths, "dvc.lock", *(f"{path}.dvc" for path in paths))
        for commit in self.history.touching(self.history.head, files):
            one = self._at("previous", commit)
            if one.status == "found":
                return one
        if self.history.shallow:
            raise WorldError(
                "the history is too shallow to find the previous model",
                "fetch the whole history: `git fetch --unshallow` (in GitHub Actions: `fetch-depth: 0`)",
            )
        return Baseline("previous", "", "first_run", "The history holds no earlier version of the model.")

    def _version(self, commit: str) -> str:
        return self.revisions.version(commit, self.artefact)

    def _here(self, like: str) -> str:
        return self.revisions.version_here(self.artefact, like)


def _same(one: Baseline, other: Baseline) -> bool:
    alike = one.version == other.version and one.answers == other.answers
    return one.commit == other.commit or bool(one.version and alike)
