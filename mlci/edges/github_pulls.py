"""GitHub: pull requests that we open ourselves, from branches of the repository."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from github.GithubException import GithubException

from mlci.edges.forge import NotAllowedError
from mlci.edges.github import GitHub
from mlci.nouns.forge import ForgePull

if TYPE_CHECKING:
    from collections.abc import Sequence

    from github.PullRequest import PullRequest as TheirPull

_NEEDS = "pull-requests: write"
_NOT_NOW = frozenset({405, 409})
_INVALID = 422


class GitHubPulls(GitHub):
    """The pull requests of a repository on GitHub that are ours; a `PullForge`."""

    def own_pulls(self, branch: str) -> tuple[ForgePull, ...]:
        """All pull requests, open or not, that our account opened from a branch of this repository, oldest first."""
        author = self.author
        owner = self.repository.partition("/")[0]
        with self._asking(f"list the pull requests from {branch}", "pull-requests: read"):
            every = list(self._repo.get_pulls(state="all", head=f"{owner}:{branch}"))
            # GitHub looks at the owner alone, and ignores a filter that it does not understand.
            found = [_pull(each) for each in every if self._is_from(each, branch)]
        return tuple(sorted((each for each in found if each.author == author), key=lambda each: each.number))

    def _is_from(self, pull: TheirPull, branch: str) -> bool:
        # The repository of a branch is gone when a fork was deleted.
        repository: Any = pull.head.repo
        return pull.head.ref == branch and repository is not None and repository.full_name == self.repository

    def open_pull(self, branch: str, base: str, title: str, body: str) -> ForgePull | None:
        """Open a pull request; None where there is one from this branch already."""
        try:
            with self._asking("open a pull request", _NEEDS):
                try:
                    return _pull(self._repo.create_pull(base, branch, title=title, body=body))
                except GithubException as error:
                    if error.status == _INVALID and "already exists" in str(error.data):
                        return None
                    raise
        except NotAllowedError as error:
            raise NotAllowedError(
                error.problem,
                f"{error.mend}; and let workflows do it: Settings, Actions, General, 'Allow GitHub Actions to create "
                "and approve pull requests'",
            ) from None

    def edit_pull(self, pull: ForgePull, *, title: str, body: str, is_open: bool) -> ForgePull:
        """Write a pull request anew, and open or close it."""
        with self._asking(f"edit #{pull.number}", _NEEDS):
            self._repo.get_pull(pull.number).edit(title=title, body=body, state="open" if is_open else "closed")
            return pull.model_copy(update={"title": title, "body": body, "open": is_open})

    def label_pull(self, pull: ForgePull, labels: Sequence[str], assignees: Sequence[str]) -> None:
        """Add labels, which are made where the repository has none of that name, and assign people."""
        with self._asking(f"label #{pull.number}", _NEEDS):
            known = self._repo.get_issue(pull.number)
            if labels:
                known.add_to_labels(*labels)
            if assignees:
                known.add_to_assignees(*assignees)

    def merge_pull(self, pull: ForgePull, sha: str) -> bool:
        """Merge a pull request if that commit is still its head; False where something stands in the way."""
        with self._asking(f"merge #{pull.number}", "contents: write, pull-requests: write"):
            with contextlib.suppress(_NotNowError):
                return self._merged(pull.number, sha)
            return False

    def _merged(self, number: int, sha: str) -> bool:
        try:
            return bool(self._repo.get_pull(number).merge(sha=sha).merged)
        except GithubException as error:
            if error.status in _NOT_NOW:
                raise _NotNowError from error
            raise


class _NotNowError(Exception):
    """A rule of the branch, a conflict, or a newer head stands in the way."""


def _pull(found: TheirPull) -> ForgePull:
    # Whoever opened it may have left GitHub since.
    user: Any = found.user
    return ForgePull(
        number=found.number,
        author=user.login if user is not None else "",
        title=found.title,
        body=found.body or "",
        head_sha=found.head.sha,
        base_branch=found.base.ref,
        open=found.state == "open",
        merged=found.merged_at is not None,
        url=found.html_url,
    )
