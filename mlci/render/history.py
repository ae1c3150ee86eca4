"""Earlier verdicts: folded in the comment, and hidden in it so that the next run knows them."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from mlci.nouns.comment import Earlier
from mlci.render import view
from mlci.render.links import commit_link
from mlci.render.tables import Fold, line, table
from mlci.render.text import clean, markdown_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.nouns.comment import Ending, Links

MOST = 10
_MOST_HEADLINE = 200
_MOST_HIDDEN = 40_000
_HIDDEN = re.compile(r"<!-- mlci-verdicts:([A-Za-z0-9+/=]*) -->")
_EVERY = TypeAdapter(tuple[Earlier, ...])

TONES: dict[Ending, str] = {
    "pass": "good",
    "inconclusive": "open",
    "fail": "bad",
    "crashed": "bad",
    "unchanged": "good",
}
"""The tone of each way in which a run can end."""
ENDINGS: dict[Ending, str] = {
    "pass": "held",
    "inconclusive": "not enough data",
    "fail": "blocked",
    "crashed": "the run died",
    "unchanged": "nothing to judge",
}
"""The same in words."""


def hidden(now: Earlier, history: Sequence[Earlier]) -> str:
    """A line that nobody sees, from which `earlier_verdicts` reads this verdict and the ones before it."""
    kept = [
        item.model_copy(update={"headline": clean(item.headline, _MOST_HEADLINE)})
        for item in (now, *others(now, history))[:MOST]
    ]
    return f"<!-- mlci-verdicts:{base64.b64encode(_EVERY.dump_json(tuple(kept))).decode()} -->"


def earlier_verdicts(comment: str) -> tuple[Earlier, ...]:
    """The verdicts that a comment of ours tells, its own first, then the ones before it; none where it holds none.

    Args:
        comment: The body of a comment that a publisher wrote itself.
    """
    found = next((match for text in comment.splitlines()[:2] if (match := _HIDDEN.fullmatch(text.strip()))), None)
    if found is None or len(found[1]) > _MOST_HIDDEN:
        return ()
    try:
        return _EVERY.validate_json(base64.b64decode(found[1], validate=True))[:MOST]
    except (binascii.Error, ValidationError):
        # Somebody edited the comment; the history starts anew.
        return ()


def others(now: Earlier, history: Sequence[Earlier]) -> tuple[Earlier, ...]:
    """The history without what a repeated run of the same commit said already."""
    return tuple(item for item in history if (item.commit, item.outcome) != (now.commit, now.outcome) or not now.commit)


def history_fold(history: Sequence[Earlier], links: Links) -> Fold:
    """Earlier verdicts, the newest first."""
    items = tuple(
        line(
            commit_link(item.commit, links),
            f"{view.ICONS[TONES[item.outcome]]}&nbsp;{ENDINGS[item.outcome]}",
            markdown_text(item.headline, _MOST_HEADLINE),
        )
        for item in history
    )
    number = "Earlier verdict" if len(items) == 1 else f"{len(items)} earlier verdicts"
    return Fold("earlier verdicts", 5, number, table("commit", "verdict", "in one line"), items)
