"""The ML Test Score on a terminal and as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mlci.render.text import clean, markdown_code, markdown_prose, markdown_text, spans

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from mlci.nouns.rubric import Evidence, Marked, SectionScore, TestScore

PAPER = "Breck, Cai, Nielsen, Salib, Sculley (2017): The ML Test Score"
_MARKS = {
    1.0: ("\N{BLACK CIRCLE}", "green"),
    0.5: ("\N{CIRCLE WITH LEFT HALF BLACK}", "yellow"),
    0.0: ("\N{WHITE CIRCLE}", "red"),
}
_MOST = 7


def number(score: float) -> str:
    """Such as `3`, `0.5`."""
    return f"{score:g}"


def render_rubric(found: TestScore, console: Console) -> None:
    """Print every test with its score, its evidence and the next step. Nothing in it is read as markup."""
    for section in found.sections:
        console.print(_head(section, weakest=section.score == found.score))
        console.print(Padding(_tests(section), (0, 0, 1, 2)))
    said = Text(f"ML Test Score of {clean(found.project)}: {number(found.score)}", style="bold")
    lowest = f"  the lowest of {', '.join(_sum(section) for section in found.sections)}"
    console.print(Text.assemble(said, (lowest, "dim")))
    console.print(Padding(Text(found.meaning), (0, 0, 0, 2)))
    for step in best_steps(found):
        console.print(Padding(_worded(f"Next: {step}"), (0, 0, 0, 2)))


def _head(section: SectionScore, *, weakest: bool) -> Text:
    full, half = int(section.score), section.score % 1 > 0
    bar = _MARKS[1.0][0] * full + _MARKS[0.5][0] * half
    line = Text(f"{section.section.capitalize():<15}", style="bold")
    line.append(f"{bar:{_MARKS[0.0][0]}<{_MOST}}", style="cyan")
    line.append(f"  {number(section.score)} of {_MOST}", style="bold")
    line.append("  the weakest section is the score" if weakest else "", style="dim")
    return line


def _tests(section: SectionScore) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False, expand=True)
    table.add_column(no_wrap=True, width=1)
    table.add_column(no_wrap=True, width=3, justify="right")
    table.add_column(overflow="fold", ratio=1)
    for test in section.tests:
        mark, style = _MARKS[test.score]
        table.add_row(Text(mark, style=style), Text(number(test.score), style=style), _told(test))
    return table


def _told(test: Marked) -> Text:
    told = Text(f"{test.test.rpartition(' ')[2]}. {test.title}")
    for each in test.evidence:
        told.append("\n")
        told.append_text(_worded(_evidence(each), "dim"))
    if test.next:
        told.append("\n\N{RIGHTWARDS ARROW} ", style="cyan")
        told.append_text(_worded(test.next))
    return told


def _evidence(each: Evidence) -> str:
    at = f" ({each.place})" if each.place is not None else ""
    return f"{'not enough: ' if each.how == 'partial' else ''}{clean(each.says)}{clean(at)}"


def _worded(text: str, style: str = "") -> Text:
    """Text whose parts between backticks stand out."""
    made = Text(style=style)
    for code, part in spans(text):
        made.append(part, style="bold" if code else "")
    return made


def _sum(section: SectionScore) -> str:
    return f"{section.section} {number(section.score)}"


def best_steps(found: TestScore) -> Iterator[str]:
    """What raises the final score first: in every section that is the lowest, the open test with the most evidence."""
    for section in found.sections:
        if section.score > found.score:
            continue
        steps = sorted((test for test in section.tests if test.next), key=lambda test: -len(test.evidence))
        if steps:
            yield f"{steps[0].title}: {steps[0].next}."


def rubric_markdown(found: TestScore) -> str:
    """The score as Markdown: one table a section."""
    sums = ", ".join(_sum(section) for section in found.sections)
    told = f"**ML Test Score: {number(found.score)}** of {_MOST}, the lowest of {sums}."
    parts = [f"{told} {markdown_prose(found.meaning)}"]
    for section in found.sections:
        rows = [
            f"| {number(test.score)} | {test.test.rpartition(' ')[2]}. {markdown_text(test.title)} | {_cell(test)} |"
            for test in section.tests
        ]
        parts.append("\n".join([f"### {section.section.capitalize()}: {number(section.score)}", "", *_HEADER, *rows]))
    return "\n\n".join([*parts, f"Rubric: {PAPER}."]) + "\n"


_HEADER = ("| score | test | evidence, and the next step |", "|---|---|---|")


def _cell(test: Marked) -> str:
    told = [_markdown_evidence(each) for each in test.evidence]
    told += [f"\N{RIGHTWARDS ARROW} {markdown_prose(test.next)}"] if test.next else []
    return "<br>".join(told)


def _markdown_evidence(each: Evidence) -> str:
    at = f" ({markdown_code(str(each.place))})" if each.place is not None else ""
    return f"{'not enough: ' if each.how == 'partial' else ''}{markdown_prose(each.says)}{at}"
