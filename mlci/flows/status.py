"""Where a project stands: its last verdict, and how used its test sets are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.flows.data_findings import REPORT, load_report
from mlci.flows.ledger import budget, moment, open_ledger, used
from mlci.flows.registry import Desk, history, releases, standings
from mlci.flows.verdict import project_name
from mlci.nouns.ledger import Ledger, Status

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from mlci.nouns.ledger import UsedTestSet
    from mlci.nouns.policy import PolicyFile


def status(root: Path, policy: PolicyFile, *, now: datetime | None = None) -> Status:
    """The last verdict and the uses of every test set.

    Args:
        root: Folder of the project.
        policy: Its policy.
        now: The moment, where the remote is to be asked for its entries first; None asks nobody.

    Raises:
        WorldError: The ledger or the last report cannot be read.
    """
    ledger = open_ledger(root)
    note = "" if ledger is not None else "There is no Git repository, so no use is counted."
    if ledger is not None and now is not None:
        told = ledger.fetch(moment(now))
        note = f"The remote could not be asked: {told.reason}" if told.sent == "kept" else ""
    known = ledger.read() if ledger is not None else Ledger()
    desk = Desk.open(root, policy, fetch=now is not None) if ledger is not None else None
    found = Status(
        project=project_name(root, policy),
        stages=standings(desk) if desk is not None else (),
        releases=releases(desk) if desk is not None else (),
        history=history(desk) if desk is not None else (),
        test_sets=_test_sets(known, budget(root, policy, known)),
        unsent=ledger is not None and ledger.unsent,
        note=note,
    )
    if not (root / REPORT).is_file():
        return found
    verdict = load_report(root, REPORT).verdict
    last = {"outcome": verdict.outcome, "headline": verdict.headline, "commit": verdict.commit}
    return found.model_copy(update=last)


def _test_sets(ledger: Ledger, own: UsedTestSet | None) -> tuple[UsedTestSet, ...]:
    newest_first = dict.fromkeys(use.test for use in reversed(ledger.uses))
    others = tuple(used(ledger, test) for test in newest_first if own is None or test != own.test)
    return others if own is None else (own, *others)
