"""Move versions between stages, back, and out: every step is a tag, and needs what the policy asks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.shell import run_command
from mlci.edges.tags import NewTag
from mlci.errors import GateError, PolicyError
from mlci.flows.registry import asked
from mlci.judge.evidence import refusal
from mlci.nouns.registry import Artifact, Registry, TagName

if TYPE_CHECKING:
    from mlci.flows.registry import Desk
    from mlci.nouns.registry import Event, Release

_HEALTH_SECONDS = 300.0


class Step(NamedTuple):
    """What a command did: the tags it made, oldest first; none where there was nothing to do, and why."""

    events: tuple[Event, ...]
    said: str


def promote(desk: Desk, wanted: str, stage: str, *, now: datetime, push: bool = True, dry_run: bool = False) -> Step:
    """Give a stage a version that has earned it.

    Args:
        desk: Where.
        wanted: The version: `flights@v1.2.0`, or `v1.2.0` of the policy's model.
        stage: One of the policy's.
        now: The moment.
        push: Whether to share the tag.
        dry_run: Only look whether it may be.

    Raises:
        PolicyError: There is no such version or stage.
        GateError: It has not earned it; says what is missing.
        WorldError: The tag can't be made or shared.
    """
    model, version = asked(wanted)
    artifact = desk.artifact(desk.name(model))
    release = _standing_release(artifact, version)
    must_be_allowed(desk, artifact, release, stage, now)
    current = artifact.in_stage(stage)
    if current is not None and current.version == version:
        return Step((), f"{artifact.name} {version} is in {stage} already")
    if dry_run:
        return Step((), f"{artifact.name} {version} may be promoted to {stage}")
    counter = desk.registry.next_counter(artifact.name)
    tag = TagName("assign", artifact.name, stage=stage, counter=counter)
    message = f"Promote {artifact.name} {version} to {stage}"
    events = desk.tags.create([NewTag(tag, release.commit, message)], now=now, push=push)
    before = f" (it ran {current.version})" if current is not None else ""
    return Step(events, f"{stage} runs {artifact.name} {version}{before}")


def rollback(desk: Desk, stage: str, *, model: str = "", to: str = "", now: datetime, push: bool = True) -> Step:
    """Give a stage back the version that it ran before, and take the present one out of it.

    Rolling back asks for no soak and no health: it must work when nothing is well.

    Args:
        desk: Where.
        stage: The stage.
        model: Of the registry; default: the policy's.
        to: A version that it ran earlier; default: the one before the present one.
        now: The moment.
        push: Whether to share the tags.

    Raises:
        PolicyError: The stage runs nothing, or there is no such version.
        GateError: There is nothing to go back to.
        WorldError: The tags can't be made or shared.
    """
    artifact = desk.artifact(desk.name(model))
    current = artifact.in_stage(stage)
    if current is None:
        raise PolicyError(f"{stage} runs no version of {artifact.name}", "see `mlci status` for what is where")
    earlier = _ran_before(artifact, stage, current)
    chosen = next((one for one in earlier if not to or one.version == to), None)
    if chosen is None:
        ran = ", ".join(one.version for one in earlier) or "no other version"
        raise GateError(
            f"{stage} never ran {artifact.name} {to or 'anything else'} that still stands (it ran {ran})",
            f"`mlci promote {artifact.name}@VERSION --to {stage}`, or `mlci unassign {artifact.name}#{stage}`",
        )
    counter = desk.registry.next_counter(artifact.name)
    out = TagName("unassign", artifact.name, stage=stage, counter=counter)
    back = TagName("assign", artifact.name, stage=stage, counter=counter + 1)
    message = f"Roll {stage} back from {artifact.name} {current.version} to {chosen.version}"
    tags = [NewTag(out, current.commit, message), NewTag(back, chosen.commit, message)]
    events = desk.tags.create(tags, now=now, push=push)
    return Step(events, f"{stage} runs {artifact.name} {chosen.version} again (it ran {current.version})")


def unassign(desk: Desk, what: str, *, version: str = "", now: datetime, push: bool = True) -> Step:
    """Take a version out of a stage; the stage then runs what was given to it before, if that still stands.

    Raises PolicyError where the stage does not run it, WorldError where the tag can't be made or shared.
    """
    model, _, stage = what.rpartition("#")
    artifact = desk.artifact(desk.name(model))
    release = artifact.find(version) if version else artifact.in_stage(stage)
    if release is None or release.assigned(stage) is None:
        raise PolicyError(
            f"{stage} does not run {artifact.name} {version}".rstrip(), "see `mlci status` for what is where"
        )
    tag = TagName("unassign", artifact.name, stage=stage, counter=desk.registry.next_counter(artifact.name))
    message = f"Take {artifact.name} {release.version} out of {stage}"
    events = desk.tags.create([NewTag(tag, release.commit, message)], now=now, push=push)
    left = Registry.fold(desk.tags.read()).artifacts[artifact.name].in_stage(stage)
    return Step(events, f"{stage} runs {left.version if left else 'no version'} of {artifact.name}")


def deprecate(desk: Desk, what: str, *, reason: str, now: datetime, push: bool = True) -> Step:
    """Take back a release (`flights@v1.2.0`), or end a whole model (`flights`).

    Raises PolicyError where there is no such release, WorldError where the tag can't be made or shared.
    """
    model, version = asked(what) if "@" in what or not what else (what, "")
    artifact = desk.artifact(desk.name(model))
    if not version:
        if artifact.deprecated is not None:
            return Step((), f"{artifact.name} is deprecated already")
        tag, commit = TagName("deprecate", artifact.name), artifact.history[-1].commit
        said = f"{artifact.name} is deprecated"
    else:
        release = _standing_release(artifact, version)
        tag, commit = TagName("deregister", artifact.name, version=version), release.commit
        said = f"{artifact.name} {version} is withdrawn"
    return Step(desk.tags.create([NewTag(tag, commit, reason)], now=now, push=push), said)


def _standing_release(artifact: Artifact, version: str) -> Release:
    release = artifact.find(version)
    if release is None:
        known = ", ".join(one.version for one in artifact.releases if one.registered) or "none"
        raise PolicyError(f"{artifact.name} {version} was never released (released: {known})", "see `mlci status`")
    if release.withdrawn:
        last = release.events[-1]
        raise GateError(
            f"{artifact.name} {version} was withdrawn by {last.author} on {last.at:%Y-%m-%d}: {last.message}",
            "release a new version: `mlci release`",
        )
    return release


def must_be_allowed(
    desk: Desk, artifact: Artifact, release: Release, stage: str, now: datetime, *, health: bool = True
) -> None:
    """Raise what keeps a version from a stage, the plainest reason first.

    Args:
        desk: Where.
        artifact: The model.
        release: The version.
        stage: Where it wants to go.
        now: The moment.
        health: Whether to ask for the health of the stage below.

    Raises:
        PolicyError: There is no such stage.
        GateError: It may not go there.
    """
    policy = desk.release_policy
    if stage not in policy.stages:
        raise PolicyError(
            f"{desk.policy.file} knows no stage {stage!r}; it has {', '.join(policy.stages)}",
            "add it to `mlci.release.stages`, in its order",
        )
    if artifact.deprecated is not None:
        raise GateError(f"{artifact.name} is deprecated: {artifact.deprecated.message}", "release a new version first")
    below = policy.below(stage)
    if below is not None:
        _must_have_soaked(artifact, release, stage, below, policy.stages[stage].soak, now)
    why = refusal(desk.verdicts(release), accept_inconclusive=policy.inconclusive == "accept")
    if why is not None:
        raise GateError(f"{artifact.name} {release.version} can't be promoted: {why.problem}", why.mend)
    if health and policy.stages[stage].health:
        _must_be_well(desk, artifact, release, below or stage, policy.stages[stage].health)


def _must_have_soaked(
    artifact: Artifact, release: Release, stage: str, below: str, soak: timedelta, now: datetime
) -> None:
    name = f"{artifact.name} {release.version}"
    event = release.assigned(below)
    if event is None:
        raise GateError(
            f"{name} is not in {below}, which comes before {stage}",
            f"`mlci promote {artifact.name}@{release.version} --to {below}` first",
        )
    ready = event.at + soak
    if now < ready:
        raise GateError(
            f"{name} must be in {below} for {_long(soak)} before {stage}; it came there {event.at:%Y-%m-%d %H:%M} UTC",
            f"promote it from {ready.astimezone(UTC):%Y-%m-%d %H:%M} UTC on",
        )


def _must_be_well(desk: Desk, artifact: Artifact, release: Release, below: str, command: str) -> None:
    told = {"MLCI_MODEL": artifact.name, "MLCI_VERSION": release.version, "MLCI_STAGE": below}
    ended = run_command(command, desk.root, told, seconds=_HEALTH_SECONDS)
    if ended.code == 0:
        return
    how = f"ended with {ended.code}" if ended.code is not None else f"took more than {_HEALTH_SECONDS:g} s"
    said = f": {ended.said.splitlines()[-1]}" if ended.said else ""
    raise GateError(f"{below} is not well: the health command {how}{said}", f"look at {below}, or run it: {command}")


def _ran_before(artifact: Artifact, stage: str, current: Release) -> list[Release]:
    """Other standing versions that a stage ran, the last one first."""
    times = {
        one.version: max(event.at for event in one.stages[stage] if event.action == "assign")
        for one in artifact.releases
        if one.registered and one.version != current.version
        if any(event.action == "assign" for event in one.stages.get(stage, ()))
    }
    found = [one for one in artifact.releases if one.version in times and one.registered]
    return sorted(found, key=lambda one: times[one.version], reverse=True)


def _long(duration: timedelta) -> str:
    hours = duration.total_seconds() / 3600
    if hours >= 48:  # noqa: PLR2004 - two days
        return f"{hours / 24:g} days"
    return "1 hour" if hours == 1 else f"{hours:g} hours"
