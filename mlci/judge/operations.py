"""Which change of what is promised after the merge is looser: releases, monitoring, retraining, the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from mlci.nouns.policy import Policy

Kind = Literal["loosened", "tightened", "changed"]
Rule = Callable[[Any, Any], Kind]
Path = tuple[str, ...]

SECTIONS = ("release", "monitor", "retrain", "engine")
_NO_PROMISE: dict[str, Any] = {
    "release": {"embed": True},
    "monitor": {"issue": True},
    "retrain": {"price": True, "pull": {"branch": True, "labels": True, "assignees": True}},
    "engine": {"memory": True, "threads": True},
}
"""What is told to nobody: who is assigned, what a branch is called, how much memory may be taken."""


def _more(old: Any, new: Any) -> Kind:  # noqa: ANN401 - numbers or durations
    """More is looser, and no limit is loosest."""
    return "loosened" if new is None or (old is not None and new > old) else "tightened"


def _less(old: Any, new: Any) -> Kind:  # noqa: ANN401 - numbers or durations
    """Less is looser."""
    return "loosened" if new is None or (old is not None and new < old) else "tightened"


def _level(old: Any, new: Any) -> Kind:  # noqa: ANN401 - levels, or None
    levels = (None, "info", "warn", "block")
    return "loosened" if levels.index(new) < levels.index(old) else "tightened"


def _gone(old: Any, new: Any) -> Kind:  # noqa: ANN401 - anything
    """Without it something is not asked; another one is another question."""
    return "loosened" if not new else "changed" if old else "tightened"


def _fewer(old: Any, new: Any) -> Kind:  # noqa: ANN401 - lists
    """Each entry is a promise, in its order."""
    kept = [each for each in old if each in new]
    same_order = kept == [each for each in new if each in old]
    return "tightened" if len(kept) == len(old) and same_order else "loosened"


def _fewer_of_all(old: Any, new: Any) -> Kind:  # noqa: ANN401 - lists
    """Each entry is a promise, and an empty list promises all."""
    return "tightened" if not new or (old and set(old) <= set(new)) else "loosened"


def bounds_kind(old: dict[str, Any], new: dict[str, Any]) -> Kind:
    """A wider range is looser."""
    infinity = float("inf")
    low, high = old.get("low", -infinity), old.get("high", infinity)
    new_low, new_high = new.get("low", -infinity), new.get("high", infinity)
    wider, narrower = new_low < low or new_high > high, new_low > low or new_high < high
    return "changed" if wider == narrower else "loosened" if wider else "tightened"


def _bound(old: Any, new: Any) -> Kind:  # noqa: ANN401 - bounds, or None
    return bounds_kind(old, new) if old and new else _gone(old, new)


def _metrics(old: Any, new: Any) -> Kind:  # noqa: ANN401 - lists
    """Where none is named, one is chosen by the task."""
    return _fewer(old, new) if old and new else "changed"


def _only(looser: Any) -> Rule:  # noqa: ANN401 - anything
    return lambda _, new: "loosened" if new == looser else "tightened"


_RULES: dict[str, Rule] = {
    "release.stages": _fewer,
    "release.stages.*.soak": _less,
    "release.stages.*.health": _gone,
    "release.inconclusive": _only("accept"),
    "monitor.alpha": _less,
    "monitor.metrics": _metrics,
    "monitor.metrics.*.tolerance": _more,
    "monitor.metrics.*.level": _level,
    "monitor.calibration": _level,
    "monitor.drift.tolerance": _more,
    "monitor.drift.columns": _fewer_of_all,
    "monitor.drift.level": _level,
    "monitor.drift.score": _level,
    "monitor.drift.ks": _more,
    "monitor.drift.psi": _more,
    "monitor.data_level": _level,
    "monitor.labels.due": _more,
    "monitor.labels.coverage": _less,
    "monitor.labels.level": _level,
    "monitor.stale.model": _more,
    "monitor.stale.rows": _more,
    "monitor.stale.labels": _more,
    "monitor.stale.level": _level,
    "monitor.software.rows": _bound,
    "monitor.software.metrics": _gone,
    "monitor.software.errors": _more,
    "monitor.software.latency_p99": _more,
    "monitor.software.level": _level,
    "monitor.webhook": _gone,
    "retrain.data.lag": _less,
    "retrain.when.every": _more,
    "retrain.when.alarms": _fewer,
    "retrain.when.labels": _more,
    "retrain.when.data": _only(looser=False),
    "retrain.cooldown": _less,
    "retrain.least_labels": _less,
    "retrain.holdout": _gone,
    "retrain.pull.merge": _only("pass"),
}
"""How a key becomes looser. Of a key that is not here, another answer is neither looser nor stricter."""
_NAMED = {("release", "stages"), ("monitor", "metrics")}
"""Keys that hold what users name: which there are is a promise of its own."""


def operations(policy: Policy) -> dict[Path, Any]:
    """What is promised after the merge, by its path, with defaults; of a section that is not there, nothing.

    A bound is one promise, `monitor.software.rows`, whatever it is made of.
    """
    found: dict[Path, Any] = {}
    for section in SECTIONS:
        asked = getattr(policy, section)
        if asked is not None:
            dumped = asked.model_dump(exclude=_NO_PROMISE[section])
            found[(section,)] = "present"
            found |= _leaves(dumped, (section,))
    return found


def _leaves(values: dict[str, Any], path: Path) -> dict[Path, Any]:
    found: dict[Path, Any] = {path: tuple(values)} if path in _NAMED else {}
    for key, value in values.items():
        inner = (*path, str(key))
        found |= _leaves(value, inner) if isinstance(value, dict) and "text" not in value else {inner: value}
    return found


def operation_kind(path: Path, old: Any, new: Any) -> Kind:  # noqa: ANN401 - any value
    """Whether a key that is there before and after became looser; see `operations`."""
    rule = _RULES.get(".".join((*path[:2], "*", *path[3:]) if path[:2] in _NAMED and len(path) > 2 else path))  # noqa: PLR2004 - below the names
    return rule(old, new) if rule is not None else "changed"
