"""The comment on a pull request: the verdict and its number, at most five rows that matter, and the rest folded.

GitHub refuses a body of more than 65,536 characters. The comment stays under that many UTF-8 bytes, which no way of
counting (bytes, UTF-16 units, code points) exceeds, and leaves room for what a publisher adds.
"""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING

from mlci.nouns import units
from mlci.nouns.comment import NO_LINKS, Earlier
from mlci.render import view
from mlci.render.folds import folds
from mlci.render.history import hidden, others
from mlci.render.links import place_link, ways_on
from mlci.render.tables import line, table
from mlci.render.text import markdown_code, markdown_number, markdown_prose, markdown_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.nouns.comment import Links, Spent
    from mlci.nouns.report import Report
    from mlci.render.tables import Fold, Written

LIMIT = 65_000
"""Bytes of a comment, a little below GitHub's limit in characters."""
SUMMARY_LIMIT = 1_000_000
"""Bytes of a job summary, a little below GitHub's limit of 1 MiB a step."""

_MARKER_LETTERS = frozenset(f"{string.ascii_letters}{string.digits}_-./ ")
_MARKER = re.compile(r"<!-- mlci:[A-Za-z0-9_./~ -]+ -->")
_MOST_BASELINES = 4
_MOST_WORDS = (600, 300, 150, 60, 10)
_MOST_FOOTER = 600
_MOST_NAME = 120
_ROOM_FOR_NOTE = 600
_SHARE = 0.6
"""Of the room that is left, what a part that must be cut may take."""


def marker(project: str) -> str:
    """The hidden line by which a publisher finds the comment of a project again."""
    if set(project) <= _MARKER_LETTERS and len(project) <= _MOST_NAME and not project.endswith("-"):
        return f"<!-- mlci:{project} -->"
    spelled = "".join(letter if letter in _MARKER_LETTERS else f"~{ord(letter):x}~" for letter in project)
    return f"<!-- mlci:~{spelled[: 2 * _MOST_NAME]} -->"


def render_comment(
    report: Report,
    *,
    history: Sequence[Earlier] = (),
    links: Links = NO_LINKS,
    spent: Sequence[Spent] = (),
    marker: str | None = None,
    limit: int = LIMIT,
) -> str:
    """A comment in GitHub's Markdown; the same arguments give the same bytes.

    Args:
        report: What to show. Every text in it is taken for hostile.
        history: Verdicts of earlier runs, the newest first: what `earlier_verdicts` reads from the last comment.
        links: Where the comment leads.
        spent: What parts of the run took.
        marker: The hidden line to be found again by, as `marker` makes it; default: the project's.
        limit: UTF-8 bytes that the comment may take, at least 16,000. What does not fit is left out from the least
            important fold upwards, and said so.

    Raises:
        ValueError: The marker is none.
    """
    verdict = report.verdict
    now = Earlier(commit=plain_commit(verdict.commit), outcome=verdict.outcome, headline=verdict.headline)
    above = f"{checked_marker(marker, verdict.project)}\n{hidden(now, history)}\n"
    return above + _page(report, links, others(now, history), spent, limit - len(above.encode()))


def render_markdown(report: Report, *, limit: int = LIMIT) -> str:
    """The comment of a run that knows no forge: no links, no history. Arguments as for `render_comment`."""
    return render_comment(report, limit=limit)


def render_summary(
    report: Report, *, links: Links = NO_LINKS, spent: Sequence[Spent] = (), limit: int = SUMMARY_LIMIT
) -> str:
    """The same for the page of a job or of a check run: nothing hidden. Arguments as for `render_comment`."""
    return _page(report, links, (), spent, limit)


def checked_marker(line: str | None, project: str) -> str:
    """The line if it is a marker, or the project's where there is none.

    Raises:
        ValueError: It is something else.
    """
    if line is None:
        return marker(project)
    if not _MARKER.fullmatch(line):
        raise ValueError(f"{line!r} is no marker of a comment")
    return line


def plain_commit(commit: str) -> str:
    """The commit, or nothing where it is none."""
    return commit if re.fullmatch(r"[0-9a-f]{7,64}", commit) else ""


def _page(report: Report, links: Links, history: Sequence[Earlier], spent: Sequence[Spent], limit: int) -> str:
    # Escaping can make a text many times longer: words are cut shorter until the top leaves room for the rest.
    tops = (_top(report, links, most) for most in _MOST_WORDS)
    top = next((text for text in tops if len(text.encode()) <= limit // 2), "")
    bottom = _bottom(report, links)
    room = limit - len(f"{top}\n\n{bottom}\n".encode())
    parts = [top, *fitting(folds(report, links, history, spent), room), bottom]
    return "\n\n".join(part for part in parts if part) + "\n"


def headline(tone: str, text: str, project: str = "", most: int = _MOST_WORDS[0]) -> str:
    """Line one: the mark, the project where there are several, the verdict in bold, and the number that decided it."""
    first, colon, rest = markdown_text(text, most).partition(": ")
    start = f"### {view.ICONS[tone]} {f'{markdown_code(project, _MOST_NAME)} ' if project else ''}"
    return f"{start}**{first}:** {rest}" if colon else f"{start}**{first}**"


def _top(report: Report, links: Links, most: int) -> str:
    verdict = report.verdict
    lines = [headline(view.VERDICT_TONES[verdict.outcome], verdict.headline, links.project, most)]
    rows = view.ordered(verdict.findings)
    if shown := view.matter(rows):
        number = view.number_name(shown).replace(" ", "&nbsp;")
        lines += ["", *table("check", *([f">{number}"] if number else []), "verdict", "in words")]
        lines += [_row(item, links, most, numbered=bool(number)) for item in shown]
    left = sum(item.finding.blocks for item in rows) - sum(item.finding.blocks for item in shown)
    if left > 0:
        lines += ["", f"{left:,} more {'check blocks' if left == 1 else 'checks block'}; all checks are below."]
    said = [markdown_prose(view.compared_with(item), most) for item in verdict.comparisons[:_MOST_BASELINES]]
    if (more := len(verdict.comparisons) - len(said)) > 0:
        said.append(f"and {units.count(more)} more baselines")
    said += [markdown_prose(report.recipe.words, most)] if report.recipe is not None and report.recipe.words else []
    lines += ["", *(f"{item}  " for item in said)] if said else []
    return "\n".join(lines).rstrip()


def _row(item: view.Row, links: Links, most: int, *, numbered: bool) -> str:
    mend = f"<br>→ {markdown_prose(item.mend, most)}" if item.mend else ""
    shown = place_link(item.finding.place, links, min(most, _MOST_NAME)) if item.tone in {"bad", "open"} else ""
    cells = [
        markdown_text(item.title, min(most, _MOST_NAME)) + (f"<br>{shown}" if shown else ""),
        *([markdown_number(item.number)] if numbered else []),
        f"{item.icon}&nbsp;{item.verdict.replace(' ', '&nbsp;')}",
        markdown_prose(item.words, most) + mend,
    ]
    return line(*cells)


def _bottom(report: Report, links: Links) -> str:
    verdict = report.verdict
    said = [markdown_text(verdict.footer, _MOST_FOOTER)] if verdict.footer else []
    what = f"{markdown_code(verdict.project, _MOST_NAME)}"
    commit = f" at {markdown_code(verdict.commit[:10])}" if verdict.commit else ""
    commit += ", with uncommitted changes" if verdict.dirty else ""
    said.append(f"{what}{commit}, judged by {markdown_text(verdict.tool, _MOST_NAME)}.")
    ways = ways_on(links)
    return "\n\n".join([*([ways] if ways else []), f"<sub>{' '.join(said)}</sub>"])


def fitting(every: Sequence[Fold], room: int) -> list[str]:
    """The folds in their order; the room is given out by importance, and each takes as many rows as fit.

    A fold that must be cut takes a share of what is left; what the others then leave goes to the first of them.
    """
    kept: dict[int, Written] = {}
    dropped: dict[str, int] = {}
    left = room - _ROOM_FOR_NOTE
    ordered = sorted(enumerate(every), key=lambda pair: pair[1].importance)
    for place, fold in ordered:
        written = fold.within(left - 2, left * _SHARE)
        if written is None:
            dropped[fold.name] = dropped.get(fold.name, 0) + len(fold.items)
            continue
        kept[place] = written
        left -= len(written.text.encode()) + 2
    first = next((place for place, _ in ordered if place in kept and kept[place].left), None)
    if first is not None:
        more = left + len(kept[first].text.encode())
        kept[first] = every[first].within(more, more) or kept[first]
    texts = [kept[place].text for place in sorted(kept)]
    if dropped:
        names = ", ".join(f"{name} ({units.count(items)})" for name, items in dropped.items())
        texts.append(f"_Left out, because there is room for so much: {names}. The HTML report has it all._")
    return texts
