"""Evidence: a verdict on exactly what a commit holds, by exactly its policy, wherever the verdict was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from mlci.edges.policy_file import parse_policy
from mlci.edges.revisions import Revisions
from mlci.errors import PolicyError
from mlci.flows.data_findings import REPORT
from mlci.flows.ledger import open_ledger
from mlci.flows.verdict import judged_paths, policy_digest
from mlci.nouns.finding import Digests
from mlci.nouns.report import Report

if TYPE_CHECKING:
    from pathlib import Path

    from mlci.edges.git import History
    from mlci.nouns.finding import Verdict
    from mlci.nouns.policy import PolicyFile


class Evidence(NamedTuple):
    """What speaks for a commit.

    Attributes:
        subject: What the commit holds: the versions of the judged files, and the policy.
        reports: All verdicts on exactly that, with what was measured; those of the ledger first.
        elsewhere: A verdict that lies in reports/ but speaks of something else, if that is all there is.
    """

    subject: Digests
    reports: tuple[Report, ...]
    elsewhere: Verdict | None = None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts alone."""
        return tuple(one.verdict for one in self.reports)

    @property
    def differs(self) -> tuple[str, ...]:
        """Of what the verdict in reports/ speaks otherwise: paths, and `the policy`."""
        if self.elsewhere is None:
            return ()
        theirs, ours = self.elsewhere.digests, self.subject
        paths = sorted(path for path in theirs.versions | ours.versions if _differ(theirs, ours, path))
        return (*paths, *(("the policy",) if theirs.policy != ours.policy else ()))


def _differ(one: Digests, other: Digests, path: str) -> bool:
    return one.versions.get(path) != other.versions.get(path)


def policy_at(history: History, commit: str, file: str) -> PolicyFile:
    """The policy as a commit has it.

    Raises:
        PolicyError: It has none, or a wrong one.
    """
    text = history.read(commit, file)
    if text is None:
        raise PolicyError(f"commit {commit[:10]} has no {file}", "commit the policy with the model that it gates")
    return parse_policy(text.decode("utf-8", "replace"), file)


def subject_at(root: Path, history: History, commit: str, policy: PolicyFile) -> Digests:
    """What a commit names of the judged files, without reading them: a clone without any data can tell."""
    revisions = Revisions(root, history)
    versions = {path: known for path in judged_paths(policy.policy) if (known := revisions.version(commit, path))}
    return Digests(policy=policy_digest(policy.policy), versions=versions)


def evidence_at(root: Path, history: History, commit: str, policy: PolicyFile) -> Evidence:
    """Every verdict on what a commit holds: in the ledger, and the last one of this work tree.

    Args:
        root: Folder of the project.
        history: Of its repository.
        commit: In full.
        policy: As the commit has it.

    Raises:
        WorldError: The ledger cannot be read.
    """
    subject = subject_at(root, history, commit, policy)
    ledger = open_ledger(root)
    known = ledger.evidence(subject.subject) if ledger is not None else ()
    here = _last(root)
    if here is None:
        return Evidence(subject, known)
    if here.verdict.digests.subject == subject.subject:
        return Evidence(subject, (*known, here.evidence))
    return Evidence(subject, known, here.verdict)


def _last(root: Path) -> Report | None:
    try:
        return Report.model_validate_json((root / REPORT).read_bytes())
    except (OSError, ValidationError):
        # None was made, or it is of an older version, or broken: it speaks for nothing, and is not worth a stop.
        return None
