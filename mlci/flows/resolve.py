"""Which release somebody means, if it may still be used."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mlci.errors import GateError, PolicyError
from mlci.nouns.registry import TagName

if TYPE_CHECKING:
    from mlci.nouns.registry import Artifact, Event, Registry, Release

LATEST = "latest"
_FORM = "write it as flights@v1.2.0, flights#prod or flights@latest"
_HEAD = re.compile(r"refs/tags/")


class Asked(NamedTuple):
    """What somebody asks for: a version, what a stage runs, or the highest version.

    Attributes:
        model: Its name in the registry.
        version: Such as v1.2.0, or `latest`; empty where a stage is asked.
        stage: Such as prod; empty where a version is asked.
    """

    model: str
    version: str = ""
    stage: str = ""

    @classmethod
    def read(cls, text: str) -> Asked | None:
        """Read `flights@v1.2.0`, `flights#prod` or `flights@latest`, also as tags spell them; None where it is none."""
        tag = _HEAD.sub("", text, count=1).replace(":", "=")
        model, _, rest = tag.rpartition("@")
        if rest == LATEST and (parsed := TagName.parse(f"{model}@v0.0.0")) is not None:
            return cls(parsed.artifact, version=LATEST)
        parsed = TagName.parse(tag)
        if parsed is None or parsed.counter is not None:
            return None
        if parsed.action == "register":
            return cls(parsed.artifact, version=parsed.version or "")
        return cls(parsed.artifact, stage=parsed.stage or "") if parsed.action == "assign" else None

    def __str__(self) -> str:
        return f"{self.model}#{self.stage}" if self.stage else f"{self.model}@{self.version}"


def wanted(text: str) -> Asked:
    """What somebody asks for. Raises PolicyError where it names no release."""
    found = Asked.read(text)
    if found is None:
        raise PolicyError(f"{text!r} names no release", _FORM)
    return found


def resolve(registry: Registry, asked: Asked) -> Release:
    """The release that is meant, which stands.

    DVC reads the same tags, but takes no notice of withdrawals; here they count.

    Raises:
        PolicyError: There is no such model, version or stage.
        GateError: It was withdrawn, deprecated, or taken out of the stage: says by whom, when and why.
    """
    artifact = registry.artifacts.get(asked.model)
    if artifact is None:
        known = ", ".join(sorted(registry.artifacts)) or "none"
        raise PolicyError(f"no version of {asked.model!r} was ever released (known: {known})", _FORM)
    if artifact.deprecated is not None:
        raise GateError(f"{artifact.name} was deprecated {told(artifact.deprecated)}", "take another model")
    if asked.stage:
        return _in_stage(artifact, asked.stage)
    release = artifact.latest if asked.version == LATEST else artifact.find(asked.version)
    if release is not None:
        must_stand(release)
        return release
    known = ", ".join(one.version for one in artifact.releases if one.registered) or "none"
    raise PolicyError(f"{artifact.name} {asked.version} was never released (released: {known})", "see `mlci status`")


def must_stand(release: Release) -> None:
    """Raise GateError where a release was withdrawn, or is none."""
    if release.withdrawn:
        raise GateError(
            f"{release.artifact} {release.version} was withdrawn {told(release.events[-1])}", "take another version"
        )
    if not release.registered:
        raise GateError(
            f"commit {release.commit[:10]} was given to a stage of {release.artifact}, but never released",
            "release it: `mlci release`, and promote the version",
        )


def told(event: Event) -> str:
    """Who did it, when, and why."""
    return f"by {event.author} on {event.at:%Y-%m-%d}: {event.message or 'no reason was given'}"


def _in_stage(artifact: Artifact, stage: str) -> Release:
    release = artifact.in_stage(stage)
    if release is not None:
        must_stand(release)
        return release
    ran = [one for one in artifact.releases if stage in one.stages]
    if not ran:
        known = ", ".join(artifact.stages) or "none"
        raise PolicyError(f"{artifact.name} has no stage {stage!r} (it has: {known})", "see `mlci status`")
    last = max(ran, key=lambda one: one.stages[stage][-1].at)
    event = last.stages[stage][-1]
    if last.withdrawn and event.action == "assign":
        raise GateError(
            f"{stage} runs no version of {artifact.name}: {last.version} was withdrawn {told(last.events[-1])}",
            f"promote another version to {stage}",
        )
    raise GateError(
        f"{stage} runs no version of {artifact.name}: {last.version} was taken out {told(event)}",
        f"promote a version to {stage}",
    )
