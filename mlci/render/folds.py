"""The folded parts of the comment: each a heading over rows, from which the last rows can be left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlci.nouns import units
from mlci.render import view
from mlci.render.text import markdown_code, markdown_fence, markdown_number, markdown_prose, markdown_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mlci.nouns.finding import Flips, Rows, Verdict
    from mlci.nouns.report import ColumnDiff, DataDiff, MetricRow, Report, SliceChange

_MOST_NAME = 100
_MOST_WORDS = 400
_MOST_CELL = 60
_MOST_COLUMNS = 12


class Fold(NamedTuple):
    """One folded part.

    Attributes:
        name: What it is, in lower case, for the note that says it was left out.
        importance: The less, the earlier it gets room.
        summary: The line that shows while it is folded, as inert HTML.
        head: Lines above the rows.
        items: Rows of the table under `head`, or blocks of their own.
        between: What stands between two items.
    """

    name: str
    importance: int
    summary: str
    head: tuple[str, ...]
    items: tuple[str, ...]
    between: str = "\n"

    def within(self, room: int) -> str | None:
        """The fold in at most so many UTF-8 bytes, with a note where items were left out; None if not even one fits."""
        whole = self._text(len(self.items))
        if len(whole.encode()) <= room:
            return whole
        left = room - len(self._text(0).encode()) - 10  # the note's number may be longer than that for 0 items
        count = 0
        for item in self.items:
            left -= len(f"{item}{self.between}".encode())
            if left < 0:
                break
            count += 1
        return self._text(count) if count else None

    def _text(self, count: int) -> str:
        left = len(self.items) - count
        note = [f"\n_{units.count(left)} more left out, because a comment has a limit._"] if left else []
        inside = [*self.head, self.between.join(self.items[:count]), *note]
        return "\n".join([f"<details><summary>{self.summary}</summary>", "", *inside, "", "</details>"])


def folds(report: Report) -> tuple[Fold, ...]:
    """All parts that have something to show, in the order in which they stand."""
    verdict = report.verdict
    every = [_checks(verdict), _metrics(report), *_slices(report), *_flips(verdict), _failing(verdict)]
    every += [_weak(report), _groups(report)]
    every += [part for diff in report.diffs for part in (_diff(diff), _cells(diff))]
    every += [_repeat(report), _provenance(verdict)]
    return tuple(fold for fold in every if fold.items)


def _table(*names: str) -> tuple[str, ...]:
    """Head of a table; a name that starts with `>`, which no escaped one does, is right-aligned."""
    rule = "|".join("--:" if name.startswith(">") else ":--" for name in names)
    return (f"| {' | '.join(name.removeprefix('>') for name in names)} |", f"|{rule}|")


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _checks(verdict: Verdict) -> Fold:
    rows = view.ordered(verdict.findings)
    items = tuple(
        _line(
            markdown_text(item.title, _MOST_NAME),
            markdown_number(item.number),
            f"{item.icon}&nbsp;{item.verdict}",
            markdown_prose(item.words, _MOST_WORDS),
            markdown_code(item.place, _MOST_NAME) if item.place else "",
        )
        for item in rows
    )
    number = "All checks" if len(rows) > 1 else "The check"
    summary = f"{number}: {view.tally(verdict.findings)}"
    return Fold("all checks", 2, summary, _table("check", ">number", "verdict", "in words", "policy"), items)


def _metrics(report: Report) -> Fold:
    baselines = list(dict.fromkeys(name for row in report.metrics for name in row.old))[:4]
    items = tuple(
        _line(
            markdown_text(units.metric_name(row.metric), _MOST_NAME),
            *(units.value(row.metric, row.old.get(name)) if name in row.old else "" for name in baselines),
            f"**{units.value(row.metric, row.new)}**{_span(row)}",
            *(_moved(row.metric, row.old.get(name), row.new) for name in baselines[:1]),
        )
        for row in report.metrics
    )
    change = [">change"] if baselines else []
    names = [f">{markdown_text(view.baseline_name(name), _MOST_CELL)}" for name in baselines]
    return Fold("all metrics", 1, "All metrics on all rows", _table("metric", *names, ">new", *change), items)


def _span(row: MetricRow) -> str:
    if row.low is None or row.high is None:
        return ""
    return f" ({units.value(row.metric, row.low)} to {units.value(row.metric, row.high)})"


def _moved(metric: str, old: float | None, new: float | None) -> str:
    return units.signed(metric, new - old) if old is not None and new is not None else ""


def _weak(report: Report) -> Fold:
    items = tuple(
        _line(
            markdown_text(item.slice, _MOST_NAME),
            units.count(item.rows),
            "elsewhere" if item.baseline is None else markdown_text(view.baseline_name(item.baseline), _MOST_CELL),
            units.measured(item.measured),
            f"{units.measured(item.excess)} ({units.measured(item.low)} to {units.measured(item.high)})",
        )
        for item in report.weak
    )
    summary = "Slices that nobody named, where the model is credibly worse; told, not judged"
    return Fold("weak slices", 3, summary, _table("slice", ">rows", "worse than", ">error", ">excess"), items)


def _groups(report: Report) -> Fold:
    items = tuple(
        _line(
            markdown_text(item.group, _MOST_NAME),
            item.kind,
            units.count(item.rows),
            f"{100 * item.rate:.1f} % ({100 * item.low:.1f} to {100 * item.high:.1f})",
            f"{100 * item.difference:+.1f} ({100 * item.difference_low:+.1f} to {100 * item.difference_high:+.1f})",
        )
        for item in report.fairness
    )
    head = _table("group", "rate", ">rows", ">in the group", ">points from all others")
    return Fold("groups", 3, "Rates by group, with 95 % intervals; told, not judged", head, items)


def _slices(report: Report) -> Iterable[Fold]:
    for (metric, baseline), changes in view.slice_changes(report.charts).items():
        largest = max(abs(item.change) for item in changes)
        name = markdown_text(units.metric_name(metric), _MOST_NAME)
        yield Fold(
            "slices",
            4,
            f"Change of {name} per slice, against {markdown_text(view.baseline_name(baseline), _MOST_NAME)}",
            _table("slice", ">rows", ">change", ">worse", "better", "interval"),
            tuple(_slice(item, largest) for item in changes),
        )


def _slice(item: SliceChange, largest: float) -> str:
    size = view.gain(item)
    low, high = (units.signed(item.metric, end).split(" ")[0] for end in (item.low, item.high))
    icon = {"fail": "bad", "inconclusive": "open", "pass": "good"}.get(item.outcome, "quiet")
    return _line(
        f"{view.ICONS[icon]} {markdown_text(item.slice, _MOST_NAME)}",
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
        against = markdown_text(view.baseline_name(comparison.baseline), _MOST_NAME)
        yield Fold(
            "flips",
            3,
            f"Flips: rows that only one of the two models has right, against {against}",
            _table("slice", ">rows", ">better", ">worse"),
            tuple(_flip(item) for item in flips),
        )
        broken = tuple(_examples(item.slice or "all rows", item.examples) for item in flips if item.examples)
        summary = f"Some of the rows that {against} had right and the new model breaks"
        yield Fold("broken rows", 6, summary, (), broken, "\n\n")


def _flip(item: Flips) -> str:
    counts = (units.count(number) for number in (item.rows, item.gained, item.lost))
    return _line(markdown_text(item.slice or "all rows", _MOST_NAME), *counts)


def _examples(title: str, rows: Rows) -> str:
    """A small table of rows under a bold title, with at most a dozen columns."""
    columns = rows.columns[:_MOST_COLUMNS]
    names = [markdown_code(name, _MOST_CELL) for name in columns]
    cells = [
        _line(*("" if cell is None else markdown_code(cell, _MOST_CELL) for cell in row[: len(columns)]))
        for row in rows.rows
    ]
    more = len(rows.columns) - len(columns)
    note = [f"\n_and {more} more column{'s' if more > 1 else ''}_"] if more else []
    return "\n".join([f"**{markdown_text(title, _MOST_NAME)}**", "", *_table(*names), *cells, *note])


def _failing(verdict: Verdict) -> Fold:
    items = [
        _examples(item.title, item.finding.data.examples)
        for item in view.ordered(verdict.findings)
        if item.finding.data is not None and item.finding.data.examples and item.finding.outcome != "pass"
    ]
    return Fold("failing rows", 5, "Some of the rows that broke a data check", (), tuple(items), "\n\n")


def _diff(diff: DataDiff) -> Fold:
    changed = [column for column in diff.columns if column.what != "same"]
    headline = markdown_text(view.diff_headline(diff), _MOST_WORDS)
    items = tuple(_column(column) for column in changed) or (_line("no column changed", "", "", "", "", ""),)
    summary = f"Data: {markdown_text(diff.table, _MOST_NAME)}, {headline}"
    return Fold("data diff", 7, summary, _table("column", "what", ">changed rows", "old", "new", "note"), items)


def _cells(diff: DataDiff) -> Fold:
    items = tuple(
        _line(*(markdown_code(cell, _MOST_CELL) if cell is not None else "" for cell in row))
        for row in ((item.id, item.column, item.old, item.new) for item in diff.examples)
    )
    summary = f"Data: some of the changed cells of {markdown_text(diff.table, _MOST_NAME)}"
    return Fold("changed cells", 8, summary, _table("row", "column", "old", "new"), items)


def _column(column: ColumnDiff) -> str:
    return _line(
        markdown_code(column.column, _MOST_CELL),
        column.what,
        units.count(column.changed) if column.changed is not None else "",
        _numbers(column.old),
        _numbers(column.new),
        markdown_prose(column.note, _MOST_WORDS),
    )


def _numbers(numbers: Mapping[str, str]) -> str:
    return markdown_text(", ".join(f"{name} {value}" for name, value in numbers.items()), _MOST_WORDS)


def _repeat(report: Report) -> Fold:
    items = (markdown_fence(report.repeat),) if report.repeat else ()
    return Fold("how to repeat it", 0, "How to repeat it locally", (), items)


def _provenance(verdict: Verdict) -> Fold:
    said: Sequence[tuple[str, str]] = view.provenance(verdict)
    items = tuple(_line(markdown_text(name, _MOST_NAME), markdown_code(value, _MOST_NAME)) for name, value in said)
    return Fold("provenance", 0, "What this verdict speaks of", _table("what", "digest or version"), items)
