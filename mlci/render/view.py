"""What every renderer shows the same way: the order of findings, their mark, their words and their number."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlci.nouns import units
from mlci.nouns.quantities import moved, quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlci.nouns.finding import BudgetEvidence, Comparison, Finding, GateEvidence, Verdict
    from mlci.nouns.report import Charts, DataDiff, SliceChange

MOST_ROWS_THAT_MATTER = 5

ICONS = {
    "good": "\N{WHITE HEAVY CHECK MARK}",
    "bad": "\N{CROSS MARK}",
    "open": "\N{WARNING SIGN}\N{VARIATION SELECTOR-16}",
    "quiet": "\N{MEDIUM WHITE CIRCLE}",
}
"""The mark of each tone."""

MARKS = {"good": "✓", "bad": "✗", "open": "!", "quiet": "·"}
"""The same without emoji: terminals disagree about their width, and not every machine has a font for them."""

VERDICT_TONES = {"pass": "good", "inconclusive": "open", "fail": "bad"}

_LAST_OF_ALL_ROWS = 4
_RESCORED = "The old model was run again on today's test rows"
_DASH = "\N{EN DASH}"


class Row(NamedTuple):
    """A finding as a reader sees it; every text may hold hostile parts.

    Attributes:
        title: The check, and on how many rows.
        number: The number that decided it: `88.1 → 84.7 %`, `6.2 %`.
        tone: `good`, `bad`, `open` (look at it) or `quiet` (says nothing either way).
        verdict: What came out, in a word or three.
        words: The sentences.
        mend: What to do about it; empty where nothing is to be done.
        place: `params.yaml:12`; empty where the policy has no line for it.
        finding: The finding itself.
    """

    title: str
    number: str
    tone: str
    verdict: str
    words: str
    mend: str
    place: str
    finding: Finding

    @property
    def icon(self) -> str:
        """The mark of its tone, as an emoji."""
        return ICONS[self.tone]

    @property
    def mark(self) -> str:
        """The mark of its tone, as a letter."""
        return MARKS[self.tone]


def row(finding: Finding, *, names_table: bool = False) -> Row:
    """A finding as a row of a table; with the name of the data's table before it, where several are checked."""
    tone, verdict = _verdict(finding)
    head = f"{finding.data.table}: " if names_table and finding.data is not None else ""
    return Row(
        title=head + _title(finding),
        number=_number(finding),
        tone=tone,
        verdict=verdict,
        words=finding.message,
        mend=finding.mend,
        place=str(finding.place) if finding.place else "",
        finding=finding,
    )


def _title(finding: Finding) -> str:
    seen = finding.gate.rows if finding.gate is not None else finding.data.rows if finding.data is not None else None
    return f"{finding.title} ({units.count(seen)})" if finding.area == "gate" and seen is not None else finding.title


def _verdict(finding: Finding) -> tuple[str, str]:
    """Tone and words of an outcome."""
    if finding.outcome == "pass":
        change = finding.gate is not None and finding.gate.kind == "change"
        return "good", "safe" if change else "held"
    if finding.waived:
        return "open", "waived"
    if finding.outcome == "fail":
        words = {"block": ("bad", "blocked"), "warn": ("open", "warning"), "info": ("quiet", "noted")}
        return words[finding.level]
    tone, said = {
        "not_measured": ("open", "not measured"),
        "inconclusive": ("open", "not enough data"),
        "too_small": ("quiet", "too small to tell"),
        "not_comparable": ("quiet", "nothing to compare"),
    }[finding.outcome]
    return "bad" if finding.blocks else tone, said


def _number(finding: Finding) -> str:
    if finding.gate is not None:
        return _gate_number(finding.gate)
    if finding.budget is not None:
        return _budget_number(finding.budget)
    if (data := finding.data) is None:
        return ""
    if data.measured is not None:
        return data.measured if isinstance(data.measured, str) else units.measured(data.measured)
    if data.share is not None:
        return units.small_percent(data.share)
    return units.rows(data.count) if data.count is not None else ""


def _gate_number(evidence: GateEvidence) -> str:
    if evidence.old is not None and evidence.new is not None:
        if evidence.kind == "beats":
            return units.against(evidence.metric, evidence.new, evidence.old)
        return units.pair(evidence.metric, evidence.old, evidence.new)
    return units.value(evidence.metric, evidence.new)


def _budget_number(evidence: BudgetEvidence) -> str:
    if evidence.new is None:
        return ""
    if evidence.old is None:
        return quantity(evidence.budget, evidence.new)
    return moved(evidence.budget, evidence.old, evidence.new)


def ordered(findings: Iterable[Finding]) -> tuple[Row, ...]:
    """Rows from what blocks to what says nothing; changes before floors, and else in the policy's order."""
    every = sorted(findings, key=lambda finding: (_rank(finding), _is_limit(finding)))
    several = len({finding.data.table for finding in every if finding.data is not None}) > 1
    return tuple(row(finding, names_table=several) for finding in every)


def _is_limit(finding: Finding) -> bool:
    """A floor or ceiling, which says less than a change does."""
    return finding.gate is not None and finding.gate.kind == "value"


def _rank(finding: Finding) -> int:
    """The less, the more it matters; a slice that cannot be settled is less news than a metric of all rows.

    What was done to the policy itself comes first: it decides what all the others are worth.
    """
    whole = finding.gate is not None and finding.gate.slice is None
    if finding.waived or (finding.warns and finding.check.startswith("policy.")):
        return 0
    if finding.blocks:
        return 0 if finding.outcome == "fail" else 1
    if finding.outcome == "inconclusive":
        return 2 if whole or finding.gate is None else 5
    if finding.warns:
        return 3
    if whole and finding.outcome in {"pass", "not_comparable"}:
        return _LAST_OF_ALL_ROWS
    return {"fail": 6, "pass": 7}.get(finding.outcome, 8)


def matter(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The rows that a reader must see, at most five: what is not good, and the metrics of all rows.

    Data checks that held, and slices that are safe or too small, are no news. Slices that cannot be settled are shown
    only where nothing else is.
    """
    shown = [item for item in rows if _rank(item.finding) <= _LAST_OF_ALL_ROWS]
    return tuple(shown or [item for item in rows if item.finding.warns])[:MOST_ROWS_THAT_MATTER]


def number_name(rows: Iterable[Row]) -> str:
    """What the numbers of these rows are: a change where a model is among them, else what was measured, or nothing."""
    rows = tuple(rows)
    if not any(item.number for item in rows):
        return ""
    return f"old {units.ARROW} new" if any(item.finding.gate or item.finding.budget for item in rows) else "measured"


def tally(findings: Iterable[Finding]) -> str:
    """`20 held, 1 blocked, 2 too small to tell`: how many findings came out how."""
    words = {"safe": "held"}
    counts: dict[str, int] = {}
    for item in ordered(findings):
        word = words.get(item.verdict, item.verdict)
        counts[word] = counts.get(word, 0) + 1
    plural = {"warning": "warnings"}
    parts = [
        f"{units.count(number)} {plural.get(word, word) if number > 1 else word}" for word, number in counts.items()
    ]
    return ", ".join(parts)


def baseline_name(baseline: str) -> str:
    """What people call a baseline; a revision keeps its own name."""
    names = {
        "merge-base": "the merge base",
        "previous": "the previous model",
        "release": "the last release",
        "current": "the current model",
    }
    return names.get(baseline, baseline)


def compared_with(comparison: Comparison) -> str:
    """One sentence: what the candidate was set against, on how many rows, and what the reader must know."""
    what = baseline_name(comparison.baseline) + (f" `{comparison.commit[:7]}`" if comparison.commit else "")
    said = {
        "compared": f"Compared with {what} on {units.rows(comparison.rows)}.",
        "unchanged": f"Predictions are the same as those of {what}.",
        "first_run": "First run: there is no earlier model to compare with. These numbers are the next run's baseline.",
        "not_comparable": f"Not comparable with {what}.",
    }[comparison.status]
    if comparison.leaked:
        said += f" {units.rows(comparison.leaked)} left out, because a model was trained on them."
    if comparison.rescored and _RESCORED not in comparison.reason:
        said += f" {_RESCORED}."
    return f"{said} {_sentence(comparison.reason)}".strip()


def _sentence(text: str) -> str:
    return text if not text or text.rstrip().endswith((".", "!", "?")) else f"{text}."


def slice_changes(data: Charts) -> dict[tuple[str, str], tuple[SliceChange, ...]]:
    """Changes by (metric, baseline), the worst first."""
    groups: dict[tuple[str, str], list[SliceChange]] = {}
    for item in sorted(data.slices, key=lambda item: (gain(item), item.slice)):
        groups.setdefault((item.metric, item.baseline), []).append(item)
    return {key: tuple(groups[key]) for key in dict.fromkeys((item.metric, item.baseline) for item in data.slices)}


def gain(item: SliceChange) -> float:
    """A slice's change in the good direction."""
    return -item.change if units.less_is_better(item.metric, item.good) else item.change


def provenance(verdict: Verdict) -> tuple[tuple[str, str], ...]:
    """What the verdict speaks of, as (name, digest or version)."""
    said = [("commit", verdict.commit + (" with uncommitted changes" if verdict.dirty else ""))]
    said += [(name, getattr(verdict.digests, name)) for name in ("policy", "model", "predictions")]
    said += sorted(verdict.digests.data.items())
    said += [(baseline_name(item.baseline), item.commit or item.model) for item in verdict.comparisons]
    return tuple((name, value) for name, value in [*said, ("tool", verdict.tool)] if value)


def is_same(diff: DataDiff) -> bool:
    """Whether a table is as it was: nobody need read more of it than its name."""
    return diff.note == "unchanged" and not diff.columns


def diff_headline(diff: DataDiff) -> str:
    """`336,776 → 340,000 rows: 3,300 added, 76 removed, 12 changed`."""
    sizes = [units.count(size) if size is not None else "?" for size in (diff.rows_old, diff.rows_new)]
    rows = f"{sizes[0]} {units.ARROW} {sizes[1]} rows" if sizes != ["?", "?"] else ""
    what = [("added", diff.added), ("removed", diff.removed), ("changed", diff.changed)]
    changes = ", ".join(f"{units.count(number)} {word}" for word, number in what if number is not None)
    return ": ".join(filter(None, [rows, changes])) or diff.note or _DASH
