"""Tell a forge what a run came to: a comment that stays, a check with remarks at lines."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.artefact import read_artefact
from mlci.edges.forge import NotAllowedError
from mlci.edges.policy_file import load_policy
from mlci.errors import MlciError, WorldError
from mlci.flows.data_findings import REPORT, load_report
from mlci.flows.publish_words import TOP, check, comment, died, lost, project_of, tell
from mlci.flows.sticky import Sticky, Stuck, first_line, own_comments, stick
from mlci.flows.verdict import project_name
from mlci.nouns.publish import Found, Posted, Published

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mlci.edges.forge import Forge
    from mlci.nouns.forge import Check, ShownCheck, Trigger
    from mlci.nouns.publish import Form, Subject, Told

_ENDED_WELL = {"", "success"}
NEVER_RAN = frozenset({"action_required", "skipped", "stale"})
"""Ends of a run that measured nothing, and that another run follows."""
_WORDS = {
    "created": "commented",
    "edited": "edited the comment",
    "kept": "the comment says so already",
    "none": "no comment is needed",
    "outdated": "the comment stays, because the pull request has a newer commit by now",
}


class Wanted(NamedTuple):
    """What to publish.

    Attributes:
        root: The top of the repository, as far as it is checked out here.
        projects: Folders of the projects inside it; none publishes those that left a report.
        artefact: What another run left, which nobody trusts; None for the reports in the projects' own folders.
        key: Tells apart several comments of one project.
    """

    root: Path
    projects: tuple[str, ...] = ()
    artefact: Path | None = None
    key: str = ""


def gather(wanted: Wanted, subject: Subject, trigger: Trigger) -> tuple[Told, ...]:
    """How the run of every project ended. Raises WorldError where a report of our own cannot be read."""
    found = _found(wanted, trigger)
    told = tuple(
        _showable(tell(each, _name(wanted.root, each.project), subject.sha, wanted.key), subject) for each in found
    )
    if trigger.conclusion in _ENDED_WELL:
        return told
    ended = f"the run ended with `{trigger.conclusion}`"
    if all(each.conclusion != "failure" for each in told):
        # Something went wrong of which no report knows; what is not proved is not green.
        return tuple(died(each, f"{ended}, although its report names nothing that blocks") for each in told)
    return tuple(each if each.report is not None else died(each, f"{ended}: {each.why}") for each in told)


def _found(wanted: Wanted, trigger: Trigger) -> tuple[Found, ...]:
    if wanted.artefact is None:
        return tuple(_own(wanted.root, each, in_job=bool(trigger.event)) for each in wanted.projects or (TOP,))
    left = read_artefact(wanted.artefact, wanted.projects)
    if left.found:
        return left.found
    why = left.problem or "the run left no report"
    return tuple(Found(project=each, problem=why) for each in wanted.projects or _projects(wanted.root))


def _own(root: Path, project: str, *, in_job: bool) -> Found:
    try:
        return Found(project=project, report=load_report(root / project, REPORT))
    except WorldError as error:
        # A person is told; in a job, an earlier green must not stand because nothing came after it.
        if not in_job:
            raise
        return Found(project=project, problem=error.problem)


def _projects(root: Path) -> tuple[str, ...]:
    """The projects that the default branch has, where the run names none."""
    # What runs projects loads much, and a run rarely names none.
    from mlci.flows.projects import find_projects  # noqa: PLC0415

    try:
        return tuple(folder.resolve().relative_to(root).as_posix() for folder in find_projects(root))
    except (MlciError, ValueError):
        return (TOP,)


def _name(root: Path, project: str) -> str:
    """What to call a project that left no report."""
    folder = root / project
    try:
        return project_name(folder, load_policy(folder))
    except MlciError:
        return folder.resolve().name if project == TOP else project


def _showable(told: Told, subject: Subject) -> Told:
    """The same, if it can be shown: a hostile report that breaks a renderer must not leave an old verdict standing."""
    if told.report is None:
        return told
    try:
        comment(told, subject)
        check(told, subject)
    except Exception as error:  # noqa: BLE001 - whatever it is, it came of a report that nobody trusts
        return died(told, f"its report cannot be shown ({type(error).__name__})")
    return told


def publish(
    forge: Forge, told: tuple[Told, ...], subject: Subject, wanted: Wanted, say: Callable[[str], None]
) -> Published:
    """Post what every project came to. What the forge does not allow is told with the rest, not raised.

    Args:
        forge: Where to.
        told: What every project came to.
        subject: What the run was about.
        wanted: What was asked for.
        say: Told what was done.
    """
    post = _Post(forge, subject, wanted.key, say)
    lost = post.lost(told) if wanted.artefact is not None and not wanted.projects and not wanted.key else ()
    posted = tuple(post.project(each) for each in (*told, *lost))
    return Published(sha=subject.sha, posted=posted, problems=tuple(dict.fromkeys(post.problems)))


class _Post:
    """Posts one project after another, and gathers what could not be done."""

    def __init__(self, forge: Forge, subject: Subject, key: str, say: Callable[[str], None]) -> None:
        self.forge, self.subject, self.key, self.say = forge, subject, key, say
        self.problems: list[str] = []

    def lost(self, told: tuple[Told, ...]) -> tuple[Told, ...]:
        """Projects of which an earlier run told something and this one left nothing: their old verdict is withdrawn."""
        known = {each.marker for each in told}
        found: dict[str, str] = {}
        with self._gathering():
            for pull in self.subject.pulls:
                for own in own_comments(self.forge, pull.number):
                    line = first_line(own.body)
                    if line not in known and (project := project_of(line)):
                        found[line] = project
        return tuple(lost(project, line) for line, project in found.items())

    def project(self, told: Told) -> Posted:
        """Show the check first: it is what a merge waits for."""
        form, where = "none", ""
        with self._gathering():
            form, where = self._check(check(told, self.subject, self.key))
        done: dict[int, Stuck] = {pull.number: Stuck("outdated") for pull in self.subject.outdated}
        for pull in self.subject.pulls:
            with self._gathering():
                done[pull.number] = self._comment(told, pull.number)
        for number, stuck in done.items():
            self.say(f"#{number}: {_WORDS[stuck.action]} {stuck.url}".rstrip())
        return Posted(
            project=told.project,
            outcome=told.ending,
            headline=told.headline,
            comment={number: stuck.action for number, stuck in done.items()},
            comment_urls=tuple(stuck.url for stuck in done.values() if stuck.url),
            check=form,
            check_url=where,
        )

    def _comment(self, told: Told, number: int) -> Stuck:
        sticky = Sticky(
            number,
            told.marker,
            lambda history: comment(told, self.subject, history),
            create=told.ending != "unchanged",
            current=lambda: self.forge.pull(number).head_sha == self.subject.sha,
        )
        return stick(self.forge, sticky)

    def _check(self, wanted: Check) -> tuple[Form, str]:
        try:
            shown = self.forge.shown_check(wanted)
            if shown is not None and _same(shown, wanted):
                return "same", shown.url
            return "check", self.forge.add_check(wanted).url
        except NotAllowedError as refused:
            # A person's token may show a status, and no check.
            try:
                self.forge.set_status(wanted.sha, wanted.name, wanted.conclusion, wanted.title, wanted.url)
            except NotAllowedError:
                raise refused from None
            self.say(f"{wanted.name}: shown as a commit status, without remarks at lines: {refused.problem}")
            return "status", ""

    @contextlib.contextmanager
    def _gathering(self) -> Iterator[None]:
        try:
            yield
        except WorldError as error:
            self.problems.append(str(error))


def _same(shown: ShownCheck, wanted: Check) -> bool:
    same = (shown.conclusion, shown.title, shown.summary.strip())
    return shown.done and same == (wanted.conclusion, wanted.title, wanted.summary.strip())
