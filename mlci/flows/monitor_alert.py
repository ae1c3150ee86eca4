"""Tell a forge and a channel which alarms are on: one issue for each model and cause.

Every run brings the issues to what is now, whatever earlier ones did or failed to do. An issue is known by a hidden
line and by its author; who looks at the same time does the same, and all keep the oldest.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.git import History
from mlci.edges.webhook import post
from mlci.errors import PolicyError, WorldError
from mlci.flows.forge_access import home
from mlci.flows.monitor_memory import model_and_policy
from mlci.nouns.alarm import CAUSES
from mlci.nouns.forge import Patience
from mlci.render.monitor import webhook_text
from mlci.render.monitor_issue import (
    is_over,
    issue_body,
    issue_title,
    marker,
    over_body,
    since_mark,
    told_mark,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mlci.edges.forge import IssueForge
    from mlci.nouns.alarm import Alarm, Cause
    from mlci.nouns.forge import ForgeIssue
    from mlci.nouns.monitor_policy import MonitorPolicy
    from mlci.nouns.monitoring import Monitoring
    from mlci.nouns.policy import PolicyFile

_GRAVE = ("block", "warn")


class Done(NamedTuple):
    """What became of an issue: `opened`, `reopened`, `updated`, `closed` or `kept`."""

    cause: Cause
    action: str
    url: str


def alert(
    found: Monitoring,
    policy: PolicyFile,
    root: Path,
    env: Mapping[str, str],
    say: Callable[[str], None],
    patience: Patience = Patience(),  # noqa: B008 - it is frozen
) -> tuple[Done, ...]:
    """Bring the issues on the repository's forge to what a look found, and tell the webhook what changed.

    Args:
        found: The look.
        policy: Its `monitor.issue` and `monitor.webhook`.
        root: Folder of the project.
        env: The environment, with the token.
        say: Told what was done.
        patience: How long the forge is asked.

    Raises:
        PolicyError: Nobody knows the forge, there is no token, or the webhook's variable is not set.
        WorldError: The forge or the webhook does not answer; the next run does what is left.
    """
    _, watch = model_and_policy(policy)
    remote = "" if env.get("GITHUB_REPOSITORY") else History(root).remotes().get("origin", "")
    where = home(remote, env)
    if where is None:
        raise PolicyError(
            "nobody said which repository this is about",
            "`git remote add origin https://github.com/OWNER/NAME`, or set GITHUB_REPOSITORY",
        )
    if not where.token:
        raise PolicyError("there is no token in GITHUB_TOKEN or GH_TOKEN", "give one that may write issues")
    address = env.get(watch.webhook, "") if watch.webhook else ""
    if watch.webhook and not address:
        raise PolicyError(f"{watch.webhook} is not set", "let the secret of that name reach the command's environment")
    # Only who asks a forge needs the library, and its import takes half a second.
    from mlci.edges.github_issues import GitHubIssues  # noqa: PLC0415

    with contextlib.closing(GitHubIssues(where.repository, where.token, where.address, patience)) as forge:
        teller = _Teller(forge, found, watch, address, _run(env))
        done = teller.all()
    for each in done:
        say(f"{issue_title(found.model, each.cause)}: {each.action} {each.url}".rstrip())
    return done


def _run(env: Mapping[str, str]) -> str:
    parts = [env.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")]
    return f"{parts[0]}/{parts[1]}/actions/runs/{parts[2]}" if all(parts) else ""


class _Teller:
    """Brings all issues of a model to what is now."""

    def __init__(self, forge: IssueForge, found: Monitoring, policy: MonitorPolicy, address: str, run: str) -> None:
        self.forge, self.found, self.policy, self.address, self.run = forge, found, policy, address, run

    def all(self) -> tuple[Done, ...]:
        """Every cause; a problem with one keeps no other from being told."""
        own = self.forge.own_issues()
        done: list[Done] = []
        problems: list[WorldError] = []
        alarms = {each.cause: each for each in self.found.alarms if each.level in _GRAVE}
        for cause in CAUSES:
            mine = [each for each in own if _first_line(each.body) == marker(self.found.model, cause)]
            try:
                alarm = alarms.get(cause)
                if alarm is not None:
                    done.append(self._on(alarm, mine))
                else:
                    done += [self._over(cause, each) for each in mine if each.open or _untold(each, self.address)]
            except WorldError as error:
                problems.append(error)
        if problems:
            raise problems[0]
        return tuple(done)

    def _on(self, alarm: Alarm, mine: list[ForgeIssue]) -> Done:
        title = issue_title(self.found.model, alarm.cause)
        # One that is open goes first; else the newest one is opened again.
        known = next((each for each in mine if each.open), mine[-1] if mine else None)
        for spare in mine:
            if known is not None and spare.open and spare.number != known.number:
                self.forge.edit_issue(spare, title=spare.title, body=spare.body, is_open=False)
        if known is None:
            made = self.forge.open_issue(
                title, self._body(alarm, ""), self.policy.issue.labels, self.policy.issue.assignees
            )
            known, action = self._oldest(alarm.cause, made), "opened"
        elif not known.open and not is_over(known.body) and since_mark(alarm.since) in known.body.splitlines():
            return Done(alarm.cause, "kept: somebody closed it, and it is still the same alarm", known.url)
        else:
            action = "updated" if known.open else "reopened"
            body = self._body(alarm, _told(known.body))
            if (known.title, known.body.strip(), known.open) == (title, body.strip(), True):
                action = "kept"
            else:
                known = self.forge.edit_issue(known, title=title, body=body, is_open=True)
        self._tell(known, f"on {alarm.since}", alarm)
        return Done(alarm.cause, action, known.url)

    def _oldest(self, cause: Cause, made: ForgeIssue) -> ForgeIssue:
        """The issue to keep, where somebody opened one at the same time."""
        mine = [each for each in self.forge.own_issues() if _first_line(each.body) == marker(self.found.model, cause)]
        first = next((each for each in mine if each.open), made)
        if first.number != made.number:
            self.forge.edit_issue(made, title=made.title, body=made.body, is_open=False)
        return first

    def _over(self, cause: Cause, issue: ForgeIssue) -> Done:
        if issue.open:
            body = over_body(issue.body, self.found, "")
            issue = self.forge.edit_issue(issue, title=issue.title, body=body, is_open=False)
        self._tell(issue, "over", None)
        return Done(cause, "closed", issue.url)

    def _body(self, alarm: Alarm, told: str) -> str:
        return issue_body(self.found, alarm, self.run, told)

    def _tell(self, issue: ForgeIssue, state: str, alarm: Alarm | None) -> None:
        """Tell the webhook once; the issue remembers it, so that a run after one that failed makes up for it."""
        if not self.address or _told(issue.body) == state:
            return
        said = alarm.headline if alarm is not None else "The alarm is over."
        post(self.address, webhook_text(issue.title, said, issue.url), self.policy.webhook)
        body = self._body(alarm, state) if alarm is not None else over_body(issue.body, self.found, state)
        self.forge.edit_issue(issue, title=issue.title, body=body, is_open=alarm is not None)


def _first_line(body: str) -> str:
    return body.lstrip().partition("\n")[0].strip()


def _told(body: str) -> str:
    """What the webhook was told last, by the issue's hidden line."""
    start, end = told_mark("\0").split("\0")
    lines = (line.strip() for line in body.splitlines())
    found = next((line for line in lines if line.startswith(start) and line.endswith(end)), "")
    return found.removeprefix(start).removesuffix(end)


def _untold(issue: ForgeIssue, address: str) -> bool:
    """Whether the webhook was told that an alarm is on, and not yet that it is over."""
    return bool(address) and is_over(issue.body) and _told(issue.body).startswith("on ")
