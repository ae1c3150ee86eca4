"""Count the uses of test sets: who asks, what is entered, and how much of the budget is left."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from mlci.edges.git import History
from mlci.edges.ledger import LedgerRef
from mlci.flows.data_findings import table_digest
from mlci.flows.verdict import gate_digest
from mlci.nouns.ledger import Asked, Use, UsedTestSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path

    from mlci.nouns.finding import Comparison, Verdict
    from mlci.nouns.ledger import Key, Ledger
    from mlci.nouns.policy import PolicyFile
    from mlci.nouns.report import Report

_NEWEST = 5


def open_ledger(root: Path) -> LedgerRef | None:
    """The ledger of the repository that a folder belongs to; None outside of one."""
    return LedgerRef(root) if History(root).repo is not None else None


def moment(now: datetime) -> str:
    """A moment as the ledger writes it, in UTC: `2026-03-01T12:00:00.000000Z`."""
    return f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def use_key(root: Path, policy: PolicyFile, candidate: str, comparisons: Iterable[Comparison]) -> Key | None:
    """What a run asks of the test set; None where it asks nothing new of it.

    Args:
        root: Folder of the project.
        policy: What the candidate is judged by.
        candidate: SHA-256 of its predictions.
        comparisons: What it was set against; nothing is asked of a test set by a model that did not change.
    """
    gate = policy.policy.gate
    if gate is None:
        return None
    return _key(table_digest(root, gate.test), candidate, tuple(comparisons), gate_digest(gate))


def verdict_key(verdict: Verdict) -> Key | None:
    """The same, of a verdict from elsewhere: by the digests that it names, which are its own word."""
    told = verdict.digests
    return _key(told.test, told.predictions, verdict.comparisons, told.gate) if told.test and told.gate else None


def _key(test: str, candidate: str, told: tuple[Comparison, ...], gate: str) -> Key | None:
    if not candidate or (told and all(item.status == "unchanged" for item in told)):
        return None
    baselines = tuple(sorted({item.model for item in told if item.status == "compared" and item.model}))
    return test, candidate, baselines, gate


def asked_of(
    root: Path, policy: PolicyFile, candidate: str, comparisons: Iterable[Comparison], change: str = ""
) -> Asked:
    """Which use of its test set a run is, and which look of its pull request, by what this clone knows.

    It only reads, so that a run that nobody trusts can ask.

    Args:
        root: Folder of the project.
        policy: As for `use_key`.
        candidate: As for `use_key`.
        comparisons: As for `use_key`.
        change: The pull request that asks. A branch is none: its name is used again for the next one.

    Raises:
        WorldError: The ledger cannot be read.
    """
    key = use_key(root, policy, candidate, comparisons)
    ledger = open_ledger(root) if key is not None else None
    if ledger is None or key is None or not ledger.begun:
        return Asked()
    known = ledger.read()
    return Asked(known.number(key), known.look(change, key) if change else None)


def catch_up(root: Path, now: datetime, say: Callable[[str], None]) -> None:
    """Learn what others entered, and count from now on. Raises WorldError where a ledger cannot be read or written."""
    ledger, at = LedgerRef(root), moment(now)
    told = ledger.fetch(at)
    ledger.begin(at)
    if told.sent == "kept":
        say(f"the remote's ledger could not be asked: {told.reason}")


def record(
    root: Path,
    policy: PolicyFile,
    report: Report,
    *,
    now: datetime,
    change: str = "",
    vouch: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Enter the use that a comparison made of its test set, and share it with the remote.

    Args:
        root: Folder of the project.
        policy: What was judged by.
        report: What came out.
        now: The moment.
        change: The pull request that asked; default: the branch.
        vouch: Whether the verdict is to be kept as evidence for a release: only for one that was judged here,
            never for one that somebody else's job sent.
        say: Told what became of the entry.

    Raises:
        WorldError: There is no repository, or the ledger cannot be read or written.
    """
    verdict = report.verdict
    key = use_key(root, policy, verdict.digests.predictions, verdict.comparisons)
    if key is None:
        say("nothing new was asked of the test set: the model did not change")
    if key is None and not vouch:
        return
    ledger = LedgerRef(root)
    uses = [_use(key, verdict, change or ledger.branch, moment(now))] if key is not None else []
    told = ledger.add(uses, moment(now), evidence=(report,) if vouch else ())
    what = "this use of the test set" if uses else "the verdict"
    match told.sent:
        case "sent":
            say(f"recorded {what}")
        case "alone":
            say(f"recorded {what}; there is no remote to share it with")
        case "kept":
            say(f"recorded {what} here; it is sent with the next one ({told.reason})")


def _use(key: Key, verdict: Verdict, change: str, at: str) -> Use:
    test, candidate, baselines, policy = key
    return Use(
        test=test,
        candidate=candidate,
        baselines=baselines,
        policy=policy,
        commit=verdict.commit,
        change=change,
        outcome=verdict.outcome,
        at=at,
    )


def budget(root: Path, policy: PolicyFile, ledger: Ledger) -> UsedTestSet | None:
    """How used the policy's test set is; None where there is no such table."""
    gate = policy.policy.gate
    if gate is None or not (root / gate.test).is_file():
        return None
    return used(ledger, table_digest(root, gate.test), gate.test, gate.reuse)


def used(ledger: Ledger, test: str, path: str = "", planned: int | None = None) -> UsedTestSet:
    """How used one test set is, with its newest uses."""
    uses = ledger.of(test)
    return UsedTestSet(test=test, path=path, used=len(uses), planned=planned, uses=uses[: -_NEWEST - 1 : -1])
