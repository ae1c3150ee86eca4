"""GitHub: pull requests, comments, checks and statuses of one repository."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlci.edges.forge import GoneError, NotAllowedError
from mlci.edges.github_client import asking, connect
from mlci.nouns.forge import Comment, Patience, PullRequest, ShownCheck

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from github.CheckRun import CheckRun
    from github.IssueComment import IssueComment
    from github.PullRequest import PullRequest as TheirPull

    from mlci.nouns.comment import Annotation
    from mlci.nouns.forge import Check, Conclusion

ACTIONS = "github-actions[bot]"
"""Who writes with a workflow's own token."""
_INSTALLATION = "ghs_"
_AT_ONCE = 50
_MOST_STATUS = 140
_STATES: dict[Conclusion, str] = {"success": "success", "neutral": "success", "failure": "failure"}


class GitHub:
    """One repository on GitHub; a `Forge`.

    Args:
        repository: `owner/name`.
        token: A workflow's own, an app's, or a person's.
        address: Of the API.
        patience: How long to ask.
        author: Login of the app whose token it is; default: the person's, or the workflow's.
    """

    def __init__(
        self,
        repository: str,
        token: str,
        address: str = "https://api.github.com",
        patience: Patience = Patience(),  # noqa: B008 - it is frozen
        author: str = "",
    ) -> None:
        self.repository = repository
        self._token, self._address, self._given = token, address, author
        self._client = connect(token, address, patience)
        self._repo = self._client.get_repo(repository)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    @cached_property
    def author(self) -> str:
        """The login that our comments have: a workflow's token cannot be asked whose it is."""
        if self._given:
            return self._given
        if self._token.startswith(_INSTALLATION):
            return ACTIONS
        try:
            with self._asking("ask whose token this is", "read access"):
                login: str = self._client.get_user().login
                return login
        except NotAllowedError as error:
            if "not accept" in error.problem:
                raise
            return ACTIONS

    def pull(self, number: int) -> PullRequest:
        """A pull request as it is now."""
        with self._asking(f"read pull request #{number}", "pull-requests: read"):
            # Only asking for a field of a lazy object makes it ask, so the pull request is fetched by its own call.
            found = self._repo.get_pull(number)
            found.complete()
            return _pull(found)

    def pulls_from(self, repository: str, branch: str) -> tuple[PullRequest, ...]:
        """The open pull requests of a branch."""
        owner = repository.partition("/")[0]
        with self._asking(f"list the pull requests from {repository}", "pull-requests: read"):
            found = [_pull(pull) for pull in self._repo.get_pulls(state="open", head=f"{owner}:{branch}")]
        # GitHub looks at the owner alone, and ignores a filter that it does not understand.
        return tuple(pull for pull in found if (pull.head_repository, pull.head_branch) == (repository, branch))

    def comments(self, number: int) -> tuple[Comment, ...]:
        """All comments on a pull request or an issue, oldest first."""
        with self._asking(f"read the comments on #{number}", "pull-requests: read"):
            found = [_comment(comment) for comment in self._repo.get_issue(number).get_comments()]
        return tuple(sorted(found, key=lambda comment: comment.id))

    def add_comment(self, number: int, body: str) -> Comment:
        """Write a comment."""
        with self._asking(f"comment on #{number}", "pull-requests: write"):
            return _comment(self._repo.get_issue(number).create_comment(body))

    def edit_comment(self, number: int, comment: int, body: str) -> Comment:
        """Write a comment anew."""
        with self._asking(f"edit a comment on #{number}", "pull-requests: write"):
            known = self._repo.get_issue(number).get_comment(comment)
            known.edit(body)
            return _comment(known)

    def remove_comment(self, number: int, comment: int) -> None:
        """Delete a comment; one that is gone already is fine."""
        try:
            with self._asking(f"delete a comment on #{number}", "pull-requests: write"):
                self._repo.get_issue(number).get_comment(comment).delete()
        except GoneError:
            return

    def shown_check(self, check: Check) -> ShownCheck | None:
        """The newest check of that commit with the same name and key."""
        with self._asking(f"read the checks of {check.sha[:10]}", "checks: read"):
            commit = self._repo.get_commit(check.sha)
            found = [_shown(run) for run in commit.get_check_runs(check_name=check.name, filter="all")]
        return max((run for run in found if run.key == check.key), key=lambda run: run.id, default=None)

    def add_check(self, check: Check) -> ShownCheck:
        """Show a check, which takes the place of an older one of that name.

        GitHub takes so many annotations at once and adds those of later requests; until the last one arrived, the check
        is not done.
        """
        batches = list(_batches(check.annotations))
        told = {"title": check.title, "summary": check.summary}
        with self._asking(f"show the check {check.name} on {check.sha[:10]}", "checks: write"):
            ending: dict[str, Any] = {"status": "completed", "conclusion": check.conclusion}
            link: dict[str, Any] = {"details_url": check.url} if check.url else {}
            run = self._repo.create_check_run(
                check.name,
                check.sha,
                external_id=check.key,
                output={**told, "annotations": batches[0]},
                **link,
                **(ending if len(batches) == 1 else {"status": "in_progress"}),
            )
            for place, batch in enumerate(batches[1:], start=2):
                run.edit(output={**told, "annotations": batch}, **(ending if place == len(batches) else {}))
            return _shown(run)

    def set_status(self, sha: str, name: str, conclusion: Conclusion, title: str, url: str) -> None:
        """Show a check in the form that is there for everybody: one line, no neutral."""
        said = title if len(title) <= _MOST_STATUS else f"{title[: _MOST_STATUS - 1]}\N{HORIZONTAL ELLIPSIS}"
        link: dict[str, Any] = {"target_url": url} if url else {}
        with self._asking(f"set the status {name} of {sha[:10]}", "statuses: write"):
            self._repo.get_commit(sha).create_status(_STATES[conclusion], description=said, context=name, **link)

    def _asking(self, what: str, needs: str) -> AbstractContextManager[None]:
        return asking(what, needs, self._token, self._address)


def _batches(annotations: tuple[Annotation, ...]) -> Iterator[list[dict[str, str | int]]]:
    told: list[dict[str, str | int]] = [
        {
            "path": item.path,
            "start_line": item.start_line,
            "end_line": item.start_line,
            "annotation_level": item.level,
            "title": item.title,
            "message": item.message,
        }
        for item in annotations
    ]
    for start in range(0, max(1, len(told)), _AT_ONCE):
        yield told[start : start + _AT_ONCE]


def _pull(found: TheirPull) -> PullRequest:
    # The repository of a branch is gone when a fork was deleted.
    repository: Any = found.head.repo
    return PullRequest(
        number=found.number,
        head_sha=found.head.sha,
        head_branch=found.head.ref,
        head_repository=repository.full_name if repository is not None else "",
        base_branch=found.base.ref,
        open=found.state == "open",
        url=found.html_url,
    )


def _comment(found: IssueComment) -> Comment:
    # Whoever wrote it may have left GitHub since.
    user: Any = found.user
    return Comment(
        id=found.id, author=user.login if user is not None else "", body=found.body or "", url=found.html_url
    )


def _shown(found: CheckRun) -> ShownCheck:
    return ShownCheck(
        id=found.id,
        key=found.external_id or "",
        done=found.status == "completed",
        conclusion=found.conclusion or "",
        title=found.output.title or "",
        summary=found.output.summary or "",
        url=found.html_url or "",
    )
