"""Whether verdicts speak for a release."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlci.nouns.finding import Verdict
    from mlci.nouns.report import Report

_SHOWN = 3


class Refusal(NamedTuple):
    """Why something may not be released or promoted, and what helps."""

    problem: str
    mend: str


def refusal(verdicts: Iterable[Verdict], *, accept_inconclusive: bool = False) -> Refusal | None:
    """Why none of these verdicts on a commit is evidence enough; None where one is.

    Args:
        verdicts: On exactly what the commit holds.
        accept_inconclusive: Whether 'not enough data' is enough.
    """
    known = tuple(verdicts)
    if not known:
        return Refusal(
            "no verdict speaks for its commit",
            "at that commit: `dvc pull`, then `mlci compare --record`; in CI the workflow on main does it",
        )
    if any(_good(one, accept_inconclusive=accept_inconclusive) for one in known):
        return None
    last = known[-1]
    open_checks = [one.check for one in last.findings if one.blocks or one.outcome == "inconclusive"]
    if not last.findings:
        return Refusal(
            "its verdict rests on nothing: no check was asked",
            "promise something that a first model can be held to: a `floor` or `ceiling` in `gate.metrics`, or `data`",
        )
    named = ", ".join(dict.fromkeys(open_checks[:_SHOWN])) or last.headline
    if last.outcome == "fail":
        return Refusal(
            f"its verdict is 'blocked' ({named})", "mend the model, or waive the check by name in the policy"
        )
    return Refusal(
        f"its verdict is 'not enough data' ({named})",
        "test on more rows (`mlci plan` says how many), or write `release: {inconclusive: accept}` in the policy",
    )


def chosen(reports: Iterable[Report], *, accept_inconclusive: bool = False) -> Report:
    """The report to release on: of those that are evidence enough, the one that was compared most widely.

    Raises ValueError where none is.
    """
    good = [one for one in reports if _good(one.verdict, accept_inconclusive=accept_inconclusive)]
    return max(good, key=_reach)


def _good(verdict: Verdict, *, accept_inconclusive: bool) -> bool:
    return verdict.outcome == "pass" or (accept_inconclusive and verdict.outcome == "inconclusive")


def _reach(report: Report) -> tuple[int, bool, str]:
    # The last part only makes the choice the same on every machine.
    compared = sum(one.status == "compared" for one in report.verdict.comparisons)
    return compared, report.verdict.outcome == "pass", report.model_dump_json()
