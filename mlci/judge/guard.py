"""Guard the policy: what a change of it loosens, and which failures a waiver excuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from mlci.nouns.base import Place
from mlci.nouns.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from mlci.nouns.policy import Policy, PolicyFile
    from mlci.nouns.waiver import Waiver

Path = tuple[str, ...]
PIPELINE = "dvc.yaml"
_LEVELS = {"info": 0, "warn": 1, "block": 2}
_MORE_IS_LOOSER = {"drop", "rise", "ceiling", "tolerance", "ks", "psi", "alpha", "beta", "reuse", "within"}
_LESS_IS_LOOSER = {"floor", "seeds"}
_MAKES_LOOSER = {"where", "tolerance", "level", "fail_when", "optional", "inputs", "train"}
"""Keys whose mere presence weakens a promise, or may weaken it, compared with their defaults."""
_LESS_THAN_BUDGETED = {("throughput", "limit"), ("price",)}
"""Keys of `budgets` of which less is looser; of all others more is."""
_MORE_IS_STRICTER = {"beats"}
"""Lists whose every entry is a promise."""
_WHERE = {"seed", "table", "shuffled"}
"""Keys of `train` that say where something is: another place is neither looser nor stricter."""
_OWN_MERGE = (
    "Merge the looser policy in a pull request of its own first, or name the check in `mlci.waivers` with reason, "
    "approver and until."
)


class PolicyChange(NamedTuple):
    """One key of the policy that a pull request changes.

    Attributes:
        path: Keys inside `mlci`.
        kind: `loosened` where the promise became weaker or went, `tightened` where it became stronger or is new,
            `changed` where neither can be said.
        old: As it was, in words; empty where it is new.
        new: As it is; empty where it went.
    """

    path: Path
    kind: Literal["loosened", "tightened", "changed"]
    old: str
    new: str

    def __str__(self) -> str:
        name = ".".join(self.path)
        if not self.new:
            return f"`{name}` removed (was {self.old})"
        return f"`{name}` {self.old} → {self.new}" if self.old else f"`{name}` added: {self.new}"


def policy_changes(base: Policy, own: Policy) -> tuple[PolicyChange, ...]:
    """What changed in the promises, which are `data`, `gate`, `train` and `budgets`, in the order of their keys.

    >>> from mlci.nouns.policy import Gate, MetricGate, Model, Policy
    >>> def with_drop(drop): return Policy(
    ...     model=Model(name="m", label="y", id="id"),
    ...     gate=Gate(metrics={"accuracy": MetricGate.model_validate({"drop": drop})}))
    >>> [str(change) for change in policy_changes(with_drop(0.01), with_drop(0.02))]
    ['`gate.metrics.accuracy.drop` 0.01 → 0.02']
    """
    old, new = dict(_leaves(_promises(base))), dict(_leaves(_promises(own)))
    found = []
    for path in sorted({*old, *new}):
        before, after = old.get(path), new.get(path)
        if before != after:
            found.append(PolicyChange(path, _kind(path, before, after), _words(before), _words(after)))
    return tuple(found)


def _promises(policy: Policy) -> dict[str, Any]:
    return policy.model_dump(mode="json", exclude_defaults=True, include={"data", "gate", "train", "budgets"})


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:  # noqa: ANN401 - any JSON
    """Every promise by its path; a bound or an amount is one promise, whatever it is made of."""
    if isinstance(value, dict) and value and not {"text", "value"} & set(value):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif path:
        yield path, value


def _kind(path: Path, old: Any, new: Any) -> Literal["loosened", "tightened", "changed"]:  # noqa: ANN401 - any JSON
    if path == ("budgets", "concurrency") or (path[0] == "train" and path[-1] in _WHERE):
        return "changed"
    if new is None:
        return "tightened" if path[-1] in _MAKES_LOOSER else "loosened"
    if old is None:
        return "loosened" if path[-1] in _MAKES_LOOSER else "tightened"
    if path[-1] in _MORE_IS_STRICTER:
        return "loosened" if set(old) - set(new) else "tightened" if set(new) - set(old) else "changed"
    if path[-1] == "level":
        return "loosened" if _LEVELS[new] < _LEVELS[old] else "tightened"
    before, after = _number(old), _number(new)
    if before is not None and after is not None and (more_is_looser := _more_is_looser(path)) is not None:
        return "loosened" if (after > before) == more_is_looser else "tightened"
    if isinstance(old, dict) and isinstance(new, dict) and "text" in old and "text" in new:
        return _bounds_kind(old, new)
    return "changed"


def _more_is_looser(path: Path) -> bool | None:
    """Whether more of a number is looser; None where neither more nor less of it is."""
    if path[0] == "budgets" and path[-1] in {"limit", "price"}:
        return path[1:] not in _LESS_THAN_BUDGETED
    return path[-1] in _MORE_IS_LOOSER if path[-1] in _MORE_IS_LOOSER | _LESS_IS_LOOSER else None


def _bounds_kind(old: dict[str, Any], new: dict[str, Any]) -> Literal["loosened", "tightened", "changed"]:
    infinity = float("inf")
    low, high = old.get("low", -infinity), old.get("high", infinity)
    new_low, new_high = new.get("low", -infinity), new.get("high", infinity)
    wider, narrower = new_low < low or new_high > high, new_low > low or new_high < high
    return "changed" if wider == narrower else "loosened" if wider else "tightened"


def _number(value: Any) -> float | None:  # noqa: ANN401 - any JSON
    inner = value.get("value") if isinstance(value, dict) else value
    return float(inner) if isinstance(inner, int | float) and not isinstance(inner, bool) else None


def _words(value: Any) -> str:  # noqa: ANN401 - any JSON
    if value is None:
        return ""
    if isinstance(value, dict) and "text" in value:
        return str(value["text"])
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict) and "value" in value:
        return f"{100 * value['value']:g}%" if value.get("relative") else f"{value['value']:g}"
    return str(value)


def changed_policy_findings(changes: Sequence[PolicyChange], policy: PolicyFile) -> tuple[Finding, ...]:
    """One finding that lists every promise that a pull request loosens; none where it loosens none."""
    weaker = [change for change in changes if change.kind != "tightened"]
    if not weaker:
        return ()
    told = "; ".join(str(change) for change in weaker)
    return (
        Finding(
            check="policy.loosened",
            title="the policy is as strict as its base's",
            area="gate",
            level="warn",
            outcome="fail",
            message=f"This pull request loosens {len(weaker)} promise{'s' if len(weaker) != 1 else ''}: {told}. "
            "It is judged by both policies.",
            mend="See that this is meant; a looser promise counts only from when it is merged.",
            place=policy.place(*weaker[0].path),
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
                "mend": _OWN_MERGE,
                "place": policy.place(*finding.check.split(".")),
            }
        )
        for finding in base
        if finding.blocks and finding.check not in blocked
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
            mend="Put it back, or name the check in `mlci.waivers` with reason, approver and until.",
            place=Place(file=PIPELINE),
        )
        for name in removed
    )


def waive(
    findings: Sequence[Finding], waivers: Sequence[Waiver], today: date, policy: PolicyFile
) -> tuple[Finding, ...]:
    """Let waivers excuse what they name; an expired or unused one is a finding of its own.

    Args:
        findings: Of the run.
        waivers: Of the policy.
        today: To tell which have ended.
        policy: For their places.
    """
    valid = {waiver.check: waiver for waiver in waivers if waiver.until >= today}
    excused = [_excused(finding, valid.get(finding.check)) for finding in findings]
    told = [
        _waiver_finding(waiver, i, today, excused, policy)
        for i, waiver in enumerate(waivers)
        if waiver.until < today or not any(item.check == waiver.check and item.waived for item in excused)
    ]
    first = [finding for finding in excused if finding.waived]
    return (*told, *first, *(finding for finding in excused if not finding.waived))


def _excused(finding: Finding, waiver: Waiver | None) -> Finding:
    if waiver is None or not finding.blocks:
        return finding
    by = f"waived by {waiver.approver} until {waiver.until.isoformat()}: {waiver.reason}"
    said = by if by.endswith((".", "!", "?")) else f"{by}."
    return finding.model_copy(update={"waived": by, "message": f"{finding.message} This is {said}"})


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
