"""The report on a terminal: the verdict, the rows that matter, the rest in brief, and rows that broke a check."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.box import ROUNDED, SIMPLE_HEAD
from rich.console import Group
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from mlci.nouns import units
from mlci.render import told, view
from mlci.render.text import clean, spans

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, RenderableType

    from mlci.nouns.finding import Comparison, Rows
    from mlci.nouns.report import Report

_COLOURS = {"good": "green", "bad": "red", "open": "yellow", "quiet": "bright_black"}
_MOST_CELL = 40
_MOST_COLUMNS = 8
_MOST_NAMES = 12
_SECTION = (1, 0, 0, 1)
_MOST_SLICES = 5
_MOST_EXAMPLES = 8
"""Checks whose rows are shown; who has broken more looks into the report."""
_NARROW = 80


def render_terminal(report: Report, console: Console) -> None:
    """Print the report. Nothing in it is read as markup, and no control character reaches the terminal.

    Args:
        report: What to show.
        console: Where to; its width and colours are the caller's choice.
    """
    rows = view.ordered(report.verdict.findings)
    shown = view.matter(rows)
    console.print(_verdict(report))
    if shown:
        console.print(*_stacked(shown) if console.width < _NARROW else [_matter(shown)], sep="\n")
    for line in _rest([item for item in rows if item not in shown]):
        console.print(Padding(line, (0, 1)))
    for table in _below(rows, report.verdict.comparisons):
        console.print(Padding(table, _SECTION))
    for part in (_told(report), _diffs(report)):
        console.print(*([""] if part else []), *(Padding(line, (0, 1)) for line in part), sep="\n", end="")
    if report.verdict.footer:
        console.print(Padding(Text(clean(report.verdict.footer), style="dim"), (1, 1, 0, 1)))


def _told(report: Report) -> list[RenderableType]:
    """A line each on weak slices and on groups, where there is something to tell."""
    said = [("weak slices", told.weak_line(report.weak) if report.weak else "")]
    said.append(("groups", told.groups_line(report.fairness)))
    lines: list[RenderableType] = [_labelled(f"{label} (not judged):", text) for label, text in said if text]
    return lines


def _diffs(report: Report) -> list[RenderableType]:
    return [_labelled("data", f"{diff.table}: {view.diff_headline(diff)}") for diff in report.diffs]


def _prose(text: str, style: str = "") -> Text:
    """A sentence; what stands between backticks is bold."""
    said = Text(style=style)
    for code, part in spans(clean(text)):
        said.append(part, style="bold" if code else None)
    return said


def _verdict(report: Report) -> Panel:
    verdict = report.verdict
    tone = view.VERDICT_TONES[verdict.outcome]
    first, colon, rest = clean(verdict.headline).partition(":")
    line = Text.assemble((f"{view.MARKS[tone]} {first}{colon}", f"bold {_COLOURS[tone]}"), (rest, "bold"))
    said = [_prose(view.compared_with(item), "dim") for item in verdict.comparisons]
    said += [_prose(report.recipe.words, "dim")] if report.recipe is not None and report.recipe.words else []
    title = Text(f" {clean(verdict.project)} ", style="bold")
    return Panel(Group(line, *said), box=ROUNDED, border_style=_COLOURS[tone], title=title, title_align="left")


def _matter(rows: Sequence[view.Row]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1), expand=True, header_style="dim")
    number = view.number_name(rows)
    for name, ratio in (("check", 3), *([(number, 2)] if number else []), ("verdict", 2), ("in words", 7)):
        table.add_column(name, ratio=ratio, overflow="fold")
    for item in rows:
        table.add_row(_check(item), *([Text(clean(item.number))] if number else []), _outcome(item), _words(item))
    return table


def _check(item: view.Row) -> Text:
    where = f"\n{clean(item.place)}" if item.place and item.tone in {"bad", "open"} else ""
    return Text.assemble(clean(item.title), (where, "dim"))


def _outcome(item: view.Row) -> Text:
    return Text(f"{view.MARKS[item.tone]} {item.verdict}", _COLOURS[item.tone])


def _words(item: view.Row) -> Text:
    words = _prose(item.words)
    return Text.assemble(words, "\n", _prose(f"→ {item.mend}", "dim")) if item.mend else words


def _stacked(rows: Sequence[view.Row]) -> list[RenderableType]:
    """The same below each other, where four columns are too narrow to read."""
    said: list[RenderableType] = []
    for item in rows:
        head = Text.assemble(_outcome(item), " ", Text(clean(item.title), "bold"), f" {clean(item.number)}")
        said += ["", head, Padding(_words(item), (0, 0, 0, 2))]
    return [*said, ""]


def _rest(rows: Sequence[view.Row]) -> list[RenderableType]:
    """One paragraph for each kind of outcome, with as many names as help."""
    groups: dict[str, list[view.Row]] = {}
    for item in rows:
        groups.setdefault(item.verdict, []).append(item)
    return [_labelled(f"{verdict} ({len(items)}):", _names(items), items[0].tone) for verdict, items in groups.items()]


def _names(items: Sequence[view.Row]) -> str:
    """Names with their numbers; of many checks that hold, only how many each table has."""
    tables = Counter(item.finding.data.table for item in items if item.finding.data is not None)
    if items[0].tone == "good" and len(items) > _MOST_NAMES and tables:
        rest = [item for item in items if item.finding.data is None]
        counted = [f"{count} checks of {table}" for table, count in tables.items()]
        return "; ".join([", ".join(counted), *([_names(rest)] if rest else [])])
    names = "; ".join(f"{_named(item)}: {item.number}".strip(": ") for item in items[:_MOST_NAMES])
    return f"{names}; and {len(items) - _MOST_NAMES} others" if len(items) > _MOST_NAMES else names


def _named(item: view.Row) -> str:
    """The check, with its table where several are checked, and without its number of rows."""
    return item.finding.title if item.finding.data is None else item.title


def _labelled(label: str, text: str, tone: str = "quiet") -> Text:
    said = Text.assemble((f"{view.MARKS[tone]} {label} ", _COLOURS[tone]), (clean(text), "dim"))
    said.overflow = "fold"
    return said


def _below(rows: Sequence[view.Row], comparisons: Sequence[Comparison]) -> Iterator[RenderableType]:
    """Rows that broke a check, what failed stages wrote, and rows that changed between right and wrong."""
    broken = [
        (item.title, item.finding.data.examples)
        for item in rows
        if item.finding.data is not None and item.finding.data.examples and item.finding.outcome != "pass"
    ]
    for title, examples in broken[:_MOST_EXAMPLES]:
        yield _examples(title, examples)
    if (more := len(broken) - _MOST_EXAMPLES) > 0:
        yield Text(f"Rows of {more} more check{'' if more == 1 else 's'}: in the report, `mlci report`.", "dim")
    for item in rows:
        if item.finding.output:
            yield _output(item.title, item.finding.output)
    for comparison in comparisons:
        if comparison.flips:
            yield _flips(comparison)


def _output(title: str, lines: Sequence[str]) -> RenderableType:
    said = Text("\n".join(clean(line) for line in lines), style="dim")
    return Group(Text(f"{clean(title)}: what came last", style="bold"), Padding(said, (0, 0, 0, 2)))


def _examples(title: str, rows: Rows) -> Table:
    columns = rows.columns[:_MOST_COLUMNS]
    more = len(rows.columns) - len(columns)
    caption = f"and {more} more columns" if more else None
    table = Table(
        title=Text(clean(title), style="bold"),
        title_justify="left",
        box=SIMPLE_HEAD,
        header_style="dim",
        pad_edge=False,
        caption=caption,
    )
    for column in columns:
        table.add_column(Text(clean(column, _MOST_CELL)), overflow="fold")
    for row in rows.rows:
        table.add_row(*(_cell(cell) for cell in row[: len(columns)]))
    return table


def _cell(cell: str | None) -> Text:
    return Text("missing", style="dim italic") if cell is None else Text(clean(cell, _MOST_CELL))


def _flips(comparison: Comparison) -> Table:
    table = Table(
        title=Text(
            f"Rows that only one model has right, against {clean(view.baseline_name(comparison.baseline))}", "bold"
        ),
        title_justify="left",
        box=SIMPLE_HEAD,
        header_style="dim",
        pad_edge=False,
    )
    table.add_column("slice", overflow="fold")
    for name in ("rows", "better", "worse"):
        table.add_column(name, justify="right")
    flips = sorted(comparison.flips, key=lambda item: (item.slice is not None, item.gained - item.lost))
    for item in flips[:_MOST_SLICES]:
        counts = (item.rows, item.gained, item.lost)
        table.add_row(Text(clean(item.slice or "all rows", _MOST_CELL)), *(units.count(number) for number in counts))
    return table
