"""What is published of a run, and what became of it."""

from __future__ import annotations

from typing import Literal

from mlci.nouns.base import Noun
from mlci.nouns.comment import NO_LINKS, Commit, Ending, Links, Url
from mlci.nouns.forge import Conclusion, PullRequest
from mlci.nouns.report import Report

Action = Literal["created", "edited", "kept", "none", "outdated"]
Form = Literal["check", "status", "same", "none"]


class Found(Noun):
    """What a run left of one project.

    Attributes:
        project: Its folder inside the repository; `.` is the top.
        report: What it found; None where there is none that can be believed.
        problem: Why not, in words; may be hostile.
    """

    project: str
    report: Report | None = None
    problem: str = ""


class Artefact(Noun):
    """Everything that a run left. `problem` says why none of it is looked at."""

    found: tuple[Found, ...] = ()
    problem: str = ""


class Told(Noun):
    """How the run of one project ended, to be told.

    Attributes:
        project: Its folder; `.` is the top.
        name: Of the model; may be hostile.
        ending: What came out.
        headline: That in one line.
        report: Behind it; None where there is no verdict.
        why: What is known of a run that died; may be hostile.
        marker: The hidden line by which its comment is found again.
        key: Tells apart several comments of one project.
    """

    project: str
    name: str
    ending: Ending
    headline: str
    report: Report | None = None
    why: str = ""
    marker: str
    key: str = ""

    @property
    def conclusion(self) -> Conclusion:
        """What a check says of it: what was not measured does not pass."""
        if self.ending in {"pass", "unchanged"}:
            return "success"
        return "neutral" if self.ending == "inconclusive" else "failure"


class Subject(Noun):
    """What a run was about, as the forge says.

    Attributes:
        sha: The commit that was judged.
        pulls: Pull requests whose head it is.
        outdated: Pull requests of that branch whose head is another commit by now.
        fork: Whether the commit comes from another repository, whose owner controls what measured it.
        links: Where a comment leads, without the project's folder.
    """

    sha: Commit = ""
    pulls: tuple[PullRequest, ...] = ()
    outdated: tuple[PullRequest, ...] = ()
    fork: bool = False
    links: Links = NO_LINKS

    @property
    def change(self) -> str:
        """The number by which the ledger knows the pull request; empty where there is none."""
        return next((str(pull.number) for pull in (*self.pulls, *self.outdated)), "")


class Posted(Noun):
    """What became of one project's verdict.

    Attributes:
        project: Its folder.
        outcome: How its run ended.
        headline: That in one line.
        comment: What became of its comment on each pull request, by number.
        comment_urls: Where these are.
        check: In which form the commit shows it.
        check_url: Where that is.
    """

    project: str
    outcome: Ending
    headline: str
    comment: dict[int, Action] = {}
    comment_urls: tuple[Url, ...] = ()
    check: Form = "none"
    check_url: Url = ""


class Published(Noun):
    """What became of a run's verdicts. `problems` are what the forge did not let happen, each with its mend."""

    sha: str = ""
    posted: tuple[Posted, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def outcome(self) -> Ending:
        """The worst of all projects; `unchanged` where nothing was to be told."""
        order: tuple[Ending, ...] = ("crashed", "fail", "inconclusive", "pass", "unchanged")
        return min((each.outcome for each in self.posted), key=order.index, default="unchanged")

    @property
    def exit_code(self) -> int:
        """0 held, 1 a gate failed or nobody knows, 3 the forge did not take it."""
        if self.problems:
            return 3
        return 1 if self.outcome in {"crashed", "fail"} else 0
