"""The issue of an alarm: its hidden lines, its title and its body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.render.monitor import SIGNS, TITLES, WHAT_TO_DO, counts, footer, raised, tables
from mlci.render.text import clean, markdown_code, markdown_prose, markdown_text

if TYPE_CHECKING:
    from mlci.nouns.alarm import Alarm, Cause
    from mlci.nouns.monitoring import Monitoring

_MOST = 60_000
"""Characters of a body; GitHub takes 65,536."""
_OVER = "\N{WHITE HEAVY CHECK MARK} **The alarm is over.**"
_LEVELS = {"block": "An alarm", "warn": "A warning", "info": "A remark"}


def marker(model: str, cause: Cause) -> str:
    """The hidden line at the top of an alarm's issue."""
    return f"<!-- mlci monitor {model} {cause} -->"


def since_mark(since: str) -> str:
    """The hidden line that says since when the alarm is on that the issue speaks of."""
    return f"<!-- since {since} -->"


def told_mark(state: str) -> str:
    """The hidden line that says what the webhook was told last."""
    return f"<!-- told {state} -->"


def is_over(body: str) -> bool:
    """Whether an issue says that its alarm is over."""
    return any(line.startswith(_OVER) for line in body.splitlines())


def issue_title(model: str, cause: Cause) -> str:
    """The title of an alarm's issue: plain text, the same as long as the alarm is on."""
    return f"{clean(model, 60)}: {TITLES[cause]}"


def issue_body(found: Monitoring, alarm: Alarm, run: str, told: str) -> str:
    """The issue of an alarm.

    Args:
        found: The look.
        alarm: The alarm.
        run: Page of the run that looked; empty where there is none.
        told: What the webhook was told last; empty: nothing.
    """
    who = f"{_LEVELS[alarm.level]} of [`mlci monitor`]({run})" if run else f"{_LEVELS[alarm.level]} of `mlci monitor`"
    about = (
        f"{who} on {markdown_code(found.model, 60)}, since **{alarm.since[:10]}**. "
        f"{found.since[:10]} to {found.until[:10]}: {counts(found)}."
    )
    end = f"{markdown_text(' '.join(footer(found)))} This issue is updated in place, and closed when the alarm is over."
    head = [
        marker(found.model, alarm.cause),
        since_mark(alarm.since),
        *([told_mark(told)] if told else []),
        f"{SIGNS[alarm.level]} **{TITLES[alarm.cause].capitalize()}.** {markdown_prose(alarm.headline, 500)}",
        "",
        about,
        "",
    ]
    more = [*raised(alarm), ""] if len(alarm.raised) > 1 else []
    rest = [*more, WHAT_TO_DO[alarm.cause], "", *tables(found)]
    last = f"<sub>{end}</sub>"
    body = "\n".join([*head, *rest, last])
    return (body if len(body) <= _MOST else "\n".join([*head, WHAT_TO_DO[alarm.cause], "", last])) + "\n"


def over_body(body: str, found: Monitoring, told: str) -> str:
    """The issue of an alarm that is over: the same, with a first sentence that says so.

    Args:
        body: As it was.
        found: The look.
        told: What the webhook was told last; empty: what the body says.
    """
    lines = body.splitlines()
    hidden = [line for line in lines if line.startswith("<!-- ") and not (told and line.startswith("<!-- told "))]
    rest = "\n".join(line for line in lines if not line.startswith(("<!-- ", _OVER))).strip()
    sentence = f"{_OVER} Found {found.looked[:10]}, by the data up to {found.until[:10]}. What it was about:"
    return "\n".join([*hidden, *([told_mark(told)] if told else []), sentence, "", rest]) + "\n"
