"""Guard the policy: what is told of a change that loosens it, and which failures a waiver excuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.nouns.base import Place
from mlci.nouns.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from mlci.judge.loosened import PolicyChange
    from mlci.nouns.policy import PolicyFile
    from mlci.nouns.waiver import Waiver

PIPELINE = "dvc.yaml"
GATE = "gate"


def changed_policy_findings(changes: Sequence[PolicyChange], policy: PolicyFile) -> tuple[Finding, ...]:
    """One finding that lists every promise that a pull request loosens; none where it loosens none."""
    looser = [change for change in changes if change.kind == "loosened"]
    other = [change for change in changes if change.kind == "changed"]
    if not (looser or other):
        return ()
    told = [
        f"{word} {len(some)} promise{'s' if len(some) != 1 else ''}: {'; '.join(map(str, some))}"
        for word, some in (("loosens", looser), ("changes", other))
        if some
    ]
    return (
        Finding(
            check="policy.loosened",
            title="the policy is as strict as its base's",
            area="gate",
            level="warn",
            outcome="fail",
            message=f"This pull request {', and '.join(told)}. It is judged by both policies.",
            mend="See that this is meant; a looser promise counts only from when it is merged.",
            place=policy.place(*(looser or other)[0].path),
        ),
    )


def removed_gate_findings(policy: PolicyFile) -> tuple[Finding, ...]:
    """The base has a gate and the pull request has none: what is not judged does not pass."""
    return (
        Finding(
            check=GATE,
            title="the policy has a gate",
            area="gate",
            outcome="fail",
            message="This pull request removes `mlci.gate`, so that nothing is asked of the model any more.",
            mend=f"Put it back, or name `policy.{GATE}` in `mlci.waivers` with reason, approver and until.",
            place=policy.place(),
        ),
    )


def unjudged_gate_findings(problem: str, policy: PolicyFile) -> tuple[Finding, ...]:
    """The base's gate cannot be asked of what the pull request brings."""
    return (
        Finding(
            check=GATE,
            title="the gate can be asked",
            area="gate",
            outcome="not_measured",
            message=f"{problem}.",
            mend=_own_merge(f"policy.{GATE}"),
            place=policy.place("gate"),
        ),
    )


def blocked_by_base(base: Iterable[Finding], own: Iterable[Finding], policy: PolicyFile) -> tuple[Finding, ...]:
    """Findings that block under the base's policy, but not under the pull request's own."""
    blocked = {finding.check for finding in own if finding.blocks}
    return tuple(
        finding.model_copy(
            update={
                "check": f"policy.{finding.check}",
                "title": f"{finding.title} (policy before this pull request)",
                "message": f"{finding.message} The policy that this pull request loosens blocks this.",
                "mend": _own_merge(f"policy.{finding.check}"),
                "place": policy.place(*finding.check.split(".")),
            }
        )
        for finding in base
        if finding.blocks and finding.check not in blocked
    )


def _own_merge(check: str) -> str:
    return (
        f"Merge the looser policy in a pull request of its own first, or name `{check}` in `mlci.waivers` with reason, "
        "approver and until."
    )


def removed_stage_findings(removed: Sequence[str]) -> tuple[Finding, ...]:
    """A stage that ran a check before and is gone: what is not run does not pass."""
    return tuple(
        Finding(
            check=f"policy.stage.{name}",
            title=f"the pipeline runs stage {name}",
            area="gate",
            outcome="fail",
            message=f"The stage `{name}` of dvc.yaml ran mlci, and this pull request removes it.",
            mend=f"Put it back, or name `policy.stage.{name}` in `mlci.waivers` with reason, approver and until.",
            place=Place(file=PIPELINE),
        )
        for name in removed
    )


def waive(
    findings: Sequence[Finding],
    waivers: Sequence[Waiver],
    today: date,
    policy: PolicyFile,
    *,
    known: Sequence[Waiver] | None = None,
) -> tuple[Finding, ...]:
    """Let waivers excuse what they name; an expired or unused one is a finding of its own.

    Args:
        findings: Of the run.
        waivers: Of the policy.
        today: To tell which have ended.
        policy: For their places.
        known: Waivers of the base, where there is one: of any other, the pull request that needs it is the author.
    """
    valid = {waiver.check: waiver for waiver in waivers if waiver.until >= today}
    excused = [_excused(finding, valid.get(finding.check), known) for finding in findings]
    told = [
        _waiver_finding(waiver, i, today, excused, policy)
        for i, waiver in enumerate(waivers)
        if waiver.until < today or not any(item.check == waiver.check and item.waived for item in excused)
    ]
    first = [finding for finding in excused if finding.waived]
    return (*told, *first, *(finding for finding in excused if not finding.waived))


def _excused(finding: Finding, waiver: Waiver | None, known: Sequence[Waiver] | None) -> Finding:
    if waiver is None or not finding.blocks:
        return finding
    by = f"waived by {waiver.approver} until {waiver.until.isoformat()}: {waiver.reason}"
    said = by if by.endswith((".", "!", "?")) else f"{by}."
    own = " The waiver is new in this pull request." if known is not None and waiver not in known else ""
    return finding.model_copy(update={"waived": by, "message": f"{finding.message} This is {said}{own}"})


def _waiver_finding(waiver: Waiver, at: int, today: date, findings: Sequence[Finding], policy: PolicyFile) -> Finding:
    expired = waiver.until < today
    failing = any(finding.check == waiver.check and finding.blocks for finding in findings)
    known = any(finding.check == waiver.check for finding in findings)
    why = (
        f"ended on {waiver.until.isoformat()}"
        if expired
        else "is not needed: the check does not block"
        if known
        else "names no check of this run"
    )
    return Finding(
        check=f"policy.waiver.{waiver.check}",
        title=f"the waiver of {waiver.check} is {'valid' if expired else 'needed'}",
        area="gate",
        level="block" if expired else "warn",
        outcome="fail",
        message=f"The waiver by {waiver.approver} {why}{'' if not (expired and failing) else ', and the check fails'}.",
        mend="Remove it, or renew it with a reason and an approver." if expired else "Remove it.",
        place=policy.place("waivers", str(at)),
    )
