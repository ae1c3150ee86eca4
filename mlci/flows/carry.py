"""The last verdict on what a commit holds: kept in Git, as evidence, or by the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from mlci.errors import MlciError
from mlci.flows.data_findings import VERDICT
from mlci.flows.evidence import evidence_at, policy_at
from mlci.flows.ledger import open_ledger
from mlci.nouns.comment import Earlier
from mlci.nouns.finding import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from mlci.edges.git import History

_FAR = 200
"""Commits before the base that are looked at."""


def carried(root: Path, history: History, base: str, policy_file: str) -> Earlier | None:
    """The newest verdict on what the base holds, or on a commit before it; None where nobody kept one.

    Args:
        root: Folder of the project.
        history: Of the repository.
        base: The commit, in full.
        policy_file: Name of the policy file inside the project.
    """
    return _in_git(history, base) or _evidence(root, history, base, policy_file) or _used(root, history, base)


def _in_git(history: History, base: str) -> Earlier | None:
    text = history.read(base, VERDICT)
    if text is None:
        return None
    try:
        return _told(Verdict.model_validate_json(text), base)
    except ValidationError:
        return None


def _evidence(root: Path, history: History, base: str, policy_file: str) -> Earlier | None:
    try:
        found = evidence_at(root, history, base, policy_at(history, base, policy_file)).verdicts
    except MlciError:
        # What is only told beside a verdict must not keep it from being told.
        return None
    return _told(found[-1], base) if found else None


def _told(verdict: Verdict, base: str) -> Earlier:
    return Earlier(commit=verdict.commit or base, outcome=verdict.outcome, headline=verdict.headline)


def _used(root: Path, history: History, base: str) -> Earlier | None:
    ledger = open_ledger(root)
    if ledger is None or not ledger.begun:
        return None
    uses = {use.commit: use for use in ledger.read().uses}
    found = next((uses[commit] for commit in history.before(base, _FAR) if commit in uses), None)
    return Earlier(commit=found.commit, outcome=found.outcome) if found is not None else None
