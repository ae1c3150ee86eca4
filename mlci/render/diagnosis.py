"""A diagnosis on a terminal: one line a check, grouped, each with its mend."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from mlci.render.text import clean, markdown_prose, spans

if TYPE_CHECKING:
    from rich.console import Console

    from mlci.nouns.diagnosis import Diagnosed, Diagnosis, Standing

_MARKS: dict[Standing, tuple[str, str]] = {
    "fine": ("\N{CHECK MARK}", "green"),
    "warning": ("!", "yellow"),
    "failure": ("\N{BALLOT X}", "red"),
    "not_asked": ("?", "dim"),
}


def render_diagnosis(found: Diagnosis, console: Console) -> None:
    """Print every check with its mend, and last the line that counts. Nothing in it is read as markup."""
    for group, checks in groupby(found.checks, key=lambda check: check.group):
        console.print(Text(group, style="bold"))
        console.print(_lines(list(checks)))
    console.print(_worded(summary(found), "bold"))


def _lines(checks: list[Diagnosed]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False, expand=True)
    table.add_column(no_wrap=True, width=3, justify="right")
    table.add_column(overflow="fold", ratio=1)
    for check in checks:
        mark, style = _MARKS[check.standing]
        told = _worded(_at(check), "dim" if check.standing in {"fine", "not_asked"} else "")
        if check.mend:
            told.append("\n\N{RIGHTWARDS ARROW} ", style="cyan")
            told.append_text(_worded(check.mend))
        table.add_row(Text(mark, style=style), told)
    return table


def _at(check: Diagnosed) -> str:
    return f"{check.place}: {check.says}" if check.place is not None else check.says


def _worded(text: str, style: str = "") -> Text:
    made = Text(style=style)
    for code, part in spans(_cleaned(text)):
        made.append(part, style="bold" if code else "")
    return made


def _cleaned(text: str) -> str:
    """Lines stay lines; all else that a terminal would obey is shown."""
    return "\n".join(clean(line) for line in text.splitlines())


def summary(found: Diagnosis) -> str:
    """One line, the worst first: `3 things would make the loop fail, first: …`."""
    failures, warnings, unasked = (found.count(each) for each in ("failure", "warning", "not_asked"))
    counted = [f"{warnings} to improve"] if warnings else []
    counted += [f"{unasked} not asked"] if unasked else []
    if failures:
        first = next(check for check in found.checks if check.standing == "failure")
        things = "1 thing would" if failures == 1 else f"{failures} things would"
        more = f" ({', '.join(counted)})" if counted else ""
        return f"\N{BALLOT X} {found.project}: {things} make the loop fail{more}. First: {_first_line(first)}"
    return f"\N{CHECK MARK} {found.project}: nothing would make the loop fail{''.join(f', {each}' for each in counted)}"


def _first_line(check: Diagnosed) -> str:
    return _at(check).splitlines()[0]


def diagnosis_markdown(found: Diagnosis) -> str:
    """The diagnosis as Markdown: a list for each group, and the line that counts first."""
    parts = [f"**{markdown_prose(summary(found))}**"]
    for group, checks in groupby(found.checks, key=lambda check: check.group):
        lines = [f"### {group}", ""]
        for check in checks:
            mend = f" \N{RIGHTWARDS ARROW} {markdown_prose(check.mend)}" if check.mend else ""
            lines.append(f"- {_MARKS[check.standing][0]} {markdown_prose(_at(check))}{mend}")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"
