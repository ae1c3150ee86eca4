"""What a run was about: which commit, whose, and of which pull requests; never by what the run itself says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.nouns.comment import Links
from mlci.nouns.publish import Subject

if TYPE_CHECKING:
    from mlci.edges.forge import Forge
    from mlci.nouns.forge import PullRequest, Trigger


def subject(trigger: Trigger, forge: Forge | None, *, number: int | None = None, sha: str = "") -> Subject:
    """Ask the forge what it knows of the commit.

    In a `workflow_run` of a fork the event names no pull request, and its branch's name is all there is to look by; so
    pull requests are looked up by repository and branch, and only those that have the commit as their head are current.

    Args:
        trigger: What started the run.
        forge: None where nothing is asked.
        number: A pull request that somebody named.
        sha: A commit that somebody named.

    Raises:
        WorldError: The forge does not answer, or does not know the pull request.
    """
    wanted = number if number is not None else trigger.number
    known = sha or ("" if number is not None else trigger.sha)
    pulls: tuple[PullRequest, ...] = ()
    if forge is not None and wanted is not None:
        pulls = (forge.pull(wanted),)
    elif forge is not None and trigger.event == "workflow_run" and trigger.head_repository and trigger.head_branch:
        pulls = forge.pulls_from(trigger.head_repository, trigger.head_branch)
    commit = known or next((pull.head_sha for pull in pulls), trigger.sha)
    source = next((pull.head_repository for pull in pulls), "") or trigger.head_repository or trigger.repository
    return Subject(
        sha=commit,
        pulls=tuple(pull for pull in pulls if pull.head_sha == commit),
        outdated=tuple(pull for pull in pulls if pull.head_sha != commit),
        fork=bool(trigger.repository) and source != trigger.repository,
        links=_links(trigger, source, commit),
    )


def _links(trigger: Trigger, source: str, sha: str) -> Links:
    page = f"{trigger.server}/{source}" if source else ""
    return Links(
        run=trigger.run,
        report=f"{trigger.run}#artifacts" if trigger.run else "",
        files=f"{page}/blob/{sha}/" if page and sha else "",
        commits=f"{page}/commit/" if page else "",
    )
