"""Comments of runs without a verdict: one that died, and one that had nothing to judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.nouns.comment import NO_LINKS, Earlier
from mlci.render import view
from mlci.render.history import ENDINGS, TONES, hidden, history_fold, others
from mlci.render.links import commit_link, ways_on
from mlci.render.markdown import LIMIT, checked_marker, fitting, headline, plain_commit
from mlci.render.text import markdown_prose, markdown_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.nouns.comment import Ending, Links

_MOST_WORDS = 600


def render_crashed(
    project: str,
    *,
    commit: str = "",
    why: str = "",
    history: Sequence[Earlier] = (),
    links: Links = NO_LINKS,
    marker: str | None = None,
) -> str:
    """The comment of a run that ended without a verdict; it takes back what an earlier run held.

    Args:
        project: Name of the model.
        commit: That the run was about.
        why: What is known of the end, as plain text; may be hostile.
        history: As for `render_comment`.
        links: As for `render_comment`.
        marker: As for `render_comment`.

    Raises:
        ValueError: The marker is none.
    """
    said = f"The run died: there is no verdict{_at(commit)}"
    words = [markdown_prose(_sentence(why), _MOST_WORDS)] if why.strip() else []
    green = next((item for item in history if item.outcome not in {"crashed", "unchanged"}), None)
    if green is not None and green.outcome == "pass":
        words.append(
            f"The earlier ✅ of {commit_link(green.commit, links) or 'this pull request'} is withdrawn: it does"
        )
        words[-1] += " not speak of these changes."
    words.append("What was not measured does not pass.")
    mend = "Look at the log of [the run](" + links.run + ")" if links.run else "Look at the log of the run"
    words.append(f"{mend}, mend what stopped it, and run it again.")
    now = Earlier(commit=plain_commit(commit), outcome="crashed", headline=said)
    return _short(project, now, words, history, links, marker)


def render_unchanged(
    project: str,
    *,
    commit: str = "",
    carried: Earlier | None = None,
    history: Sequence[Earlier] = (),
    links: Links = NO_LINKS,
    marker: str | None = None,
) -> str:
    """The comment of a pull request that changes nothing of the pipeline. Arguments as for `render_crashed`.

    `carried` is the verdict of the base, which nothing here changes.
    """
    said = "Nothing of the pipeline changed: there is nothing to judge"
    words = "This pull request changes no data, code, parameter or model that the pipeline knows of. Nothing was run."
    told = [words, *([_carried(carried, links)] if carried is not None else [])]
    now = Earlier(commit=plain_commit(commit), outcome="unchanged", headline=said)
    return _short(project, now, told, history, links, marker)


def _carried(carried: Earlier, links: Links) -> str:
    icon = view.ICONS[TONES[carried.outcome]]
    said = markdown_text(carried.headline, _MOST_WORDS) or ENDINGS[carried.outcome]
    return f"The verdict of {commit_link(carried.commit, links) or 'the base'} stands: {icon}&nbsp;{said}."


def _short(
    project: str,
    now: Earlier,
    words: Sequence[str],
    history: Sequence[Earlier],
    links: Links,
    marker: str | None,
) -> str:
    before = others(now, history)
    ending: Ending = now.outcome
    folded = history_fold(before, links)
    top = [checked_marker(marker, project), hidden(now, history), headline(TONES[ending], now.headline, links.project)]
    parts = ["\n".join(top), " ".join(words)]
    parts += fitting([folded], LIMIT // 2) if folded.items else []
    # Nothing was reported, so there is no report to lead to.
    parts += [ways] if (ways := ways_on(links.model_copy(update={"report": ""}))) else []
    at = f" at {commit_link(now.commit, links)}" if now.commit else ""
    parts.append(f"<sub>{markdown_prose(f'`{project}`', _MOST_WORDS)}{at}.</sub>")
    return "\n\n".join(parts) + "\n"


def _at(commit: str) -> str:
    shown = plain_commit(commit)[:7]
    return f" on {shown}" if shown else ""


def _sentence(text: str) -> str:
    said = text.strip()
    said = f"{said[:1].upper()}{said[1:]}"
    return said if said.endswith((".", "!", "?")) else f"{said}."
