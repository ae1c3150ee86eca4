"""The comment on a pull request: the verdict and its number, at most five rows that matter, and the rest folded.

GitHub refuses a body of more than 65,536 characters. The comment stays under that many UTF-8 bytes, which no way of
counting (bytes, UTF-16 units, code points) exceeds, and leaves room for what a publisher adds.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, NamedTuple

from mlci.render import view
from mlci.render.folds import Fold, folds
from mlci.render.text import markdown_code, markdown_number, markdown_prose, markdown_text

if TYPE_CHECKING:
    from mlci.nouns.report import Report

LIMIT = 65_000
"""Bytes of a comment, a little below GitHub's limit in characters."""

_MARKER_LETTERS = frozenset(f"{string.ascii_letters}{string.digits}_-./ ")
_MOST_BASELINES = 4
_MOST_WORDS = (600, 300, 150, 60, 10)
_MOST_FOOTER = 300
_MOST_NAME = 120
_ROOM_FOR_NOTE = 400


def marker(project: str) -> str:
    """The hidden line by which a publisher finds the comment of a project again."""
    if set(project) <= _MARKER_LETTERS and len(project) <= _MOST_NAME:
        return f"<!-- mlci:{project} -->"
    spelled = "".join(letter if letter in _MARKER_LETTERS else f"~{ord(letter):x}~" for letter in project)
    return f"<!-- mlci:~{spelled[: 2 * _MOST_NAME]} -->"


def render_markdown(report: Report, *, limit: int = LIMIT) -> str:
    """A comment in GitHub's Markdown; the same report gives the same bytes.

    Args:
        report: What to show. Every text in it is taken for hostile.
        limit: UTF-8 bytes that the comment may take, at least 16,000. What does not fit is left out from the least
            important fold upwards, and said so.
    """
    # Escaping can make a text many times longer: words are cut shorter until the top leaves room for the rest.
    tops = (_top(report, most) for most in _MOST_WORDS)
    top = next((text for text in tops if len(text.encode()) <= limit // 2), "")
    bottom = _bottom(report)
    room = limit - len(f"{top}\n\n{bottom}\n".encode())
    parts = [top, *_fitting(folds(report), room), bottom]
    return "\n\n".join(part for part in parts if part) + "\n"


def _top(report: Report, most: int) -> str:
    verdict = report.verdict
    first, colon, rest = markdown_text(verdict.headline, most).partition(": ")
    line = f"**{first}:** {rest}" if colon else f"**{first}**"
    lines = [marker(verdict.project), f"### {view.ICONS[view.VERDICT_TONES[verdict.outcome]]} {line}"]
    rows = view.ordered(verdict.findings)
    if shown := view.matter(rows):
        number = view.number_name(shown).replace(" ", "&nbsp;")
        lines += ["", f"| check | {number} | verdict | in words |", "|:--|--:|:--|:--|"]
        lines += [_row(item, most) for item in shown]
    left = sum(item.finding.blocks for item in rows) - sum(item.finding.blocks for item in shown)
    if left > 0:
        lines += ["", f"{left} more {'check blocks' if left == 1 else 'checks block'}; all checks are below."]
    said = [view.compared_with(item) for item in verdict.comparisons[:_MOST_BASELINES]]
    lines += ["", *(f"{markdown_prose(item, most)}  " for item in said)] if said else []
    return "\n".join(lines).rstrip()


def _row(item: view.Row, most: int) -> str:
    mend = f"<br>→ {markdown_prose(item.mend, most)}" if item.mend else ""
    where = (
        f"<br>{markdown_code(item.place, min(most, _MOST_NAME))}" if item.place and item.tone in {"bad", "open"} else ""
    )
    cells = [
        markdown_text(item.title, min(most, _MOST_NAME)) + where,
        markdown_number(item.number),
        f"{item.icon}&nbsp;{item.verdict}",
        markdown_prose(item.words, most) + mend,
    ]
    return f"| {' | '.join(cells)} |"


def _bottom(report: Report) -> str:
    verdict = report.verdict
    said = [markdown_text(verdict.footer, _MOST_FOOTER)] if verdict.footer else []
    what = f"{markdown_code(verdict.project, _MOST_NAME)}"
    commit = f" at {markdown_code(verdict.commit[:10])}" if verdict.commit else ""
    said.append(f"{what}{commit}, judged by {markdown_text(verdict.tool, _MOST_NAME)}.")
    return f"<sub>{' '.join(said)}</sub>"


class _Part(NamedTuple):
    """A fold that is in the comment, as text, and where it stands."""

    place: int
    text: str


def _fitting(every: tuple[Fold, ...], room: int) -> list[str]:
    """The folds in their order; the room is given out by importance, and each takes as many rows as fit."""
    kept: list[_Part] = []
    dropped: list[str] = []
    left = room - _ROOM_FOR_NOTE
    for place, fold in sorted(enumerate(every), key=lambda pair: pair[1].importance):
        text = fold.within(left - 2)
        if text is None:
            dropped.append(fold.name)
            continue
        kept.append(_Part(place, text))
        left -= len(text.encode()) + 2
    texts = [part.text for part in sorted(kept)]
    if dropped:
        names = ", ".join(dict.fromkeys(dropped))
        texts.append(f"_Left out, because a comment has a limit: {names}. The HTML report has it all._")
    return texts
