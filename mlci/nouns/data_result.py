"""What checking the data gives."""

from __future__ import annotations

from mlci.nouns.base import Noun
from mlci.nouns.finding import Finding
from mlci.nouns.report import DriftBar


class DataResult(Noun):
    """Findings in the policy's order, the drift of every compared column, and how it was measured.

    Attributes:
        findings: One for each check, or for each slice that fails.
        drift: One for each compared column.
        explain: The plan in words and SQL, where it was asked for.
        saved: Files with the rows that broke a check, where they were asked for.
    """

    findings: tuple[Finding, ...] = ()
    drift: tuple[DriftBar, ...] = ()
    explain: str = ""
    saved: tuple[str, ...] = ()
