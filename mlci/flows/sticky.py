"""One comment that stays: found by a hidden line and its author, edited in place, never two of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.forge import GoneError
from mlci.errors import WorldError
from mlci.render.history import earlier_verdicts

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlci.edges.forge import Forge
    from mlci.nouns.comment import Earlier
    from mlci.nouns.forge import Comment
    from mlci.nouns.publish import Action

_TRIES = 4


class Stuck(NamedTuple):
    """What became of a comment."""

    action: Action
    url: str = ""


class Sticky(NamedTuple):
    """A comment to be.

    Attributes:
        number: Of the pull request.
        marker: The hidden line at its top.
        body: The comment, given the verdicts that the last one told.
        create: Whether to write it where there is none yet.
        current: Whether what we say is still about the newest commit.
    """

    number: int
    marker: str
    body: Callable[[tuple[Earlier, ...]], str]
    create: bool
    current: Callable[[], bool]


def stick(forge: Forge, sticky: Sticky) -> Stuck:
    """Bring the one comment to what it should say.

    Whoever publishes at the same time does the same: each looks again after it created one, and all keep the oldest.

    Raises:
        WorldError: The forge does not let us, or somebody else removes the comment again and again.
    """
    author = forge.author
    for _ in range(_TRIES):
        own = _own(forge, sticky, author)
        body = sticky.body(earlier_verdicts(own[0].body) if own else ())
        if not own and not sticky.create:
            return Stuck("none")
        # Asked last, so that as little time as can be lies between the question and the write.
        if not sticky.current():
            return Stuck("outdated", own[0].url if own else "")
        if not own:
            made = forge.add_comment(sticky.number, body)
            author = made.author or author
            if _oldest(forge, sticky, author, made):
                return Stuck("created", made.url)
            continue
        try:
            return _edited(forge, sticky, own, body)
        except GoneError:
            continue
    raise WorldError(
        f"the comment on #{sticky.number} is removed as often as it is written",
        "look whether another workflow or app deletes it",
    )


def own_comments(forge: Forge, number: int) -> tuple[Comment, ...]:
    """Comments of our own account, oldest first."""
    return tuple(comment for comment in forge.comments(number) if comment.author == forge.author)


def first_line(body: str) -> str:
    """The line at which a comment of ours is known."""
    return body.lstrip().partition("\n")[0].strip()


def _own(forge: Forge, sticky: Sticky, author: str) -> list[Comment]:
    # The author too, because anybody can copy a hidden line; the first line, because it can be quoted.
    return [
        comment
        for comment in forge.comments(sticky.number)
        if comment.author == author and first_line(comment.body) == sticky.marker
    ]


def _oldest(forge: Forge, sticky: Sticky, author: str, made: Comment) -> bool:
    """Whether a new comment is the one to stay; otherwise it is removed again."""
    others = [comment for comment in _own(forge, sticky, author) if comment.id != made.id]
    if not others or made.id < others[0].id:
        return True
    forge.remove_comment(sticky.number, made.id)
    return False


def _edited(forge: Forge, sticky: Sticky, own: list[Comment], body: str) -> Stuck:
    kept, *spare = own
    same = kept.body.replace("\r\n", "\n").strip() == body.strip()
    url = kept.url if same else forge.edit_comment(sticky.number, kept.id, body).url
    for comment in spare:
        forge.remove_comment(sticky.number, comment.id)
    return Stuck("kept" if same else "edited", url)
