"""Compare, and count the use that this made of the test set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.flows.compare import compare
from mlci.flows.ledger import catch_up, record
from mlci.flows.report import save

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from mlci.nouns.finding import Finding
    from mlci.nouns.policy import PolicyFile
    from mlci.nouns.report import Report


def compare_and_save(
    root: Path,
    policy: PolicyFile,
    *,
    baseline: str | None = None,
    base: str | None = None,
    extra: tuple[Finding, ...] = (),
    now: datetime | None = None,
    change: str = "",
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Judge the candidate and keep the verdict in reports/.

    Args:
        root: Folder of the project.
        policy: What the gate promises.
        baseline: A revision to compare with instead of the policy's baselines.
        base: The merge base, where the caller knows it.
        extra: Findings of the pipeline, which come first.
        now: The moment, where the use is to be entered in the ledger and shared; None enters nothing.
        change: The pull request that asks: its looks share alpha. Where none is named, the branch is entered.
        say: Told what is being done.

    Raises:
        PolicyError: As `compare`.
        WorldError: As `compare`; or the ledger cannot be read or written.
    """
    if now is not None:
        catch_up(root, now, say)
    report = compare(root, policy, baseline=baseline, change=change, base=base, extra=extra, say=say)
    save(root, report)
    if now is not None:
        record(root, policy, report, now=now, change=change, vouch=True, say=say)
    return report
