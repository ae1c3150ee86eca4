"""GitHub: releases with their assets, and deployments, of one repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import quote

from mlci.edges.download import download
from mlci.edges.forge import GoneError
from mlci.edges.github_client import asking, connect
from mlci.nouns.forge import Patience
from mlci.nouns.forge_release import Asset, Deployment, DeploymentState, ForgeRelease

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from github.GitRelease import GitRelease
    from github.GitReleaseAsset import GitReleaseAsset

    from mlci.nouns.forge_release import Notes

_MOST_SAID = 140
_TASK = "mlci"
_SHA256 = "sha256:"


class GitHubReleases:
    """Releases and deployments of one repository on GitHub; a `ReleaseForge`.

    Args:
        repository: `owner/name`.
        token: A workflow's own, an app's, or a person's; without one, what is public is shown.
        address: Of the API.
        patience: How long to ask.
    """

    def __init__(
        self,
        repository: str,
        token: str,
        address: str = "https://api.github.com",
        patience: Patience = Patience(),  # noqa: B008 - it is frozen
    ) -> None:
        self.repository = repository
        self._token, self._address, self._patience = token, address, patience
        self._client = connect(token, address, patience)
        self._repo = self._client.get_repo(repository)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def releases(self, tag: str) -> tuple[ForgeRelease, ...]:
        """All releases of a tag: the published one first, then drafts, oldest first."""
        # Only the list shows drafts, and only to who may write; GitHub lets several drafts have one tag.
        with self._asking("list the releases", "contents: write"):
            found = [_release(one) for one in self._repo.get_releases() if one.tag_name == tag]
        return tuple(sorted(found, key=lambda one: (one.draft, one.id)))

    def published(self, tag: str) -> ForgeRelease:
        """The published release of a tag. Raises GoneError where there is none."""
        with self._asking(f"read the release {tag}", "contents: read"):
            found = _release(self._repo.get_release(tag))
        if found.draft:
            raise GoneError(f"the release {tag} is not published yet", "wait until its workflow has ended")
        return found

    def draft(self, tag: str, notes: Notes) -> ForgeRelease:
        """Begin a release that nobody sees yet."""
        with self._asking(f"begin the release {tag}", "contents: write"):
            return _release(
                self._repo.create_git_release(
                    tag, notes.title, notes.body, draft=True, prerelease=notes.prerelease, make_latest="false"
                )
            )

    def upload(self, release: ForgeRelease, file: Path) -> None:
        """Put a file beside a release, by its own name."""
        # The library leaves a file open that it opened itself, when the upload fails.
        with (
            self._asking(f"upload {file.name} to the release {release.tag}", "contents: write"),
            file.open("rb") as read,
        ):
            self._repo.get_release(release.id).upload_asset_from_memory(
                read, file.stat().st_size, file.name, "application/octet-stream"
            )

    def remove_asset(self, asset: Asset) -> None:
        """Take a file away; one that is gone already is fine."""
        try:
            with self._asking(f"remove the file {asset.name}", "contents: write"):
                self._repo.get_release_asset(asset.id).delete_asset()
        except GoneError:
            return

    def publish(self, release: ForgeRelease, notes: Notes) -> ForgeRelease:
        """Let everybody see a draft."""
        with self._asking(f"publish the release {release.tag}", "contents: write"):
            return _release(
                self._repo.get_release(release.id).update_release(
                    notes.title,
                    notes.body,
                    draft=False,
                    prerelease=notes.prerelease,
                    tag_name=release.tag,
                    make_latest="true" if notes.latest and not notes.prerelease else "false",
                )
            )

    def remove(self, release: ForgeRelease) -> None:
        """Delete a draft; one that is gone already is fine."""
        try:
            with self._asking(f"remove a draft of {release.tag}", "contents: write"):
                self._repo.get_release(release.id).delete_release()
        except GoneError:
            return

    def download(self, asset: Asset, target: Path) -> Path:
        """Fetch an asset into a file."""
        # The library would hold a file's parts of one byte each, and knows only GitHub's own storage.
        return download(asset.url, target, token=self._token, patience=self._patience)

    def deployments(self, environment: str, tag: str) -> tuple[Deployment, ...]:
        """All deployments that a tag asked for, newest first."""
        with self._asking(f"list the deployments to {environment}", "deployments: read"):
            listed = self._repo.get_deployments(environment=environment, task=_TASK)
            found = [one for one in listed if _tag(one.payload) == tag]
            told = [Deployment(id=one.id, environment=environment, tag=tag, state=_state(one)) for one in found]
        return tuple(sorted(told, key=lambda one: one.id, reverse=True))

    def deploy(self, environment: str, tag: str, said: str) -> Deployment:
        """Begin a deployment."""
        with self._asking(f"begin a deployment to {environment}", "deployments: write"):
            made = self._repo.create_deployment(
                ref=tag,
                task=_TASK,
                # The verdict is the evidence; checks of the commit that came later don't count.
                auto_merge=False,
                required_contexts=[],
                payload={"tag": tag},
                environment=environment,
                description=_short(said),
            )
            return Deployment(id=made.id, environment=environment, tag=tag)

    def deployed(self, deployment: Deployment, state: DeploymentState, said: str, url: str = "") -> None:
        """Tell how far a deployment came."""
        link: dict[str, Any] = {"target_url": url} if url else {}
        with self._asking(f"tell how the deployment to {deployment.environment} went", "deployments: write"):
            self._repo.get_deployment(deployment.id).create_status(state, description=_short(said), **link)

    def _asking(self, what: str, needs: str) -> AbstractContextManager[None]:
        return asking(what, needs, self._token, self._address)


def _release(found: GitRelease) -> ForgeRelease:
    return ForgeRelease(
        id=found.id,
        tag=found.tag_name,
        draft=found.draft,
        url=_page(found.html_url or ""),
        assets=tuple(_asset(one) for one in found.assets),
    )


def _asset(found: GitReleaseAsset) -> Asset:
    told = found.digest or ""
    return Asset(
        id=found.id,
        name=found.name,
        size=found.size,
        sha256=told.removeprefix(_SHA256) if told.startswith(_SHA256) else "",
        ready=found.state == "uploaded",
        url=found.url,
    )


def _page(address: str) -> str:
    """An address with everything spelled out that could end a link."""
    return quote(address, safe=":/?#&=%+,;~")


def _tag(payload: object) -> str:
    return str(payload.get("tag", "")) if isinstance(payload, dict) else ""


def _state(found: Any) -> Any:  # noqa: ANN401 - the library's, and one of our words
    newest = max(found.get_statuses(), key=lambda one: one.id, default=None)
    return newest.state if newest is not None and newest.state in get_args(DeploymentState) else ""


def _short(said: str) -> str:
    line = " ".join(said.split())
    return line if len(line) <= _MOST_SAID else f"{line[: _MOST_SAID - 1]}\N{HORIZONTAL ELLIPSIS}"
