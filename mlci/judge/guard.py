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
GATE = "gate"
_LEVELS = {"info": 0, "warn": 1, "block": 2}
_MORE_IS_LOOSER = {"drop", "rise", "ceiling", "tolerance", "ks", "psi", "beta", "within"}
_LESS_IS_LOOSER = {"floor", "seeds", "alpha"}
_MAKES_LOOSER = {"where", "tolerance", "level", "fail_when", "optional", "inputs", "train"}
"""Keys whose mere presence weakens a promise, or may weaken it, compared with their defaults."""
_LESS_THAN_BUDGETED = {("throughput", "limit"), ("price",)}
"""Keys of `budgets` of which less is looser; of all others more is."""
_MORE_IS_STRICTER = {"beats", "baseline"}
"""Lists whose every entry is a promise."""
_OF_MODEL = {"name", "task", "label", "positive", "cost"}
"""Keys of `model` that say what is asked of it; another answer is neither looser nor stricter."""
_DEFAULTS = {"alpha", "beta", "reuse", "seed", "baseline", "test", "predictions"}
"""Keys of `gate` that hold whether or not they are written."""
_WHAT = {"branch", "group", "test", "predictions", "trained_on", "seed", "reuse"}
"""Keys of `gate` that say what is judged and how: another answer is neither looser nor stricter."""
_WHERE = {"seed", "table", "shuffled"}
"""Keys of `train` that say where something is: another place is neither looser nor stricter."""


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
    """What changed in the promises: `data`, `gate`, `train`, `budgets`, and what is asked of the model; in their order.

    >>> from mlci.nouns.policy import Gate, MetricGate, Model, Policy
    >>> def with_drop(drop): return Policy(
    ...     model=Model(name="m", label="y", id="id"),
    ...     gate=Gate(metrics={"accuracy": MetricGate.model_validate({"drop": drop})}))
    >>> [str(change) for change in policy_changes(with_drop(0.01), with_drop(0.02))]
    ['`gate.metrics.accuracy.drop` 0.01 → 0.02']
    """
    both = base.gate is not None and own.gate is not None
    old, new = (dict(_leaves(_promises(policy, filled=both))) for policy in (base, own))
    found = []
    for path in sorted({*old, *new}):
        before, after = old.get(path), new.get(path)
        if before != after:
            found.append(PolicyChange(path, _kind(path, before, after), _words(before), _words(after)))
    return tuple(found)


def _promises(policy: Policy, *, filled: bool) -> dict[str, Any]:
    found = policy.model_dump(mode="json", exclude_defaults=True, include={"data", "gate", "train", "budgets"})
    if policy.model is not None:
        found["model"] = policy.model.model_dump(mode="json", exclude_defaults=True, include=_OF_MODEL)
    if filled and policy.gate is not None:
        found["gate"] = policy.gate.model_dump(mode="json", include=_DEFAULTS) | found.get("gate", {})
    return found


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:  # noqa: ANN401 - any JSON
    """Every promise by its path; a bound or an amount is one promise, whatever it is made of."""
    if isinstance(value, dict) and value and not {"text", "value"} & set(value):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif path and value is not None:
        yield path, value


def _kind(path: Path, old: Any, new: Any) -> Literal["loosened", "tightened", "changed"]:  # noqa: ANN401 - any JSON
    neither = {"gate": _WHAT, "train": _WHERE, "budgets": {"concurrency"}}
    if path[0] == "model" or (len(path) == 2 and path[1] in neither.get(path[0], ())):  # noqa: PLR2004 - of the section
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
