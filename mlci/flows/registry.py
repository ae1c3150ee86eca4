"""What the registry's tags say of a project: which versions there are, and which one every stage runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from mlci.edges.git import History
from mlci.edges.tags import Tags
from mlci.errors import PolicyError
from mlci.flows.evidence import evidence_at, policy_at
from mlci.nouns.registry import Artifact, Registry, TagName
from mlci.nouns.standing import Happened, Released, Standing

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from mlci.nouns.finding import Verdict
    from mlci.nouns.policy import PolicyFile
    from mlci.nouns.registry import Release
    from mlci.nouns.release_policy import ReleasePolicy


HEAD = "refs/tags/"


@dataclass(frozen=True)
class Desk:
    """Everything that a step in the registry needs to know of where it is taken.

    Attributes:
        root: Folder of the project.
        policy: What the project promises now.
        history: Of its repository.
        tags: Of its repository.
        registry: What they say.
    """

    root: Path
    policy: PolicyFile
    history: History
    tags: Tags
    registry: Registry

    @classmethod
    def open(cls, root: Path, policy: PolicyFile, *, fetch: bool = True) -> Desk:
        """Read the registry, after asking the remote for its tags unless `fetch` is false. Raises WorldError."""
        history = History(root)
        tags = Tags(history)
        if fetch:
            tags.fetch()
        return cls(root, policy, history, tags, Registry.fold(tags.read()))

    @property
    def release_policy(self) -> ReleasePolicy:
        """What the policy promises of releases. Raises PolicyError where it names no stages."""
        found = self.policy.policy.release
        if found is None or not found.stages:
            raise PolicyError(
                f"{self.policy.file} names no stages to promote to",
                "write `release: {stages: [staging, prod]}` under `mlci:`",
            )
        return found

    def name(self, asked: str = "") -> str:
        """The model's name in the registry: in a repository of several projects, with its folder."""
        model = self.policy.policy.model
        if asked:
            return asked
        if model is None:
            raise PolicyError(f"{self.policy.file} names no model", "write `model: {name: …}` under `mlci:`")
        return artifact_name(self.history, model.name)

    def artifact(self, name: str) -> Artifact:
        """All versions of a model. Raises PolicyError where it has none."""
        found = self.registry.artifacts.get(name)
        if found is None:
            known = ", ".join(sorted(self.registry.artifacts)) or "none"
            raise PolicyError(
                f"no version of {name!r} was ever released (known: {known})", "release one: `mlci release`"
            )
        return found

    def verdicts(self, release: Release) -> tuple[Verdict, ...]:
        """The verdicts that speak for a release, by the policy of its time."""
        try:
            policy = policy_at(self.history, release.commit, self.policy.file)
        except PolicyError:
            return ()
        return evidence_at(self.root, self.history, release.commit, policy).verdicts


def project_of(root: Path, tag: str) -> Path:
    """The folder of the project that a tag speaks of: `services/eta=flights@v1.2.0` names it.

    Args:
        root: A folder of the repository; the answer where the tag names no other one.
        tag: Also with `refs/tags/` before it.
    """
    parsed = TagName.parse(tag.removeprefix(HEAD).replace(":", "="))
    top = History(root).top
    inside, colon, _ = parsed.artifact.partition(":") if parsed is not None else ("", "", "")
    if top is None or not colon:
        return root
    folder = (top / inside).resolve()
    # A tag's name may hold anything: no folder outside of the repository is meant.
    return folder if folder.is_dir() and folder.is_relative_to(top) else root


def artifact_name(history: History, model: str) -> str:
    """What the registry calls a model: `flights`, or `services/eta:flights` in a folder of its own."""
    return model if history.prefix == "." else f"{history.prefix}:{model}"


def asked(wanted: str) -> tuple[str, str]:
    """Model and version of `flights@v1.2.0` or `v1.2.0`.

    Raises:
        PolicyError: It is neither.
    """
    wanted = wanted.removeprefix(HEAD)
    parsed = TagName.parse(wanted.replace(":", "=") if "@" in wanted else f"model@{wanted}")
    if parsed is None or parsed.action != "register" or parsed.version is None:
        raise PolicyError(f"{wanted!r} names no version", "write it as `flights@v1.2.0`")
    return (parsed.artifact if "@" in wanted else ""), parsed.version


def standings(desk: Desk) -> tuple[Standing, ...]:
    """What every stage of every model runs, the policy's stages in their order and then all others."""
    release = desk.policy.policy.release
    planned = tuple(release.stages) if release is not None else ()
    found: list[Standing] = []
    for artifact in desk.registry.artifacts.values():
        found += [_standing(desk, artifact, stage) for stage in dict.fromkeys((*planned, *artifact.stages))]
    return tuple(found)


def releases(desk: Desk) -> tuple[Released, ...]:
    """Every version of every model, newest first."""
    found = [
        Released(
            model=artifact.name,
            version=one.version,
            commit=one.commit,
            at=_utc(one.events[0].at),
            by=one.events[0].author,
            withdrawn=one.withdrawn,
            deprecated=artifact.deprecated is not None,
        )
        for artifact in desk.registry.artifacts.values()
        for one in artifact.releases
        if one.events
    ]
    return tuple(sorted(found, key=lambda one: one.at, reverse=True))


def history(desk: Desk) -> tuple[Happened, ...]:
    """Every step of every version, newest first; a stage's tag names a commit, and so the version on it."""
    events = [
        (event, one.version)
        for artifact in desk.registry.artifacts.values()
        for one in artifact.releases
        for event in (*one.events, *(each for events in one.stages.values() for each in events))
    ]
    ended = [artifact.deprecated for artifact in desk.registry.artifacts.values()]
    events += [(event, "") for event in ended if event is not None]
    return tuple(
        Happened(
            tag=event.tag,
            model=event.artifact,
            action=event.action,
            version=version,
            stage=event.stage or "",
            commit=event.commit,
            at=_utc(event.at),
            by=event.author,
            said=next(iter(event.message.splitlines()), ""),
        )
        for event, version in sorted(events, key=lambda pair: (pair[0].at, pair[0].tag), reverse=True)
    )


def _standing(desk: Desk, artifact: Artifact, stage: str) -> Standing:
    release = artifact.in_stage(stage)
    event = release.assigned(stage) if release is not None else None
    if release is None or event is None:
        return Standing(model=artifact.name, stage=stage)
    verdicts = desk.verdicts(release)
    return Standing(
        model=artifact.name,
        stage=stage,
        version=release.version,
        commit=release.commit,
        since=_utc(event.at),
        by=event.author,
        tag=event.tag,
        evidence=verdicts[-1].headline if verdicts else "",
    )


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
