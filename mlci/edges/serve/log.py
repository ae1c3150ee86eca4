"""The log that a server keeps: opened as its policy says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.edges.log.address import connector
from mlci.edges.log.writer import PredictionLog
from mlci.nouns.log_url import NO_LOG, without_password

if TYPE_CHECKING:
    from pathlib import Path

    from mlci.nouns.serve import ServePolicy


def open_log(policy: ServePolicy, root: Path) -> PredictionLog | None:
    """The log of one process; None where the policy keeps none.

    Args:
        policy: Where it is, how long rows are kept, and whether it may be out of reach.
        root: Folder that a relative file begins at.

    Raises:
        PolicyError: The URL can't be read, or names a variable that isn't set.
        WorldError: It can't be opened, or is of another version.
    """
    if policy.log == NO_LOG:
        return None
    return PredictionLog(
        connector(policy.log, root),
        policy.retention,
        shown=without_password(policy.log),
        absent=policy.when_log_fails == "answer",
    )
