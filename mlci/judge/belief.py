"""Whether a verdict that somebody else brought can be what it says it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.judge.headline import overall

if TYPE_CHECKING:
    from mlci.nouns.finding import Verdict

_ORDER = ("fail", "inconclusive", "pass")
UNCHANGED = "pipeline.unchanged"
"""The only finding of a run that had nothing to judge."""


def doubt(verdict: Verdict, sha: str) -> str:
    """Why a verdict is not shown as it is, in words; empty where it can be believed.

    Args:
        verdict: What somebody brought; may be hostile.
        sha: The commit that it must speak of; empty where nobody knows.
    """
    if _ORDER.index(verdict.outcome) > _ORDER.index(overall(verdict.findings)):
        return f"its report says `{verdict.outcome}`, which does not follow from what it found"
    if sha and verdict.commit != sha:
        spoken = f"commit {verdict.commit[:10]}" if verdict.commit else "no commit"
        return (
            f"its report speaks of {spoken}, and not of {sha[:10]}, the head of the pull request: "
            "let the workflow check out `ref: ${{ github.event.pull_request.head.sha }}`"
        )
    return ""


def untouched(verdict: Verdict) -> bool:
    """Whether the run had nothing to judge."""
    return [finding.check for finding in verdict.findings] == [UNCHANGED] and verdict.outcome == "pass"
