"""One pull request of ours: found by a hidden line and its author, opened or updated in place, never two of it.

Its branch is pushed before, with `mlci.edges.own_branch.OwnBranch`: only over what was seen to be ours. So a run that
ends between push and pull request leaves a branch, from which the next run opens it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from mlci.errors import WorldError
from mlci.nouns.forge import ForgePull  # noqa: TC001 - a NamedTuple's fields

if TYPE_CHECKING:
    from mlci.edges.forge import PullForge

_TRIES = 4
_MOST = 65_000
"""Characters of a body; GitHub takes 65,536."""


class OwnPull(NamedTuple):
    """A pull request to be.

    Attributes:
        marker: The hidden line at the top of its body, such as `<!-- mlci retrain flights -->`.
        branch: Of this repository; it is there already.
        base: The branch that it is to be merged into.
        title: Plain text.
        body: Markdown, without the marker.
        labels: Added when it is opened.
        assignees: Added when it is opened.
    """

    marker: str
    branch: str
    base: str
    title: str
    body: str
    labels: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()


class Brought(NamedTuple):
    """What became of it."""

    action: Literal["opened", "updated", "kept"]
    pull: ForgePull


def own_pulls(forge: PullForge, branch: str, marker: str) -> tuple[ForgePull, ...]:
    """All of ours from a branch, open or not, oldest first.

    Raises:
        WorldError: The forge does not answer.
    """
    # The author too, because anybody can copy a hidden line; the first line, because it can be quoted.
    return tuple(each for each in forge.own_pulls(branch) if first_line(each.body) == marker)


def bring(forge: PullForge, wanted: OwnPull) -> Brought:
    """Bring the one pull request to what it should say.

    Whoever does it at the same time does the same: each looks again after it opened one, and all keep the oldest.

    Raises:
        WorldError: The forge does not answer, or does not let us.
    """
    body = f"{wanted.marker}\n{wanted.body.strip()}\n"[:_MOST]
    for _ in range(_TRIES):
        mine = [each for each in own_pulls(forge, wanted.branch, wanted.marker) if each.open]
        if not mine:
            made = forge.open_pull(wanted.branch, wanted.base, wanted.title, body)
            if made is None:
                continue
            if wanted.labels or wanted.assignees:
                forge.label_pull(made, wanted.labels, wanted.assignees)
            kept = _oldest(forge, wanted, made)
            if kept.number == made.number:
                return Brought("opened", made)
            continue
        kept, *spare = mine
        for each in spare:
            forge.edit_pull(each, title=each.title, body=each.body, is_open=False)
        if (kept.title, kept.body.replace("\r\n", "\n").strip()) == (wanted.title, body.strip()):
            return Brought("kept", kept)
        return Brought("updated", forge.edit_pull(kept, title=wanted.title, body=body, is_open=True))
    raise WorldError(
        f"somebody else has a pull request from {wanted.branch}, which is ours alone",
        "close it, or name another branch in the policy",
    )


def first_line(body: str) -> str:
    """The line at which a pull request of ours is known."""
    return body.lstrip().partition("\n")[0].strip()


def _oldest(forge: PullForge, wanted: OwnPull, made: ForgePull) -> ForgePull:
    """The one to keep, where somebody opened one at the same time; the other one is closed again."""
    mine = [each for each in own_pulls(forge, wanted.branch, wanted.marker) if each.open]
    first = mine[0] if mine else made
    if first.number < made.number:
        forge.edit_pull(made, title=made.title, body=made.body, is_open=False)
        return first
    return made
