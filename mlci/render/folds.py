"""The folded parts of the comment: each a heading over rows, from which the last rows can be left out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mlci.nouns import units
from mlci.render import told, view
from mlci.render.data_folds import data_folds, failing_fold
from mlci.render.history import history_fold
from mlci.render.links import place_link
from mlci.render.mermaid import slices_mermaid
from mlci.render.recipe import recipe_fold
from mlci.render.run_folds import output_folds, parts
from mlci.render.tables import MOST_CELL, MOST_NAME, MOST_WORDS, Drawn, Fold, examples, line, table
from mlci.render.text import markdown_code, markdown_fence, markdown_number, markdown_prose, markdown_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlci.nouns.comment import Earlier, Links, Spent
    from mlci.nouns.finding import Flips, Verdict
    from mlci.nouns.report import MetricRow, Report, SliceChange

_MOST_BASELINES = 4
_MOST_STEPS = 40


def folds(report: Report, links: Links, history: Sequence[Earlier], spent: Sequence[Spent]) -> tuple[Fold, ...]:
    """All parts that have something to show, in the order in which they stand."""
    verdict = report.verdict
    every = [*output_folds(verdict), _checks(verdict, links), _metrics(report), *_slices(report), *_flips(verdict)]
    every += [failing_fold(verdict), recipe_fold(report), _weak(report), _groups(report), *data_folds(report)]
    every += [_spent(spent or parts(report.timing)), _repeat(report), _provenance(verdict)]
    every += [history_fold(history, links)]
    return tuple(fold for fold in every if fold.items)


def _checks(verdict: Verdict, links: Links) -> Fold:
    def draw(item: view.Row) -> str:
        return line(
            markdown_text(item.title, MOST_NAME),
            markdown_number(item.number),
            f"{item.icon}&nbsp;{item.verdict}",
            markdown_prose(item.words, MOST_WORDS),
            place_link(item.finding.place, links, MOST_NAME),
        )

    rows = view.ordered(verdict.findings)
    number = "All checks" if len(rows) > 1 else "The check"
    summary = f"{number}: {view.tally(verdict.findings)}"
    return Fold("all checks", 2, summary, table("check", ">number", "verdict", "in words", "policy"), Drawn(rows, draw))


def _metrics(report: Report) -> Fold:
    baselines = list(dict.fromkeys(name for row in report.metrics for name in row.old))[:_MOST_BASELINES]
    items = tuple(
        line(
            markdown_text(units.metric_name(row.metric), MOST_NAME),
            *(units.value(row.metric, row.old.get(name)) if name in row.old else "" for name in baselines),
            f"**{units.value(row.metric, row.new)}**{_span(row)}",
            *(_moved(row.metric, row.old.get(name), row.new) for name in baselines[:1]),
        )
        for row in report.metrics
    )
    change = [">change"] if baselines else []
    names = [f">{markdown_text(view.baseline_name(name), MOST_CELL)}" for name in baselines]
    return Fold("all metrics", 1, "All metrics on all rows", table("metric", *names, ">new", *change), items)


def _span(row: MetricRow) -> str:
    if row.low is None or row.high is None:
        return ""
    return f" ({units.value(row.metric, row.low)} to {units.value(row.metric, row.high)})"


def _moved(metric: str, old: float | None, new: float | None) -> str:
    return units.signed(metric, new - old) if old is not None and new is not None else ""


def _weak(report: Report) -> Fold:
    items = tuple(
        line(
            markdown_text(item.slice, MOST_NAME),
            markdown_prose(told.weak_words(item), MOST_WORDS),
        )
        for item in report.weak
    )
    head = (markdown_prose(told.WEAK_INTRO), "", *table("slice", "in words"))
    return Fold("weak slices", 3, f"Weak slices, which nobody named: {units.count(len(items))}", head, items)


def _groups(report: Report) -> Fold:
    compared = any(item.change is not None for item in report.fairness)
    said = [
        f"- {markdown_prose(told.groups_words(kind, rates), MOST_WORDS)}"
        for kind, rates in told.by_kind(report.fairness).items()
    ]
    items = tuple(
        line(
            markdown_text(item.group, MOST_NAME),
            item.kind,
            units.count(item.rows),
            f"{told.percent(item.rate)} ({told.percent(item.low)} to {told.percent(item.high)})",
            told.difference(item),
            *([told.change(item)] if compared else []),
        )
        for item in report.fairness
    )
    columns = ("group", "rate", ">rows", ">in the group", ">from all others")
    head = (*said, "", *table(*columns, *([">since the old model"] if compared else [])))
    return Fold("groups", 3, "Rates by group; told, not judged", head, items)


def _slices(report: Report) -> Iterable[Fold]:
    # What happened to all rows stands above.
    every = view.slice_changes(report.charts)
    sliced = {key: items for key, items in every.items() if any(item.slice != "all rows" for item in items)}
    for place, ((metric, baseline), changes) in enumerate(sliced.items()):
        head = table("slice", ">rows", ">change", ">worse", "better", "interval")
        largest = max(abs(item.change) for item in changes)
        name = markdown_text(units.metric_name(metric), MOST_NAME)
        yield Fold(
            "slices",
            4,
            f"Change of {name} per slice, against {markdown_text(view.baseline_name(baseline), MOST_NAME)}",
            (*(slices_mermaid(changes) if place == 0 else ()), *head),
            Drawn(changes, partial(_slice, largest=largest)),
        )


def _slice(item: SliceChange, largest: float) -> str:
    size = view.gain(item)
    low, high = (units.signed(item.metric, end).split(" ")[0] for end in (item.low, item.high))
    icon = {"fail": "bad", "inconclusive": "open", "pass": "good"}.get(item.outcome, "quiet")
    return line(
        f"{view.ICONS[icon]} {markdown_text(item.slice, MOST_NAME)}",
        units.count(item.rows),
        units.signed(item.metric, item.change),
        bar(-size, largest, left=True),
        bar(size, largest),
        f"{low} to {high}",
    )


def bar(size: float, largest: float, width: int = 8, *, left: bool = False) -> str:
    """A bar of half blocks: `███▌`, or `▐███` where it grows to the left; at least a sliver for what is not 0."""
    if size <= 0 or largest <= 0:
        return ""
    halves = max(1, round(2 * width * min(size / largest, 1.0)))
    full, half = "\N{FULL BLOCK}" * (halves // 2), halves % 2
    return "\N{RIGHT HALF BLOCK}" * half + full if left else full + "\N{LEFT HALF BLOCK}" * half


def _flips(verdict: Verdict) -> Iterable[Fold]:
    for comparison in verdict.comparisons:
        flips = sorted(comparison.flips, key=lambda item: (item.slice is not None, item.gained - item.lost))
        against = markdown_text(view.baseline_name(comparison.baseline), MOST_NAME)
        yield Fold(
            "flips",
            3,
            f"Flips: rows that only one of the two models has right, against {against}",
            table("slice", ">rows", ">better", ">worse"),
            Drawn(flips, _flip),
        )
        broken = Drawn([(item.slice or "all rows", item.examples) for item in flips if item.examples], examples)
        summary = f"Some of the rows that {against} had right and the new model breaks"
        yield Fold("broken rows", 6, summary, (), broken, "\n\n")


def _flip(item: Flips) -> str:
    counts = (units.count(number) for number in (item.rows, item.gained, item.lost))
    return line(markdown_text(item.slice or "all rows", MOST_NAME), *counts)


def _spent(spent: Sequence[Spent]) -> Fold:
    items = tuple(
        line(
            markdown_text(item.what, MOST_NAME),
            units.duration(item.seconds),
            f"{item.cost:,.4f} US dollars" if item.cost is not None else "",
        )
        for item in spent[:_MOST_STEPS]
    )
    total, costs = sum(item.seconds for item in spent), [item.cost for item in spent if item.cost is not None]
    if (more := len(spent) - len(items)) > 0:
        rest = sum(item.seconds for item in spent[_MOST_STEPS:])
        items += (line(f"{units.count(more)} further parts", units.duration(rest), ""),)
    cost = f", {sum(costs):,.2f} US dollars" if costs else ""
    return Fold(
        "time and cost", 5, f"Time and cost: {units.duration(total)}{cost}", table("what", ">time", ">cost"), items
    )


def _repeat(report: Report) -> Fold:
    items = (markdown_fence(report.repeat),) if report.repeat else ()
    return Fold("how to repeat it", 0, "How to repeat it locally", (), items)


def _provenance(verdict: Verdict) -> Fold:
    said: Sequence[tuple[str, str]] = view.provenance(verdict)
    items = tuple(line(markdown_text(name, MOST_NAME), markdown_code(value, MOST_NAME)) for name, value in said)
    return Fold("provenance", 5, "What this verdict speaks of", table("what", "digest or version"), items)
