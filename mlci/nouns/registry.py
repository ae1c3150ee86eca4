"""The registry of models: what a repository's tags say was released, and which version every stage runs."""

from __future__ import annotations

import re
from datetime import datetime
from functools import total_ordering
from typing import TYPE_CHECKING, Literal, NamedTuple

from mlci.nouns.base import Noun

if TYPE_CHECKING:
    from collections.abc import Iterable

# GTO's grammar, as its `constants.py` has it: a colon in a name is an equals sign in a tag.
_NAME = r"[a-zA-Z0-9](?:[a-zA-Z0-9-/_]*[a-zA-Z0-9])?"
_ARTIFACT = rf"(?:[a-zA-Z0-9-_./]+=)?{_NAME}"
_NUMBER = r"(?:0|[1-9]\d*)"
_PRERELEASE = rf"(?:{_NUMBER}|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_SEMVER = (
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}"
    rf"(?:-{_PRERELEASE}(?:\.{_PRERELEASE})*)?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?"
)
_TAG = re.compile(
    rf"(?P<artifact>{_ARTIFACT})"
    rf"(?:(?:#(?P<stage>{_NAME})|@(?P<version>v{_SEMVER}))(?P<cancel>!?)|@(?P<deprecated>deprecated))"
    r"(?:#(?P<counter>[0-9]+))?",
    re.ASCII,
)
_VERSION = re.compile(
    rf"v(?P<core>{_NUMBER}\.{_NUMBER}\.{_NUMBER})(?:-(?P<pre>[0-9a-zA-Z.-]+))?(?:\+[0-9a-zA-Z.-]+)?", re.ASCII
)
_STAGE = re.compile(_NAME, re.ASCII)

Action = Literal["register", "deregister", "assign", "unassign", "deprecate"]
Bump = Literal["major", "minor", "patch"]
# Where two tags bear the same second, what GTO folds first: models, then versions, then stages.
_ORDER: dict[Action, int] = {"deprecate": 0, "register": 1, "deregister": 1, "assign": 2, "unassign": 2}


@total_ordering
class SemVer:
    """A semantic version with a leading v, ordered as https://semver.org (2.0.0, item 11) says.

    Raises:
        ValueError: The text is none.
    """

    def __init__(self, text: str) -> None:
        match = _VERSION.fullmatch(text)
        if match is None or re.fullmatch(f"v{_SEMVER}", text, re.ASCII) is None:
            raise ValueError(f"{text!r} is no version such as v1.2.0")
        self.text = text
        self.core = tuple(int(part) for part in match["core"].split("."))
        # A prerelease comes before its release; in it, numbers before words and fewer parts before more.
        parts = match["pre"].split(".") if match["pre"] else []
        self._order = (self.core, not parts, tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SemVer) and self._order == other._order

    def __lt__(self, other: SemVer) -> bool:
        return self._order < other._order

    def __hash__(self) -> int:
        return hash(self._order)

    def __str__(self) -> str:
        return self.text

    @property
    def prerelease(self) -> bool:
        """Whether it comes before the version that its numbers name."""
        return not self._order[1]

    def bump(self, part: Bump) -> SemVer:
        """The next version in which this part is raised; of a prerelease, at least the release that it precedes."""
        major, minor, patch = self.core
        match part:
            case "major":
                return SemVer(f"v{major + 1}.0.0")
            case "minor":
                return SemVer(f"v{major}.{minor + 1}.0")
            case "patch":
                return SemVer(f"v{major}.{minor}.{patch + 1}")


class TagName(NamedTuple):
    """What the name of a tag says in GTO's grammar.

    Attributes:
        action: What the tag does.
        artifact: The model, such as `flights`, or `services/eta:flights` in a repository of several projects.
        version: Of a registration or its withdrawal.
        stage: Of an assignment or its withdrawal.
        counter: The number at the end, counted over all stages of one artifact.
    """

    action: Action
    artifact: str
    version: str | None = None
    stage: str | None = None
    counter: int | None = None

    @classmethod
    def parse(cls, tag: str) -> TagName | None:
        """Read the name of a tag, or None where it is none of the registry's."""
        match = _TAG.fullmatch(tag)
        if match is None:
            return None
        artifact = match["artifact"].replace("=", ":")
        counter = int(match["counter"]) if match["counter"] else None
        if match["deprecated"]:
            return cls("deprecate", artifact, counter=counter)
        if match["version"]:
            action: Action = "deregister" if match["cancel"] else "register"
            return cls(action, artifact, version=match["version"], counter=counter)
        action = "unassign" if match["cancel"] else "assign"
        return cls(action, artifact, stage=match["stage"], counter=counter)

    def __str__(self) -> str:
        name = self.artifact.replace(":", "=")
        cancel = "!" if self.action in {"deregister", "unassign"} else ""
        if self.action == "deprecate":
            body = "@deprecated"
        elif self.version is not None:
            body = f"@{self.version}{cancel}"
        else:
            body = f"#{self.stage}{cancel}"
        return f"{name}{body}" + (f"#{self.counter}" if self.counter is not None else "")


def is_stage(name: str) -> bool:
    """Whether a stage may be called so in a tag."""
    return _STAGE.fullmatch(name) is not None


class Event(Noun):
    """One annotated tag of the registry.

    Attributes:
        action: What it did.
        artifact: To which model.
        version: Of a registration or its withdrawal.
        stage: Of an assignment or its withdrawal.
        commit: That it points at, in full.
        at: When it was made.
        author: Name of who made it.
        email: Their address.
        message: What they wrote.
        tag: Its name.
        counter: The number at the end of its name.
    """

    action: Action
    artifact: str
    version: str | None = None
    stage: str | None = None
    commit: str
    at: datetime
    author: str = ""
    email: str = ""
    message: str = ""
    tag: str
    counter: int | None = None


class Release(Noun):
    """A version of a model, as its tags tell.

    Attributes:
        artifact: The model.
        version: Such as `v1.2.0`; the commit in full where a stage was given to a commit that was never released.
        commit: What it was built from, in full.
        registered: Whether it was released and is not withdrawn; of an unreleased commit, False.
        events: Registrations and withdrawals, oldest first.
        stages: For every stage that it was ever given, the assignments and withdrawals, oldest first.
    """

    artifact: str
    version: str
    commit: str
    registered: bool = False
    events: tuple[Event, ...] = ()
    stages: dict[str, tuple[Event, ...]] = {}

    @property
    def withdrawn(self) -> bool:
        """Whether the release was taken back."""
        return bool(self.events) and not self.registered

    def assigned(self, stage: str) -> Event | None:
        """The assignment by which it is in a stage, or None."""
        events = self.stages.get(stage, ())
        return events[-1] if events and events[-1].action == "assign" else None


class Artifact(Noun):
    """All versions of one model.

    Attributes:
        name: Of the model.
        releases: In the order in which they were made.
        deprecated: The tag that ended the model, where nothing came after it.
    """

    name: str
    releases: tuple[Release, ...] = ()
    deprecated: Event | None = None

    @property
    def latest(self) -> Release | None:
        """The highest version that is registered."""
        return max((one for one in self.releases if one.registered), key=lambda one: SemVer(one.version), default=None)

    @property
    def stages(self) -> tuple[str, ...]:
        """Every stage that was ever given, by name."""
        return tuple(sorted({stage for release in self.releases for stage in release.stages}))

    def find(self, version: str) -> Release | None:
        """The release with this version; of several, the registered one, then the newest."""
        same = [one for one in self.releases if one.version == version]
        return next((one for one in same if one.registered), same[-1] if same else None)

    def in_stage(self, stage: str) -> Release | None:
        """The version that a stage runs: the newest assignment that is not withdrawn, of a version that is not."""
        standing = [
            (event, release)
            for release in self.releases
            if not release.withdrawn and (event := release.assigned(stage)) is not None
        ]
        return max(standing, key=lambda pair: _moment(pair[0]))[1] if standing else None

    @property
    def history(self) -> tuple[Event, ...]:
        """Everything that happened to its versions, oldest first."""
        events = [event for one in self.releases for event in (*one.events, *_flat(one.stages))]
        return tuple(sorted(events, key=_moment))


class Registry(Noun):
    """What the tags of a repository say, folded: the same tags give the same registry, in whatever order they come."""

    artifacts: dict[str, Artifact] = {}

    @classmethod
    def fold(cls, events: Iterable[Event]) -> Registry:
        """Put together what the tags say, in the sense of GTO (https://mlem.ai/doc/gto, `gto show`).

        A stage runs the version that was given to it last. When that is withdrawn, it runs the one before
        again, unless that was withdrawn too. Assignments to a commit that was not released name the commit.
        """
        ordered = sorted(events, key=_moment)
        names = dict.fromkeys(event.artifact for event in ordered)
        return cls(artifacts={name: _fold([one for one in ordered if one.artifact == name]) for name in names})

    def next_counter(self, artifact: str) -> int:
        """The number for the next tag of this model's stages: GTO counts over all of them."""
        known = self.artifacts.get(artifact)
        return max((event.counter or 0 for event in known.history), default=0) + 1 if known else 1


def _flat(stages: dict[str, tuple[Event, ...]]) -> list[Event]:
    return [event for events in stages.values() for event in events]


def _moment(event: Event) -> tuple[datetime, int, int, str]:
    return event.at, _ORDER[event.action], event.counter or 0, event.tag


def _fold(events: list[Event]) -> Artifact:
    """One model's tags, oldest first. Versions come first: a stage tag names a commit, and the release on it."""
    released: dict[tuple[str, str], list[Event]] = {}
    for event in events:
        if event.version is not None:
            released.setdefault((event.version, event.commit), []).append(event)
    staged: dict[tuple[str, str], dict[str, list[Event]]] = {}
    for event in events:
        if event.stage is not None:
            key = _release_on(event, released)
            staged.setdefault(key, {}).setdefault(event.stage, []).append(event)
    releases = tuple(
        Release(
            artifact=events[0].artifact,
            version=key[0],
            commit=key[1],
            registered=bool(released.get(key)) and released[key][-1].action == "register",
            events=tuple(released.get(key, ())),
            stages={stage: tuple(found) for stage, found in staged.get(key, {}).items()},
        )
        for key in dict.fromkeys([*released, *staged])
    )
    last = max(events, key=_moment)
    return Artifact(name=last.artifact, releases=releases, deprecated=last if last.action == "deprecate" else None)


def _release_on(event: Event, released: dict[tuple[str, str], list[Event]]) -> tuple[str, str]:
    """The release that a stage tag speaks of: of several on one commit, the one registered last before it."""
    here = [key for key in released if key[1] == event.commit]
    before = [key for key in here if released[key][0].at <= event.at]
    return (before or here or [(event.commit, event.commit)])[-1]
