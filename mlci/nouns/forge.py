"""What a forge holds and is told: pull requests, comments, checks; the same words for every forge."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from mlci.nouns.base import Noun
from mlci.nouns.comment import Annotation, Commit, Url

REPOSITORY = re.compile(r"(?!\.)[A-Za-z0-9_.-]{1,100}/(?!\.\.?$)[A-Za-z0-9_.-]{1,100}", re.ASCII)
"""A repository's full name: `owner/name`."""


def _repository(text: str) -> str:
    if text and not REPOSITORY.fullmatch(text):
        raise ValueError(f"{text!r} is no repository: write OWNER/NAME")
    return text


Repository = Annotated[str, AfterValidator(_repository)]
"""A repository's full name, or empty."""
Conclusion = Literal["success", "failure", "neutral"]


class PullRequest(Noun):
    """A pull request as the forge knows it; what people named is hostile.

    Attributes:
        number: By which the forge knows it.
        head_sha: The commit that it asks to merge, now.
        head_branch: The branch that holds it.
        head_repository: The repository of that branch; empty where it was deleted.
        base_branch: The branch that it asks to be merged into.
        open: Whether it can still be merged.
        url: Its page.
    """

    number: int
    head_sha: Commit
    head_branch: str = ""
    head_repository: Repository = ""
    base_branch: str = ""
    open: bool = True
    url: Url = ""


class Comment(Noun):
    """A comment on a pull request or an issue; its body is hostile unless we wrote it.

    Attributes:
        id: By which the forge knows it; later comments have higher ones.
        author: Login of who wrote it.
        body: Markdown.
        url: Its place on the page.
    """

    id: int
    author: str
    body: str = ""
    url: Url = ""


class Check(Noun):
    """A check of a commit, to be shown beside it.

    Attributes:
        name: By which a branch's protection can require it.
        sha: The commit.
        key: Names it among the checks of one name: those of jobs are not ours.
        conclusion: `neutral` neither holds nor blocks.
        title: In one line.
        summary: Markdown.
        url: Where it leads.
        annotations: Remarks at lines of files.
    """

    name: str
    sha: Commit
    key: str
    conclusion: Conclusion
    title: str
    summary: str
    url: Url = ""
    annotations: tuple[Annotation, ...] = ()


class ShownCheck(Noun):
    """A check that the forge shows already."""

    id: int
    key: str = ""
    done: bool = True
    conclusion: str = ""
    title: str = ""
    summary: str = ""
    url: Url = ""


class Patience(Noun):
    """How long a forge is asked before it is given up.

    Attributes:
        tries: Requests in all for one question.
        pause: Seconds before the second one; each further pause is twice as long, and a little at random.
        limit: Seconds before a request that the forge calls one too many in a row, where it does not say how long.
        longest: The longest pause that is waited for, in seconds; a forge that asks for more is given up at once.
    """

    tries: int = Field(6, ge=1)
    pause: float = Field(1.0, ge=0)
    limit: float = Field(60.0, ge=0)
    longest: float = Field(180.0, ge=0)


class Trigger(Noun):
    """What started a run, as the forge says it: never what a pull request says of itself.

    Attributes:
        event: Its name: `workflow_run`, `pull_request`, `push`; empty outside of the forge's own machines.
        repository: Whose pull request it is.
        sha: The commit that was judged; empty where the forge did not say.
        number: Of the pull request, where the event is about one.
        head_repository: Where the commit comes from.
        head_branch: The branch that held it; hostile.
        conclusion: How the run ended that measured, where another one publishes.
        run: Page of the run that measured.
        server: Address of the forge's pages.
    """

    event: str = ""
    repository: Repository = ""
    sha: Commit = ""
    number: int | None = None
    head_repository: Repository = ""
    head_branch: str = ""
    conclusion: str = ""
    run: Url = ""
    server: Url = "https://github.com"


class ForgeIssue(Noun):
    """An issue as the forge knows it; its body is hostile unless we wrote it.

    Attributes:
        number: By which the forge knows it.
        author: Login of who opened it.
        title: Plain text.
        body: Markdown.
        open: Whether it is.
        url: Its page.
    """

    number: int
    author: str
    title: str
    body: str
    open: bool = True
    url: Url = ""


class ForgePull(Noun):
    """A pull request from a branch of the repository's own; its body is hostile unless we wrote it.

    Attributes:
        number: By which the forge knows it.
        author: Login of who opened it.
        title: Plain text.
        body: Markdown.
        head_sha: The commit that it asks to merge, now.
        base_branch: The branch that it asks to be merged into.
        open: Whether it can still be merged.
        merged: Whether it was.
        url: Its page.
    """

    number: int
    author: str
    title: str
    body: str
    head_sha: Commit = ""
    base_branch: str = ""
    open: bool = True
    merged: bool = False
    url: Url = ""
