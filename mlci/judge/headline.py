"""The verdict in one line, with the number that decided it; and what it promises."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from mlci.nouns import units
from mlci.nouns.quantities import moved, quantity, times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.nouns.finding import BudgetEvidence, Comparison, DataEvidence, Finding, GateEvidence


def overall(findings: Sequence[Finding]) -> Literal["pass", "inconclusive", "fail"]:
    """What all findings together come to; a verdict on nothing does not pass.

    `inconclusive` where a check that may block could not be settled; findings of level warn or info decide nothing.
    """
    if not findings or any(finding.blocks for finding in findings):
        return "fail"
    unsettled = any(finding.level == "block" and finding.outcome == "inconclusive" for finding in findings)
    return "inconclusive" if unsettled else "pass"


def headline(findings: Sequence[Finding], comparisons: Sequence[Comparison] = ()) -> str:
    """The verdict and the number that decided it, in one line without line breaks or markup.

    Args:
        findings: All findings, in the policy's order.
        comparisons: One for each baseline; none where nothing was to be compared.
    """
    if not findings:
        return "Blocked: nothing was checked, and a verdict on nothing does not pass"
    outcome = overall(findings)
    if outcome == "fail":
        return _blocked([finding for finding in findings if finding.blocks])
    if outcome == "inconclusive":
        return _open(findings)
    waived = sum(bool(finding.waived) for finding in findings)
    warned = sum(finding.warns and not finding.waived for finding in findings)
    besides = [f"{_plural(waived, 'check')} waived" if waived else "", _plural(warned, "warning") if warned else ""]
    return "; ".join([_safe(findings, comparisons), *filter(None, besides)])


def _blocked(findings: Sequence[Finding]) -> str:
    failed = [finding for finding in findings if finding.outcome == "fail"]
    first = next((finding for finding in failed if finding.gate or finding.data or finding.budget), None)
    first = first or next(iter(failed), findings[0])
    rest = len(findings) - 1
    more = f"; {_plural(rest, 'more check')} {'blocks' if rest == 1 else 'block'}" if rest else ""
    return f"Blocked: {_with_number(first)}{more}"


def _open(findings: Sequence[Finding]) -> str:
    unsettled = [finding for finding in findings if finding.outcome == "inconclusive" and finding.level == "block"]
    slices = [finding for finding in unsettled if finding.gate is not None and finding.gate.slice is not None]
    if len(slices) == len(unsettled) and (decided := _tightest(findings)) is not None and _is_whole(decided):
        need = f"{_plural(len(slices), 'slice check')} {'needs' if len(slices) == 1 else 'need'} more data"
        return f"Safe on all rows: {_with_number(decided)}; {need}"
    rest = len(unsettled) - 1
    more = f"; {_plural(rest, 'more check')} {'is' if rest == 1 else 'are'} open too" if rest else ""
    first = next((finding for finding in unsettled if finding not in slices), unsettled[0])
    return f"Not enough data: {_with_number(first)}{more}"


def _is_whole(finding: Finding) -> bool:
    return finding.gate is not None and finding.gate.slice is None


def _safe(findings: Sequence[Finding], comparisons: Sequence[Comparison]) -> str:
    held = f"{_plural(sum(finding.outcome == 'pass' for finding in findings), 'check')} held"
    statuses = {comparison.status for comparison in comparisons}
    if "compared" in statuses:
        decided = _tightest(findings)
        return f"Safe: {_with_number(decided)}" if decided is not None else f"Safe: {held}"
    if "unchanged" in statuses:
        return f"Safe: the predictions did not change; {held}"
    if "not_comparable" in statuses:
        reason = next(comparison.reason for comparison in comparisons if comparison.status == "not_comparable")
        return f"Not comparable{f' ({_one_line(reason)})' if reason else ''}; {held}"
    if "first_run" in statuses:
        numbers = (finding.gate for finding in findings if finding.gate is not None and finding.gate.slice is None)
        first = next((number for number in numbers if number.new is not None), None)
        start = f", {units.metric_name(first.metric)} {units.value(first.metric, first.new)}" if first else ""
        return f"First run{start}: nothing to compare with yet; {held}"
    return f"Held: {held.removesuffix(' held')}"


def _tightest(findings: Sequence[Finding]) -> Finding | None:
    """The passed change of all rows that the policy names first: the one whose number a reader looks for."""
    passed = [
        finding
        for finding in findings
        if finding.gate is not None and finding.gate.kind == "change" and finding.outcome == "pass"
    ]
    whole = [finding for finding in passed if finding.gate is not None and finding.gate.slice is None]
    return next(iter(whole or passed), None)


def _with_number(finding: Finding) -> str:
    if finding.outcome == "not_measured" and finding.area != "pipeline":
        return f"{_one_line(finding.title)}: not measured"
    if finding.gate is not None:
        return f"{_one_line(finding.title)}: {_gate_number(finding.gate, finding.outcome)}"
    if finding.data is not None and (number := _data_number(finding.data)):
        return f"{_one_line(finding.title)}: {number}"
    if finding.budget is not None and (number := _budget_number(finding.budget)):
        return f"{_one_line(finding.title)}: {number}"
    if finding.area == "pipeline":
        # Its title says what is wrong already.
        return _one_line(finding.title)
    # A title says what should be so.
    return f"{_one_line(finding.title)}: not so" if finding.outcome == "fail" else _one_line(finding.title)


def _gate_number(evidence: GateEvidence, outcome: str) -> str:
    metric = evidence.metric
    if evidence.kind == "value" or evidence.old is None or evidence.new is None:
        limit = f"; your limit is {units.limit(metric, evidence.bound)}" if evidence.bound is not None else ""
        return f"{units.value(metric, evidence.new)}{limit}"
    if evidence.kind == "beats":
        return (
            f"{units.against(metric, evidence.new, evidence.old)}{'; it may be no better' if outcome != 'fail' else ''}"
        )
    moved = units.pair(metric, evidence.old, evidence.new)
    if outcome == "fail" and evidence.lost is not None and evidence.gained is not None:
        return f"{moved} ({units.rows(evidence.lost)} worse, {units.count(evidence.gained)} better)"
    if evidence.worst is None or outcome == "fail":
        return moved
    word, worst = units.bad_word(metric, evidence.good), units.bound_beside(metric, evidence.worst, evidence.tolerance)
    if outcome == "pass" and worst == "0":
        return f"{moved}; any {word} is ruled out"
    if outcome == "pass":
        return f"{moved}; a {word} of more than {units.with_unit(metric, worst)} is ruled out"
    allowed = f", you allow {units.amount(metric, evidence.tolerance, 4)}" if evidence.tolerance is not None else ""
    return f"{moved}; a {word} of up to {units.with_unit(metric, worst)} cannot be ruled out{allowed}"


def _budget_number(evidence: BudgetEvidence) -> str:
    if evidence.new is None:
        return ""
    if evidence.ratio is None or evidence.old is None:
        return f"{quantity(evidence.budget, evidence.new)}; your limit is {_one_line(evidence.limit)}"
    allowed = f"{100 * abs(evidence.bound - 1):.3g} % {'less' if evidence.bound < 1 else 'more'}"
    return (
        f"{moved(evidence.budget, evidence.old, evidence.new)} ({times(evidence.ratio)[0]} times); you allow {allowed}"
    )


def _data_number(evidence: DataEvidence) -> str:
    limit = f", limit {_one_line(evidence.limit)}" if evidence.limit else ""
    if evidence.measured is not None:
        number = evidence.measured if isinstance(evidence.measured, str) else units.measured(evidence.measured)
        return f"{_one_line(number)}{limit}"
    if evidence.share is not None and evidence.count is not None:
        return f"{units.small_percent(evidence.share)} ({units.rows(evidence.count)}){limit}"
    if evidence.share is not None:
        return f"{units.small_percent(evidence.share)}{limit}"
    return f"{units.rows(evidence.count)}{limit}" if evidence.count is not None else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _plural(number: int, noun: str) -> str:
    return f"{units.count(number)} {noun}{'' if number == 1 else 's'}"


def footer(
    alpha: float | None = None,
    used: int | None = None,
    planned: int | None = None,
    look: int | None = None,
    *,
    simple: bool = False,
    of: str = "pull request",
) -> str:
    """What the verdict promises: the share of good models that are blocked, and how used the test set is.

    Args:
        alpha: Chance to block a model that is no worse on any check, of a pull request where its looks are known, else
            of a run; None where nothing was compared.
        used: Uses of this test set so far, this one included.
        planned: Uses that were planned.
        look: Which look of its pull request this is; None where that is not known.
        simple: Whether the candidate was to be better than simple models.
        of: What is looked at more than once.
    """
    said = [f"Use {used} of {planned} of this test set."] if used is not None and planned is not None else []
    if alpha is None:
        return " ".join(said)
    if look is not None:
        said.append(
            f"{units.ordinal(look)} look of this {of}: each look may block by chance half as often as the one "
            f"before, this one in {100 * math.ldexp(alpha, -look):.3g} of 100."
        )
    over = "comparisons, over all checks" if look is None else f"{of}s, over all looks and checks"
    better = ", and better than the simple ones by what you care about," if simple else ""
    said.append(
        f"A model that is no worse on any check{better} is blocked in at most about {100 * alpha:.3g} of 100 {over} "
        "together."
    )
    return " ".join(said)
