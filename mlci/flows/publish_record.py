"""Count the use of the test set that a published verdict speaks of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mlci.edges.ledger import LedgerRef
from mlci.flows.ledger import moment, verdict_key
from mlci.nouns.ledger import Use

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from mlci.nouns.publish import Subject, Told

_DIGEST = re.compile(r"([a-z0-9]{1,10}:)?[0-9a-f]{32,64}(\.dir)?")
"""Also as DVC and Git tell a version: `md5:…`, `git:…`."""
_MOST_BASELINES = 10


def record_uses(
    root: Path, told: tuple[Told, ...], subject: Subject, now: datetime, say: Callable[[str], None] = lambda _: None
) -> None:
    """Enter what the verdicts asked of their test sets, and share it with the remote.

    The commit and the pull request are the forge's word; digests are the verdict's own, and what is none is left out.

    Args:
        root: The repository.
        told: What every project came to; one without a verdict asked nothing that we know of.
        subject: What the run was about.
        now: The moment.
        say: Told what became of the entries.

    Raises:
        WorldError: There is no repository, or the ledger cannot be read or written.
    """
    uses = [use for each in told if (use := _use(each, subject, moment(now))) is not None]
    if not uses:
        say("nothing new was asked of a test set")
        return
    sent = LedgerRef(root).add(uses, moment(now))
    words = {"sent": "recorded", "alone": "recorded here; there is no remote", "kept": "recorded here, and not sent"}
    say(f"{words[sent.sent]}: {len(uses)} use{'s' if len(uses) > 1 else ''} of a test set {sent.reason}".rstrip())


def _use(told: Told, subject: Subject, at: str) -> Use | None:
    verdict = told.report.verdict if told.report is not None else None
    # Where nothing was compared, or nothing came of it, nobody asked the test set.
    key = verdict_key(verdict) if verdict is not None and verdict.comparisons else None
    if verdict is None or key is None:
        return None
    test, candidate, baselines, gate = key
    if len(baselines) > _MOST_BASELINES or not all(_DIGEST.fullmatch(each) for each in (gate, *baselines)):
        return None
    try:
        return Use(
            test=test,
            candidate=candidate,
            baselines=baselines,
            policy=gate,
            commit=subject.sha,
            change=subject.change,
            outcome=verdict.outcome,
            at=at,
        )
    except ValidationError:
        return None
