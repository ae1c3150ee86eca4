"""What is told of one project: the comment, the check, the summary."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING
from urllib.parse import quote

from mlci.judge.belief import doubt, untouched
from mlci.nouns.forge import Check
from mlci.nouns.publish import Told
from mlci.render.annotations import render_annotations
from mlci.render.markdown import LIMIT, marker, render_comment, render_summary
from mlci.render.short import render_crashed, render_unchanged
from mlci.render.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.nouns.comment import Earlier, Links
    from mlci.nouns.publish import Found, Subject
    from mlci.nouns.report import Report

CHECK = "mlci verdict"
"""Not the name of the job that measures: two checks of one name keep a branch rule from telling which it requires."""
_MOST_TITLE = 250
_MOST_SUMMARY = 60_000
_DIED = "The run died: there is no verdict"
_UNTOUCHED = "Nothing of the pipeline changed: there is nothing to judge"
_FORK = (
    "<sub>This comes from a fork: its author controls what measured it, so these numbers are a claim. Read the change "
    "before you merge it.</sub>\n"
)
TOP = "."
"""The project whose folder is the repository's own."""
_OURS = re.compile(r"<!-- mlci:\./([A-Za-z0-9_./-]*) -->")


def tell(found: Found, name: str, sha: str, key: str = "") -> Told:
    """How the run of a project ended; what can't be believed is no verdict.

    Args:
        found: What the run left.
        name: Of the model, where the run left no report.
        sha: The commit that it must speak of.
        key: Tells apart several comments of one project.
    """
    folder = "" if found.project == TOP else found.project
    line = marker(f"./{folder} {key}".strip())
    report, why = found.report, found.problem
    if report is not None:
        why = doubt(report.verdict, sha)
        name = report.verdict.project or name
    known = {"project": found.project, "name": name, "marker": line, "key": key}
    if report is None or why:
        at = f" on {sha[:7]}" if sha else ""
        return Told(**known, ending="crashed", headline=f"{_DIED}{at}", why=why)
    if untouched(report.verdict):
        return Told(**known, ending="unchanged", headline=_UNTOUCHED, report=report)
    verdict = report.verdict
    return Told(**known, ending=verdict.outcome, headline=verdict.headline, report=report)


def died(told: Told, why: str) -> Told:
    """The same project, with a run of which nothing is believed."""
    known = {"project": told.project, "name": told.name, "marker": told.marker, "key": told.key}
    return Told(**known, ending="crashed", headline=_DIED, why=why)


def project_of(line: str) -> str:
    """The project of a comment's hidden line; empty where `tell` did not make it, or made it with a key."""
    found = _OURS.fullmatch(line)
    return found[1] or TOP if found is not None else ""


def lost(project: str, line: str) -> Told:
    """A project of which this run left nothing, although an earlier one did."""
    why = "the run left no report of it"
    return Told(project=project, name=project, marker=line, ending="crashed", headline=_DIED, why=why)


def comment(told: Told, subject: Subject, history: Sequence[Earlier] = ()) -> str:
    """The comment on the pull request; the same arguments give the same bytes."""
    links, line = _links(told, subject), told.marker
    if told.ending == "unchanged":
        # What a fork says of the base's verdict is a claim that nobody needs.
        carried = told.report.carried if told.report is not None and not subject.fork else None
        return render_unchanged(
            told.name, commit=subject.sha, carried=carried, history=history, links=links, marker=line
        )
    report = _here(told, subject)
    if report is None:
        return render_crashed(told.name, commit=subject.sha, why=told.why, history=history, links=links, marker=line)
    note = f"\n{_FORK}" if subject.fork else ""
    room = LIMIT - len(note.encode())
    return render_comment(report, history=history, links=links, marker=line, limit=room) + note


def _here(told: Told, subject: Subject) -> Report | None:
    """The report, with the way to where its commands repeat it."""
    if told.report is None or not told.report.repeat or len(subject.pulls) != 1:
        return told.report
    folder = () if told.project == TOP else (f"cd {shlex.quote(told.project)}",)
    way = (f"gh pr checkout {subject.pulls[0].number}", *folder)
    return told.report.model_copy(update={"repeat": (*way, *told.report.repeat)})


def summary(told: Told, subject: Subject, limit: int = _MOST_SUMMARY) -> str:
    """The same for the page of a job or a check: nothing hidden."""
    if told.report is None or told.ending == "unchanged":
        # The first two lines are there for the next publisher.
        return comment(told, subject).split("\n", 2)[2]
    return render_summary(told.report, links=_links(told, subject), limit=limit)


def check(told: Told, subject: Subject, key: str = "") -> Check:
    """The check of a project; the top's own name, or with the folder's."""
    name = CHECK if told.project == TOP else f"{CHECK} / {told.project}"
    folder = "" if told.project == TOP else told.project
    return Check(
        name=f"{name} ({key})" if key else name,
        sha=subject.sha,
        key=f"mlci:{told.project}{f' {key}' if key else ''}",
        conclusion=told.conclusion,
        title=clean(told.headline, _MOST_TITLE),
        summary=summary(told, subject),
        url=subject.links.run,
        annotations=render_annotations(told.report.verdict, folder) if told.report is not None else (),
    )


def _links(told: Told, subject: Subject) -> Links:
    links = subject.links.model_copy(
        update={"project": f"{'' if told.project == TOP else told.project} {told.key}".strip()}
    )
    if not links.files or told.project == TOP:
        return links
    return links.model_copy(update={"files": f"{links.files.rstrip('/')}/{quote(told.project)}/"})
