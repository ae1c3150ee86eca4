"""What became of published verdicts, for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.render import view
from mlci.render.history import TONES
from mlci.render.text import clean

if TYPE_CHECKING:
    from mlci.nouns.publish import Posted, Published

_COMMENT = {
    "created": "comment written",
    "edited": "comment edited",
    "kept": "comment as it was",
    "none": "no comment needed",
    "outdated": "comment left alone: there is a newer commit",
}
_CHECK = {"check": "check shown", "status": "commit status shown", "same": "check as it was", "none": "no check"}


def render_published(done: Published) -> str:
    """One paragraph for each project, and what the forge did not let happen."""
    parts = [_one(each) for each in done.posted]
    parts += [f"problem: {problem}\n" for problem in done.problems]
    return "".join(parts) or "nothing was published\n"


def _one(posted: Posted) -> str:
    lines = [f"{view.ICONS[TONES[posted.outcome]]} {clean(posted.project)}: {clean(posted.headline)}"]
    lines.append(f"   {_CHECK[posted.check]}{f': {posted.check_url}' if posted.check_url else ''}")
    lines += [f"   #{number}: {_COMMENT[action]}" for number, action in posted.comment.items()]
    lines += [f"   {url}" for url in posted.comment_urls]
    return "\n".join(lines) + "\n"
