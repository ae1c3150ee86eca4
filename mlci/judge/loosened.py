"""What a change of the policy loosens, tightens, or only makes different."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from mlci.judge.operations import SECTIONS, bounds_kind, operation_kind, operations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlci.nouns.policy import Policy

Path = tuple[str, ...]
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
    return (*found, *_operation_changes(operations(base), operations(own)))


def _operation_changes(old: dict[Path, Any], new: dict[Path, Any]) -> Iterator[PolicyChange]:
    for path in sorted({*old, *new}):
        # Of what comes or goes as a whole, its first line is enough.
        if path in old and path in new and old[path] != new[path]:
            kind = operation_kind(path, old[path], new[path])
            yield PolicyChange(path, kind, _words(old[path]) or "none", _words(new[path]) or "none")
        elif path in {(section,) for section in SECTIONS} and (path in old) != (path in new):
            yield PolicyChange(path, "loosened" if path in old else "tightened", old.get(path, ""), new.get(path, ""))


def _promises(policy: Policy, *, filled: bool) -> dict[str, Any]:
    found = policy.model_dump(exclude_defaults=True, include={"data", "gate", "train", "budgets"})
    if policy.model is not None:
        found["model"] = policy.model.model_dump(exclude_defaults=True, include=_OF_MODEL)
    if filled and policy.gate is not None:
        found["gate"] = policy.gate.model_dump(include=_DEFAULTS) | found.get("gate", {})
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
        return bounds_kind(old, new)
    return "changed"


def _more_is_looser(path: Path) -> bool | None:
    """Whether more of a number is looser; None where neither more nor less of it is."""
    if path[0] == "budgets" and path[-1] in {"limit", "price"}:
        return path[1:] not in _LESS_THAN_BUDGETED
    return path[-1] in _MORE_IS_LOOSER if path[-1] in _MORE_IS_LOOSER | _LESS_IS_LOOSER else None


def _number(value: Any) -> float | None:  # noqa: ANN401 - any JSON
    inner = value.get("value") if isinstance(value, dict) else value
    if isinstance(inner, timedelta):
        return inner.total_seconds()
    return float(inner) if isinstance(inner, int | float) and not isinstance(inner, bool) else None


def _words(value: Any) -> str:  # noqa: ANN401 - any JSON
    if value is None:
        return ""
    if isinstance(value, dict) and "text" in value:
        return str(value["text"])
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, timedelta):
        return _duration_words(value)
    if isinstance(value, dict) and "value" in value:
        return f"{100 * value['value']:g}%" if value.get("relative") else f"{value['value']:g}"
    return str(value)


def _duration_words(span: timedelta) -> str:
    """As it is written in the policy: 45d, 12h, 90s."""
    seconds = span.total_seconds()
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"
