"""What is said of a budget, for a reader who measures nothing himself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.nouns.quantities import quantity, times

if TYPE_CHECKING:
    from mlci.nouns.budgets import BudgetName
    from mlci.nouns.finding import BudgetEvidence, Outcome

_TITLES: dict[BudgetName, str] = {
    "latency_p50": "time of a prediction",
    "latency_p99": "time of the slowest 1 in 100 predictions",
    "throughput": "requests per second",
    "cold_start": "time to the first answer",
    "size": "size of the model",
    "memory": "peak memory",
    "cost_per_million": "cost of a million predictions",
}
_CHANGED: dict[BudgetName, tuple[str, str]] = {
    "latency_p50": ("A prediction takes", "as long"),
    "latency_p99": ("The slowest 1 in 100 predictions take", "as long"),
    "throughput": ("The server answers", "as many requests per second"),
    "cold_start": ("From starting the server to its first answer it takes", "as long"),
    "size": ("The model's file is", "as large"),
    "memory": ("The server needs", "as much memory"),
    "cost_per_million": ("A prediction costs", "as much CPU time"),
}
_IS: dict[BudgetName, str] = {
    "latency_p50": "A prediction takes {}",
    "latency_p99": "The slowest 1 in 100 predictions take {} or more",
    "throughput": "The server answers {} requests",
    "cold_start": "The first answer comes {} after the server was started",
    "size": "The model's file has {}",
    "memory": "The server needs up to {} of memory",
    "cost_per_million": "A million predictions cost {}",
}
_MENDS: dict[BudgetName, str] = {
    "latency_p50": "Take a smaller model (fewer or shallower trees, fewer inputs)",
    "latency_p99": "Take a smaller model (fewer or shallower trees, fewer inputs)",
    "throughput": "Take a smaller model (fewer or shallower trees, fewer inputs)",
    "cold_start": "Take a smaller model, which loads faster",
    "size": "Take a smaller model (fewer or shallower trees)",
    "memory": "Take a smaller model (fewer or shallower trees)",
    "cost_per_million": "Take a smaller model (fewer or shallower trees, fewer inputs)",
}


def title(evidence: BudgetEvidence) -> str:
    """The check in a few words."""
    name = _TITLES[evidence.budget]
    if evidence.kind == "change":
        return f"{name}, against the previous model"
    return f"{name} at {'least' if evidence.budget == 'throughput' else 'most'} {evidence.limit}"


def change_words(evidence: BudgetEvidence, outcome: Outcome, why: str, *, same: bool) -> str:
    """What became of it since the previous model.

    Args:
        evidence: What was measured.
        outcome: What came out.
        why: Why nothing was measured or compared.
        same: Whether both models are the same bytes.
    """
    if same:
        return "The model is the same as before, byte for byte: there is nothing to measure."
    if outcome == "not_comparable":
        return f"There is no previous model to measure beside this one: {why}."
    if outcome == "not_measured" or evidence.ratio is None or evidence.low is None or evidence.high is None:
        return _unmeasured(why)
    subject, much = _CHANGED[evidence.budget]
    ratio, low, high = times(evidence.ratio, evidence.low, evidence.high)
    span = "" if evidence.low == evidence.high else f" ({low} to {high})"
    less = evidence.budget == "throughput"
    allowed = f"{100 * abs(evidence.bound - 1):.3g} % {'fewer' if less else 'more'}"
    said = f"{subject} {ratio} times {much} as before{span}; you allow {allowed}."
    if outcome != "inconclusive":
        return said
    return f"{said} Whether it is within that can't be told from {evidence.sessions} sessions."


def limit_words(evidence: BudgetEvidence, outcome: Outcome, why: str, *, same: bool) -> str:  # noqa: ARG001 - as above
    """How it stands by itself. Arguments as of `change_words`."""
    if outcome == "not_measured" or evidence.new is None or evidence.low is None or evidence.high is None:
        return _unmeasured(why)
    name = evidence.budget
    value, low, high = (quantity(name, each) for each in (evidence.new, evidence.low, evidence.high))
    span = "" if low == high else f" ({low} to {high})"
    said = f"{_IS[name].format(value)}{span}; your limit is {evidence.limit}."
    if outcome != "inconclusive":
        return said
    if evidence.low <= evidence.bound <= evidence.high:
        return f"{said} Whether it is within that can't be told from {evidence.sessions} sessions."
    return (
        f"{said} But the machine was busy: a process that wanted a whole core got {100 * (evidence.share or 0):.0f} % "
        "of it, and the CPU time alone is within the limit."
    )


def _unmeasured(why: str) -> str:
    return f"Nobody measured it: {why}." if why else "Nobody measured it."


def mend(evidence: BudgetEvidence, outcome: Outcome) -> str:
    """What to do about it."""
    if outcome == "not_comparable":
        return ""
    if outcome == "not_measured":
        return "Mend what kept it from being measured, and compare again; `mlci model measure` tells more."
    if outcome == "inconclusive":
        return "Measure again on a machine that rests: `mlci model measure`."
    return f"{_MENDS[evidence.budget]}, or raise the budget in a pull request of its own."
