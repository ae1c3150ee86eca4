"""Tell the issue of an alarm what retraining came to: one comment of ours, which is edited in place."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from mlci.errors import WorldError
from mlci.flows.sticky import Sticky, first_line, stick
from mlci.render.monitor_issue import marker as issue_marker
from mlci.render.retrain import issue_comment, marker

if TYPE_CHECKING:
    from mlci.flows.retrain_offer import Counter
    from mlci.nouns.challenger import Retraining
    from mlci.nouns.forge import ForgeIssue


def own_issues(counter: Counter) -> tuple[ForgeIssue, ...]:
    """Our issues that are open, so that an alarm can be named by its own; none where we may not see them."""
    if counter.home is None:
        return ()
    from mlci.edges.github_issues import GitHubIssues  # noqa: PLC0415 - its import takes half a second

    home = counter.home
    with contextlib.closing(GitHubIssues(home.repository, home.token, home.address, counter.patience)) as forge:
        try:
            return tuple(each for each in forge.own_issues() if each.open)
        except WorldError:
            return ()


def tell_issues(counter: Counter, done: Retraining, issues: tuple[ForgeIssue, ...]) -> None:
    """Comment on the issues of alarms that ask for a new model; where that is not allowed, it is only said.

    Args:
        counter: Where.
        done: What was done.
        issues: Our open issues.
    """
    place = counter.place
    if counter.forge is None or done.challenger is None:
        return
    asking = {issue_marker(place.model.name, cause) for cause in place.retrain.when.alarms}
    line = marker(place.model.name)
    body = issue_comment(done)
    for issue in issues:
        if first_line(issue.body) not in asking:
            continue
        sticky = Sticky(issue.number, line, lambda _: body, create=True, current=lambda: True)
        try:
            stuck = stick(counter.forge, sticky)
            counter.say(f"#{issue.number}: {stuck.action} the comment about retraining")
        except WorldError as error:
            counter.say(f"#{issue.number} is not told: {error.problem}")
