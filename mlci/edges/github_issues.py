"""GitHub: issues of one repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlci.edges.github import GitHub
from mlci.nouns.forge import ForgeIssue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from github.Issue import Issue

_NEEDS = "issues: write"


class GitHubIssues(GitHub):
    """The issues of a repository on GitHub; an `IssueForge`."""

    def own_issues(self) -> tuple[ForgeIssue, ...]:
        """All issues that our account opened, oldest first."""
        author = self.author
        with self._asking("list the issues", "issues: read"):
            # A lazy user: only the name is sent.
            every = self._repo.get_issues(state="all", creator=self._client.get_user(author))
            # A pull request is an issue too.
            found = [_issue(each) for each in every if each.pull_request is None]
        return tuple(sorted((each for each in found if each.author == author), key=lambda each: each.number))

    def open_issue(self, title: str, body: str, labels: Sequence[str], assignees: Sequence[str]) -> ForgeIssue:
        """Open an issue; labels that the repository has not are made."""
        with self._asking("open an issue", _NEEDS):
            return _issue(self._repo.create_issue(title, body, labels=[*labels], assignees=[*assignees]))

    def edit_issue(self, issue: ForgeIssue, *, title: str, body: str, is_open: bool) -> ForgeIssue:
        """Write an issue anew, and open or close it."""
        with self._asking(f"edit issue #{issue.number}", _NEEDS):
            known = self._repo.get_issue(issue.number)
            known.edit(title=title, body=body, state="open" if is_open else "closed")
            return issue.model_copy(update={"title": title, "body": body, "open": is_open})


def _issue(found: Issue) -> ForgeIssue:
    # Whoever opened it may have left GitHub since.
    user: Any = found.user
    return ForgeIssue(
        number=found.number,
        author=user.login if user is not None else "",
        title=found.title,
        body=found.body or "",
        open=found.state == "open",
        url=found.html_url,
    )
