"""Deploy what a stage's tag says: only if it may be there, by the policy's hook, and told to the forge."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.scratch import scratch
from mlci.edges.shell import run_command
from mlci.errors import GateError, MlciError, PolicyError
from mlci.flows.promotion import must_be_allowed
from mlci.flows.pull import pull
from mlci.flows.registry import HEAD
from mlci.flows.resolve import must_stand
from mlci.nouns.bundle import MODEL
from mlci.nouns.registry import Registry, TagName

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from mlci.edges.forge import ReleaseForge
    from mlci.flows.pull import Shop
    from mlci.flows.registry import Desk
    from mlci.nouns.registry import Artifact, Event, Release

_HOOK_SECONDS = 3_600.0
_SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|PRIVATE|_KEY|APIKEY", re.IGNORECASE)
_SHORTEST_SECRET = 6


class Deployed(NamedTuple):
    """What became of a stage's tag.

    Attributes:
        model: Its name in the registry.
        version: That the stage runs now; empty where it runs none.
        stage: The stage.
        changed: Whether this run put it in place.
        said: What happened, in a line.
    """

    model: str
    version: str
    stage: str
    changed: bool
    said: str


def deploy(
    desk: Desk,
    forge: ReleaseForge,
    tag: str,
    shop: Shop,
    *,
    now: datetime,
    env: Mapping[str, str],
    url: str = "",
    say: Callable[[str], None] = lambda _: None,
) -> Deployed:
    """Put in place what a stage should run since a tag arrived; run twice, it does nothing more.

    Args:
        desk: With the tags, and the policy that counts: that of the default branch.
        forge: To tell it.
        tag: Such as `flights#prod#3`, also with `refs/tags/` before it.
        shop: Where the bundle comes from.
        now: The moment.
        env: The environment, whose secrets reach no forge.
        url: Page of the run.
        say: Told what is being done.

    Raises:
        PolicyError: There is no such tag.
        GateError: The version may not be there, or the hook failed; the forge is told so.
        WorldError: The forge does not answer, or the bundle can't be fetched.
    """
    event = _event(desk, tag.removeprefix(HEAD))
    stage = str(event.stage)
    artifact = desk.artifact(event.artifact)
    release = _meant(artifact, event)
    if release is None:
        return _nothing_to_do(artifact, event)
    told = f"{artifact.name} {release.version}"
    known = forge.deployments(stage, event.tag)
    if known and known[0].state == "success":
        return Deployed(artifact.name, release.version, stage, changed=False, said=f"{stage} runs {told} already")
    deployment = known[0] if known else forge.deploy(stage, event.tag, f"{told} to {stage}")
    try:
        _must_have_been_earned(desk, release, event, now)
        forge.deployed(deployment, "in_progress", f"{told} is on its way to {stage}", url)
        said = _put_in_place(desk, stage, release, shop, say) or f"{stage} runs {told}"
    except MlciError as error:
        forge.deployed(deployment, "failure", _without_secrets(error.problem, env), url)
        raise
    forge.deployed(deployment, "success", _without_secrets(said, env), url)
    return Deployed(artifact.name, release.version, stage, changed=True, said=f"{stage} runs {told}")


def _event(desk: Desk, tag: str) -> Event:
    parsed = TagName.parse(tag)
    if parsed is None or parsed.stage is None:
        raise PolicyError(f"{tag!r} is no tag of a stage", "name one such as flights#prod#3")
    history = desk.artifact(parsed.artifact).history
    found = next((event for event in history if event.tag == tag), None)
    if found is None:
        raise PolicyError(
            f"there is no annotated tag {tag}", "`git fetch --tags`; a lightweight tag says nothing: `mlci promote`"
        )
    return found


def _meant(artifact: Artifact, event: Event) -> Release | None:
    """The release that the stage should run because of this tag; None where it is not this tag that decides."""
    mine = next(one for one in artifact.releases if event in one.stages.get(str(event.stage), ()))
    current = artifact.in_stage(str(event.stage))
    by = current.assigned(str(event.stage)) if current is not None else None
    if by is not None and by.at > event.at:
        return None
    if event.action == "assign":
        # A version that does not stand is looked at too, so that whoever pushed the tag hears why.
        return mine if mine.assigned(str(event.stage)) == event else None
    return current


def _nothing_to_do(artifact: Artifact, event: Event) -> Deployed:
    stage = str(event.stage)
    current = artifact.in_stage(stage)
    if current is None:
        return Deployed(artifact.name, "", stage, changed=False, said=f"{stage} runs no version of {artifact.name}")
    by = current.assigned(stage)
    said = f"{stage} runs {artifact.name} {current.version} because of {by.tag if by else event.tag}"
    return Deployed(artifact.name, current.version, stage, changed=False, said=said)


def _must_have_been_earned(desk: Desk, release: Release, event: Event, now: datetime) -> None:
    """Anybody who may push can make a tag: it must be one that `mlci promote` or `mlci rollback` would have made."""
    must_stand(release)
    by = event if event.action == "assign" else release.assigned(str(event.stage))
    if by is not None:
        _must_be_earned(desk, release, by, now, health=event.action == "assign")


def _must_be_earned(desk: Desk, release: Release, event: Event, now: datetime, *, health: bool) -> None:
    stage = str(event.stage)
    artifact = desk.artifact(release.artifact)
    before = Registry.fold(one for one in artifact.history if one.at <= event.at and one.tag != event.tag)
    then = replace(desk, registry=before)
    release_then = before.artifacts[artifact.name].find(release.version) if before.artifacts else None
    if release_then is None:
        raise GateError(f"{release.artifact} {release.version} was not released yet when {event.tag} was made", "")
    try:
        # Whoever makes a tag says when: one that is dated after now has waited for nothing.
        must_be_allowed(then, before.artifacts[artifact.name], release_then, stage, min(event.at, now), health=health)
        below = desk.release_policy.below(stage)
        lower = release_then.assigned(below) if below is not None else None
        if lower is not None:
            _must_be_earned(desk, release, lower, now, health=False)
    except GateError:
        # Going back asks for nothing but that it was there by right.
        if not any(_earned(desk, release, one, now) for one in release_then.stages.get(stage, ())):
            raise


def _earned(desk: Desk, release: Release, event: Event, now: datetime) -> bool:
    try:
        if event.action == "assign":
            _must_be_earned(desk, release, event, now, health=False)
            return True
    except GateError:
        return False
    return False


def _put_in_place(desk: Desk, stage: str, release: Release, shop: Shop, say: Callable[[str], None]) -> str:
    """Run the stage's hook beside the verified bundle; gives the last line that it wrote."""
    hook = desk.release_policy.stages[stage].hook
    if not hook:
        return ""
    name = f"{release.artifact}@{release.version}"
    with scratch("deploy") as temporary:
        done = pull(shop, name, temporary, say=say)
        bundle = Path(done.files[0])
        if bundle.is_file():
            bundle = bundle.rename(temporary / MODEL).parent
        say(f"running the hook of {stage}")
        told = {
            "MLCI_MODEL": release.artifact,
            "MLCI_VERSION": release.version,
            "MLCI_STAGE": stage,
            "MLCI_BUNDLE": os.fspath(bundle),
        }
        ended = run_command(hook, desk.root, told, seconds=_HOOK_SECONDS)
    last = ended.said.splitlines()[-1].strip() if ended.said.strip() else ""
    if ended.code != 0:
        how = f"ended with {ended.code}" if ended.code is not None else f"took more than {_HOOK_SECONDS:g} s"
        raise GateError(
            f"the hook of {stage} {how}{f': {last}' if last else ''}",
            f"mend it and run it again, or `mlci rollback {stage}`; it is: {hook}",
        )
    return last


def _without_secrets(said: str, env: Mapping[str, str]) -> str:
    """What a command wrote, fit to be shown: a job's log hides secrets, a deployment does not."""
    for name, value in env.items():
        if _SECRET.search(name) and len(value) >= _SHORTEST_SECRET:
            said = said.replace(value, "***")
    return "".join(letter for letter in said if letter.isprintable())
