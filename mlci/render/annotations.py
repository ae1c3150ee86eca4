"""Remarks at the lines of the policy, for a check run."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Literal

from mlci.nouns import units
from mlci.nouns.comment import Annotation
from mlci.render import view
from mlci.render.text import clean

if TYPE_CHECKING:
    from mlci.nouns.base import Place
    from mlci.nouns.finding import Finding, Verdict

MOST = 200
"""Remarks of one run; the rest are counted. A forge takes fifty at once, and people read fewer."""
_MOST_TITLE = 255
_MOST_MESSAGE = 4_000
_POLICY = "params.yaml"


def render_annotations(verdict: Verdict, folder: str = "", *, most: int = MOST) -> tuple[Annotation, ...]:
    """One remark for every finding that a reader should look at, the gravest first.

    Args:
        verdict: What was found.
        folder: The project's folder inside the repository; empty where it is the top.
        most: Remarks at most; further findings are counted in a last one.
    """
    rows = [item for item in view.ordered(verdict.findings) if item.tone in {"bad", "open"}]
    shown = rows if len(rows) <= most else rows[: most - 1]
    remarks = [_remark(item, folder) for item in shown]
    if left := len(rows) - len(shown):
        grave = any(item.finding.blocks for item in rows[len(shown) :])
        said = f"{units.count(left)} more findings are in the report"
        at = _path(None, folder)
        remarks.append(Annotation(path=at, level="failure" if grave else "warning", title=said, message=f"{said}."))
    return tuple(remarks)


def _remark(item: view.Row, folder: str) -> Annotation:
    place = item.finding.place
    title = f"{item.verdict}: {item.title}" + (f": {item.number}" if item.number else "")
    words = f"{item.words} {item.mend}".strip() or item.title
    return Annotation(
        path=_path(place, folder),
        start_line=max(1, place.line) if place is not None else 1,
        level=_level(item.finding),
        title=clean(title, _MOST_TITLE) or "check",
        message=clean(words, _MOST_MESSAGE) or "check",
    )


def _level(finding: Finding) -> Literal["notice", "warning", "failure"]:
    return "failure" if finding.blocks else "notice" if finding.waived else "warning"


def _path(place: Place | None, folder: str) -> str:
    """The file from the top of the repository; the policy's where the finding names none inside the project."""
    named = posixpath.normpath(place.file) if place is not None else _POLICY
    inside = not named.startswith(("/", "..")) and clean(named) == named
    return posixpath.normpath(posixpath.join(folder, named if inside else _POLICY))
