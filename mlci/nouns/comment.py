"""What a comment shows beside the report, and what a check run points at."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from mlci.nouns.base import Noun

Url = Annotated[str, StringConstraints(max_length=2_000, pattern=r"^(https?://[A-Za-z0-9._~:/?#&=%+,;-]+)?$")]
"""An address without any character that could end a link, or empty."""
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{0,64}$")]
Ending = Literal["pass", "inconclusive", "fail", "crashed", "unchanged"]


class Links(Noun):
    """Where a comment leads; a forge says so, never a report.

    Attributes:
        run: The page of the run.
        report: The page or the artefact with the HTML report.
        files: What stands before the path of a file at the commit that was judged, such as
            `https://github.com/o/r/blob/1a2b3c4/`; with the project's folder, where it has one.
        commits: What stands before a commit, such as `https://github.com/o/r/commit/`.
        project: What tells it from other comments of the run: the project's folder; empty where there is but one.
    """

    run: Url = ""
    report: Url = ""
    files: Url = ""
    commits: Url = ""
    project: str = ""


NO_LINKS = Links()


class Earlier(Noun):
    """A verdict that an earlier run came to.

    Attributes:
        commit: That it spoke of.
        outcome: What came out; `crashed` and `unchanged` are runs without a verdict.
        headline: Its first line, as plain text; may be hostile.
    """

    commit: Commit = ""
    outcome: Ending
    headline: str = ""


class Spent(Noun):
    """What a part of a run took.

    Attributes:
        what: The part: a job, a stage, a runner.
        seconds: How long it took.
        cost: What that cost, in US dollars; None where nobody knows.
    """

    what: str
    seconds: float = Field(ge=0)
    cost: float | None = Field(None, ge=0)


class Annotation(Noun):
    """A remark at a line of a file, as a check run shows it; plain text.

    Attributes:
        path: The file, from the top of the repository.
        start_line: Its line, counted from 1.
        level: How grave it is.
        title: In a few words, at most 255 characters.
        message: The sentences.
    """

    path: str
    start_line: int = Field(1, ge=1)
    level: Literal["notice", "warning", "failure"]
    title: str
    message: str
