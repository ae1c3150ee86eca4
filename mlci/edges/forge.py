"""What a forge can do for us, whichever it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlci.nouns.forge import Check, Comment, Conclusion, ForgeIssue, ForgePull, PullRequest, ShownCheck
    from mlci.nouns.forge_release import Asset, Deployment, DeploymentState, ForgeRelease, Notes


class NotAllowedError(WorldError):
    """The forge knows who asks, and does not let them."""


class GoneError(WorldError):
    """What was asked for is not there, or is not shown to who asks."""


class Forge(Protocol):
    """A repository on a forge. Every method raises WorldError: NotAllowedError and GoneError where that is why."""

    @property
    def author(self) -> str:
        """The login that our comments have."""
        ...

    def pull(self, number: int) -> PullRequest:
        """A pull request as it is now."""
        ...

    def pulls_from(self, repository: str, branch: str) -> tuple[PullRequest, ...]:
        """The open pull requests of a branch."""
        ...

    def comments(self, number: int) -> tuple[Comment, ...]:
        """All comments on a pull request or an issue, oldest first."""
        ...

    def add_comment(self, number: int, body: str) -> Comment:
        """Write a comment."""
        ...

    def edit_comment(self, number: int, comment: int, body: str) -> Comment:
        """Write a comment anew."""
        ...

    def remove_comment(self, number: int, comment: int) -> None:
        """Delete a comment; one that is gone already is fine."""
        ...

    def shown_check(self, check: Check) -> ShownCheck | None:
        """The newest check of that commit with the same name and key."""
        ...

    def add_check(self, check: Check) -> ShownCheck:
        """Show a check, which takes the place of an older one of that name."""
        ...

    def set_status(self, sha: str, name: str, conclusion: Conclusion, title: str, url: str) -> None:
        """Show a check in the form that is there for everybody: one line, no neutral."""
        ...


class ReleaseForge(Protocol):
    """Releases and deployments of a repository on a forge; errors as for `Forge`."""

    def releases(self, tag: str) -> tuple[ForgeRelease, ...]:
        """All releases of a tag: the published one first, then drafts, oldest first."""
        ...

    def published(self, tag: str) -> ForgeRelease:
        """The published release of a tag; drafts are not looked for. Raises GoneError where there is none."""
        ...

    def draft(self, tag: str, notes: Notes) -> ForgeRelease:
        """Begin a release that nobody sees yet."""
        ...

    def upload(self, release: ForgeRelease, file: Path) -> None:
        """Put a file beside a release, by its own name."""
        ...

    def remove_asset(self, asset: Asset) -> None:
        """Take a file away; one that is gone already is fine."""
        ...

    def publish(self, release: ForgeRelease, notes: Notes) -> ForgeRelease:
        """Let everybody see a draft."""
        ...

    def remove(self, release: ForgeRelease) -> None:
        """Delete a draft; one that is gone already is fine."""
        ...

    def download(self, asset: Asset, target: Path) -> Path:
        """Fetch an asset into a file."""
        ...

    def deployments(self, environment: str, tag: str) -> tuple[Deployment, ...]:
        """All deployments that a tag asked for, newest first."""
        ...

    def deploy(self, environment: str, tag: str, said: str) -> Deployment:
        """Begin a deployment."""
        ...

    def deployed(self, deployment: Deployment, state: DeploymentState, said: str, url: str = "") -> None:
        """Tell how far a deployment came."""
        ...


class IssueForge(Protocol):
    """Issues of a repository on a forge; errors as for `Forge`."""

    def own_issues(self) -> tuple[ForgeIssue, ...]:
        """All issues that our account opened, oldest first."""
        ...

    def open_issue(self, title: str, body: str, labels: Sequence[str], assignees: Sequence[str]) -> ForgeIssue:
        """Open an issue."""
        ...

    def edit_issue(self, issue: ForgeIssue, *, title: str, body: str, is_open: bool) -> ForgeIssue:
        """Write an issue anew, and open or close it."""
        ...


class PullForge(Protocol):
    """Pull requests of our own on a forge; errors as for `Forge`."""

    def own_pulls(self, branch: str) -> tuple[ForgePull, ...]:
        """All pull requests, open or not, that our account opened from a branch of this repository, oldest first."""
        ...

    def open_pull(self, branch: str, base: str, title: str, body: str) -> ForgePull | None:
        """Open a pull request; None where there is one from this branch already."""
        ...

    def edit_pull(self, pull: ForgePull, *, title: str, body: str, is_open: bool) -> ForgePull:
        """Write a pull request anew, and open or close it."""
        ...

    def label_pull(self, pull: ForgePull, labels: Sequence[str], assignees: Sequence[str]) -> None:
        """Add labels, which are made where the repository has none of that name, and assign people."""
        ...

    def merge_pull(self, pull: ForgePull, sha: str) -> bool:
        """Merge a pull request if that commit is still its head; False where something stands in the way."""
        ...
