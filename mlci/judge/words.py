"""What the judge says: one or two sentences with the numbers, for a reader who is no statistician.

Every number that limits a loss is rounded to the careful side, and with as many digits as it takes to tell it from the
tolerance beside it: a sentence never reads 'up to 1 point cannot be ruled out; you allow 1'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.judge.words_beats import beats_mend
from mlci.nouns import units

if TYPE_CHECKING:
    from mlci.nouns.finding import GateEvidence, Outcome


def gate_title(evidence: GateEvidence, *, name_baseline: bool = False) -> str:
    """The check in a few words: `accuracy, all rows`; `accuracy floor, age > 50`.

    Args:
        evidence: The check's evidence.
        name_baseline: Add what the candidate was compared with, where a run has several baselines.
    """
    what = units.metric_name(evidence.metric)
    if evidence.kind == "beats":
        return f"beats {evidence.baseline}, {what}"
    if evidence.kind == "value":
        what += " ceiling" if units.less_is_better(evidence.metric, evidence.good) else " floor"
    title = f"{what}, {evidence.slice or 'all rows'}"
    return f"{title}, against {evidence.baseline}" if name_baseline and evidence.baseline else title


def gate_message(
    evidence: GateEvidence, outcome: Outcome, *, alpha: float = 0.05, beta: float = 0.05, spent: float | None = None
) -> str:
    """What the check found, in the manner of a colleague who explains it.

    Args:
        evidence: The numbers; one that is None is left out of the sentence.
        outcome: What the judge made of them.
        alpha: Chance to block a model that is no worse; tells 'chance' from 'an allowed drop'.
        beta: One minus the confidence of the bound that a pass rests on (smaller for a critical check).
        spent: What this look may spend of alpha; default: all of it.
    """
    if outcome == "not_measured":
        return "This was not measured, and what was not measured does not pass."
    if outcome == "not_comparable":
        return _not_comparable(evidence)
    if outcome == "too_small":
        return _too_small(evidence)
    if evidence.kind == "value":
        return _value_message(evidence, outcome, alpha, beta)
    if outcome == "pass":
        return _change_passes(evidence, beta)
    if outcome == "fail":
        return _change_fails(evidence)
    return _change_is_open(evidence, alpha, alpha if spent is None else spent)


def gate_mend(evidence: GateEvidence, outcome: Outcome) -> str:
    """What to do about it; empty where there is nothing to do."""
    if evidence.kind == "beats" and outcome != "not_measured":
        return beats_mend(evidence, outcome)
    knob = _knob(evidence)
    if outcome == "fail" and evidence.kind == "change":
        rows = "these rows" if evidence.slice else "the rows that got worse"
        return (
            f"Look at {rows} under 'flips' in the report. If the loss is worth it, allow a larger `{knob}` in a pull "
            "request of its own."
        )
    if outcome == "fail":
        return f"Improve the model on these rows, or move the `{knob}` in a pull request of its own."
    if outcome == "inconclusive":
        more = f"Add about {units.about(evidence.more_rows)} test rows" if evidence.more_rows else "Add test rows"
        other = f"allow a larger `{knob}`" if evidence.kind == "change" else f"move the `{knob}`"
        return f"{more}, or {other} in a pull request of its own."
    if outcome == "not_measured":
        return "See the run's log for why it stopped, and run it again."
    return ""


def _knob(evidence: GateEvidence) -> str:
    if evidence.kind == "change":
        return units.bad_word(evidence.metric, evidence.good)
    return "ceiling" if units.less_is_better(evidence.metric, evidence.good) else "floor"


def _not_comparable(evidence: GateEvidence) -> str:
    what = units.metric_name(evidence.metric)
    if evidence.new is None:
        return f"The {what} has no value on these {units.rows(evidence.rows)}."
    there = f"It is {units.value(evidence.metric, evidence.new)} now"
    return f"{there}; there is no earlier value on the same rows to compare it with."


def _too_small(evidence: GateEvidence) -> str:
    here = "This slice" if evidence.slice else "The test set"
    if evidence.kind == "change" and evidence.detectable is not None:
        smallest = units.with_unit(evidence.metric, units.amount(evidence.metric, evidence.detectable, 1))
        return f"{here} only reveals {units.bad_word(evidence.metric, evidence.good)}s above about {smallest}."
    some = f", {units.count(evidence.positives)} of them positive" if evidence.positives is not None else ""
    verb = "is" if evidence.rows == 1 else "are"
    return f"{here} has {units.rows(evidence.rows)}{some}, which {verb} too few to judge."


def _sure(beta: float) -> str:
    return f"({100 * (1 - beta):.6g} % sure)"


def _change_passes(evidence: GateEvidence, beta: float) -> str:
    word, metric = units.bad_word(evidence.metric, evidence.good), evidence.metric
    if evidence.worst is None:
        return f"A {word} bigger than you allow is ruled out {_sure(beta)}."
    if units.amount(metric, evidence.worst) == "0":
        return f"Any {word} is ruled out {_sure(beta)}."
    worst, allowed = _worst_and_allowed(evidence)
    start = "The models are right on the same rows. " if (evidence.gained, evidence.lost) == (0, 0) else ""
    allowance = f"; you allow {allowed}" if allowed is not None else ""
    return f"{start}The {word} is at most {units.with_unit(metric, worst)} {_sure(beta)}{allowance}."


def _worst_and_allowed(evidence: GateEvidence) -> tuple[str, str | None]:
    """Both as bare numbers that differ where the numbers do; the first rounded up."""
    allowed = None if evidence.tolerance is None else units.amount(evidence.metric, evidence.tolerance, 4)
    return units.bound_beside(evidence.metric, evidence.worst or 0.0, evidence.tolerance), allowed


def _change_fails(evidence: GateEvidence) -> str:
    said = [_what_happened(evidence)]
    if evidence.p_value is not None:
        said.append(f"If the model were no worse, this would happen {units.frequency(evidence.p_value)}.")
    if evidence.tests is not None and evidence.tests > 1:
        said.append(f"Holds after correcting for {evidence.tests} checks.")
    return " ".join(said)


def _what_happened(evidence: GateEvidence) -> str:
    if evidence.gained is not None and evidence.lost is not None:
        return f"{units.rows(evidence.lost)} got worse, {units.count(evidence.gained)} better."
    if evidence.old is None or evidence.new is None:
        return f"The {units.metric_name(evidence.metric)} got worse."
    change = evidence.new - evidence.old
    moved = "rose" if change > 0 else "fell"
    size = units.with_unit(evidence.metric, units.amount(evidence.metric, abs(change)))
    return f"The {units.metric_name(evidence.metric)} {moved} by {size}."


def _change_is_open(evidence: GateEvidence, alpha: float, spent: float) -> str:
    said = [_what_is_seen(evidence) + _chance(evidence, alpha, spent) + "."]
    if evidence.worst is not None:
        worst, allowed = _worst_and_allowed(evidence)
        size = units.with_unit(evidence.metric, worst)
        allowance = f"; you allow {allowed}" if allowed is not None else ""
        said.append(
            f"A {units.bad_word(evidence.metric, evidence.good)} of up to {size} cannot be ruled out{allowance}."
        )
    said.append(_more(evidence, "4 times in 5 if the models are equally good"))
    return " ".join(filter(None, said))


def _what_is_seen(evidence: GateEvidence) -> str:
    if evidence.gained is not None and evidence.lost is not None:
        differ = evidence.gained + evidence.lost
        if differ == 0:
            return "The models are right on the same rows"
        seen = f"The models differ on {units.rows(differ)}: "
        return f"{seen}{units.count(evidence.gained)} better, {units.count(evidence.lost)} worse"
    if evidence.old is None or evidence.new is None:
        return "The interval of the change is wide"
    change = units.signed(evidence.metric, evidence.new - evidence.old)
    return f"The {units.metric_name(evidence.metric)} changed by {change}"


def _chance(evidence: GateEvidence, alpha: float, spent: float) -> str:
    """Whether what is seen can be chance; nothing where it is no loss."""
    if evidence.p_value is None or not _is_worse(evidence):
        return ""
    if evidence.p_value > alpha:
        return "; that can be chance"
    if evidence.p_adjusted is None or evidence.p_adjusted > alpha:
        return "; over so many checks that can be chance"
    if evidence.p_adjusted > spent:
        return "; over so many looks of one pull request that can be chance"
    return "; that is hardly chance, but may be no more than you allow"


def _is_worse(evidence: GateEvidence) -> bool:
    if evidence.gained is not None and evidence.lost is not None:
        return evidence.lost > evidence.gained
    if evidence.old is None or evidence.new is None:
        return False
    less = units.less_is_better(evidence.metric, evidence.good)
    return evidence.new > evidence.old if less else evidence.new < evidence.old


def _more(evidence: GateEvidence, how: str) -> str:
    if not evidence.more_rows:
        return ""
    labels = ""
    if evidence.more_labels is not None and evidence.more_labels < evidence.more_rows:
        labels = f" ({units.about(evidence.more_labels)} label{'' if evidence.more_labels == 1 else 's'})"
    row = "row" if evidence.more_rows == 1 else "rows"
    return f"About {units.about(evidence.more_rows)} more {row}{labels} would settle it {how}."


def _value_message(evidence: GateEvidence, outcome: Outcome, alpha: float, beta: float) -> str:
    metric, knob = evidence.metric, _knob(evidence)
    below = units.less_is_better(metric, evidence.good)
    yours = f"your {knob} is {units.limit(metric, evidence.bound)}" if evidence.bound is not None else evidence.limit
    good, bad = (evidence.high, evidence.low) if below else (evidence.low, evidence.high)
    it = f"The {units.metric_name(metric)} is {units.value(metric, evidence.new)}"
    if outcome != "inconclusive":
        bound, beyond = (good, beta) if outcome == "pass" else (bad, alpha)
        end = "most" if below == (outcome == "pass") else "least"
        at = f", at {end} {units.value(metric, bound)} {_sure(beyond)}" if bound is not None else ""
        return f"{it}{at}; {yours}."
    span = ""
    if evidence.low is not None and evidence.high is not None:
        low, high = units.value(metric, evidence.low), units.value(metric, evidence.high)
        span = f"; on {units.rows(evidence.rows)} it could be anything from {low.removesuffix(' %')} to {high}"
    return " ".join(filter(None, [f"{it}{span}; {yours}.", _more(evidence, "4 times in 5")]))
