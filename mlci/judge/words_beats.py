"""What is said of a candidate beside a simple model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.nouns import units
from mlci.nouns.simple import SIMPLE_WORDS

if TYPE_CHECKING:
    from mlci.nouns.finding import GateEvidence, Outcome


def beats_message(
    evidence: GateEvidence, outcome: Outcome, *, alpha: float, beta: float, trained: tuple[int, int] | None
) -> str:
    """Whether it is better, by how much, and what the simple model is.

    Args:
        evidence: The numbers; `old` is the simple model's value, `low` to `high` the interval of the difference.
        outcome: What the judge made of them.
        alpha: One minus the confidence of the bound that a fail rests on.
        beta: One minus the confidence of the bound that a pass rests on.
        trained: Rows that the simple model was trained on, of how many.
    """
    if outcome == "too_small":
        return f"The test set has {units.rows(evidence.rows)}, which are too few to tell the models apart."
    metric = evidence.metric
    against = units.against(metric, evidence.new or 0.0, evidence.old or 0.0)
    said = [f"The {units.metric_name(metric)} is {against} of {_what(evidence)}."]
    said.append({"pass": _better(evidence, beta), "fail": _as_good(evidence, alpha)}.get(outcome) or _open(evidence))
    said.append(_sampled(trained))
    return " ".join(filter(None, said))


def untrained_message(why: str) -> str:
    """Why there is nothing to compare with."""
    return f"This was not measured: {why.rstrip('.')}. What was not measured does not pass."


def beats_mend(evidence: GateEvidence, outcome: Outcome) -> str:
    """What to do about it; empty where there is nothing to do."""
    name = evidence.baseline or ""
    if outcome == "fail":
        return (
            "Look for a fault in the training (labels, features, a join), or take the simple model. If this is meant, "
            f"remove `{name}` from `mlci.gate.beats` in a pull request of its own."
        )
    if outcome == "inconclusive":
        more = f"Add about {units.about(evidence.more_rows)} test rows" if evidence.more_rows else "Add test rows"
        return f"{more}, or take the simple model."
    return "Add test rows." if outcome == "too_small" else ""


def advantage(evidence: GateEvidence) -> tuple[float, float] | None:
    """Lower and upper bound of how much better the candidate is, in the metric's unit."""
    if evidence.low is None or evidence.high is None:
        return None
    if units.less_is_better(evidence.metric, evidence.good):
        return -evidence.high, -evidence.low
    return evidence.low, evidence.high


def _what(evidence: GateEvidence) -> str:
    return next((words for name, words in SIMPLE_WORDS.items() if name == evidence.baseline), "a simple model")


def _sampled(trained: tuple[int, int] | None) -> str:
    if trained is None or trained[0] == trained[1]:
        return ""
    return f"The simple model was trained on a sample of {units.count(trained[0])} of {units.count(trained[1])} rows."


def _sure(risk: float) -> str:
    return f"({100 * (1 - risk):.6g} % sure)"


def _better(evidence: GateEvidence, beta: float) -> str:
    bounds = advantage(evidence)
    least = units.amount(evidence.metric, bounds[0], down=True) if bounds is not None else "0"
    return f"The candidate is better, by at least {units.with_unit(evidence.metric, least)} {_sure(beta)}."


def _as_good(evidence: GateEvidence, alpha: float) -> str:
    bounds, metric = advantage(evidence), evidence.metric
    if bounds is None:
        return "The simple model is as good."
    if bounds[1] < 0:
        least = units.with_unit(metric, units.amount(metric, -bounds[1], down=True))
        said = f"The simple model is better, by at least {least} {_sure(alpha)}."
    else:
        most = units.bound_beside(metric, max(bounds[1], 0.0), evidence.tolerance)
        has = f"the candidate's advantage is at most {units.with_unit(metric, most)}"
        has = has if most != "0" else "the candidate has no advantage"
        care = units.amount(metric, evidence.tolerance or 0.0, 4)
        said = f"The simple model is as good: {has} {_sure(alpha)}; you care about {care}."
    tests = evidence.tests or 1
    return f"{said} Holds after correcting for {tests} checks." if tests > 1 else said


def _open(evidence: GateEvidence) -> str:
    bounds, metric = advantage(evidence), evidence.metric
    if bounds is None:
        return "That can be chance."
    low, high = (units.signed(metric, bound) for bound in bounds)
    said = f"The advantage could be anything from {low} to {high}, so that the simple model may be as good."
    if not evidence.more_rows:
        return said
    labels = ""
    if evidence.more_labels is not None and evidence.more_labels < evidence.more_rows:
        labels = f" ({units.about(evidence.more_labels)} label{'' if evidence.more_labels == 1 else 's'})"
    row = "row" if evidence.more_rows == 1 else "rows"
    care = units.with_unit(metric, units.amount(metric, evidence.tolerance or 0.0, 4))
    return (
        f"{said} About {units.about(evidence.more_rows)} more {row}{labels} would settle it 4 times in 5 if the "
        f"advantage is nothing, or {care}."
    )
