"""Links of a comment: made of addresses that the forge gave, around text that may be hostile."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from mlci.render.text import markdown_code

if TYPE_CHECKING:
    from mlci.nouns.base import Place
    from mlci.nouns.comment import Links

_MOST_PATH = 300
_SHORT = 7


def place_link(place: Place | None, links: Links, most: int) -> str:
    """`params.yaml:12`, leading to that line where the forge has it; empty where there is no place."""
    if place is None:
        return ""
    shown = markdown_code(str(place), most)
    if not links.files or len(place.file) > _MOST_PATH or place.file.startswith("/") or ".." in place.file.split("/"):
        return shown
    return f"[{shown}]({links.files.rstrip('/')}/{_quoted(place.file)}#L{max(1, place.line)})"


def commit_link(commit: str, links: Links) -> str:
    """The commit's first letters, leading to it where the forge has it."""
    shown = markdown_code(commit[:_SHORT]) if commit else ""
    return f"[{shown}]({links.commits.rstrip('/')}/{_quoted(commit)})" if shown and links.commits else shown


def ways_on(links: Links) -> str:
    """The links of a whole comment, in one line; empty where there are none."""
    named = (("HTML report", links.report), ("this run", links.run))
    return " · ".join(f"[{name}]({address})" for name, address in named if address)


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "replace"), safe="/")
