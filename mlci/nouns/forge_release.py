"""What a forge holds of releases and deployments: the same words for every forge."""

from __future__ import annotations

from typing import Literal

from mlci.nouns.base import Noun
from mlci.nouns.comment import Url


class Asset(Noun):
    """A file beside a release.

    Attributes:
        id: By which the forge knows it.
        name: Of the file.
        size: In bytes.
        sha256: Of its content, in hex; empty where the forge does not say.
        ready: Whether all of it arrived; an upload that was cut off leaves one that is not.
        url: Its address in the forge's API.
    """

    id: int
    name: str
    size: int
    sha256: str = ""
    ready: bool = True
    url: Url = ""


class ForgeRelease(Noun):
    """A release on a forge.

    Attributes:
        id: By which the forge knows it.
        tag: Whose release it is.
        draft: Whether only those see it who may write.
        url: Its page.
        assets: What lies beside it.
    """

    id: int
    tag: str
    draft: bool
    url: Url = ""
    assets: tuple[Asset, ...] = ()

    def asset(self, name: str) -> Asset | None:
        """The asset with this name, or None."""
        return next((one for one in self.assets if one.name == name), None)


class Notes(Noun):
    """What a release on a forge says.

    Attributes:
        title: In one line, as plain text.
        body: Markdown that is inert.
        prerelease: Whether it is meant for trial only.
        latest: Whether it is the highest version that there is.
    """

    title: str
    body: str
    prerelease: bool = False
    latest: bool = True


DeploymentState = Literal["in_progress", "success", "failure", "inactive"]


class Deployment(Noun):
    """A version on its way to a stage, as a forge shows it.

    Attributes:
        id: By which the forge knows it.
        environment: The stage.
        tag: The stage's tag that asked for it.
        state: How far it came; empty at the start, or where the forge says what we never do.
    """

    id: int
    environment: str
    tag: str
    state: DeploymentState | Literal[""] = ""
