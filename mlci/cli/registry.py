"""Commands about the registry: which version stands where."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlci.cli.options import AsJson, PolicyName, Project, progress, tell
from mlci.cli.trust import ISSUER, Identity, Issuer, Key, Root, Source, TokenEnv, shop, trusting

if TYPE_CHECKING:
    from mlci.flows.promotion import Step
    from mlci.flows.registry import Desk

NoPush = Annotated[bool, typer.Option("--no-push", help="Make the tags here, and share nothing.")]
Version = Annotated[str, typer.Argument(metavar="VERSION", help="Such as flights@v1.2.0, or v1.2.0 of the only model.")]
ModelName = Annotated[str, typer.Option("--model", help="The model; default: the policy's.")]


def promote(
    version: Version,
    to: Annotated[str, typer.Option("--to", help="The stage, one of `mlci.release.stages`.")],
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look whether it may be.")] = False,
    no_push: NoPush = False,
    as_json: AsJson = False,
) -> None:
    """Give a stage a version that has earned it, as a tag: evidence, time in the stage below, health."""
    from mlci.flows.promotion import promote as run

    step = run(_desk(project, policy), version, to, now=datetime.now(UTC), push=not no_push, dry_run=dry_run)
    _end(step, as_json=as_json)


def rollback(
    stage: Annotated[str, typer.Argument(metavar="STAGE", help="Such as prod.")],
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    model: ModelName = "",
    to: Annotated[str, typer.Option("--to", help="A version that it ran; default: the one before.")] = "",
    no_push: NoPush = False,
    as_json: AsJson = False,
) -> None:
    """Give a stage back the version that it ran before; asks for nothing, so that it works when nothing is well."""
    from mlci.flows.promotion import rollback as run

    step = run(_desk(project, policy), stage, model=model, to=to, now=datetime.now(UTC), push=not no_push)
    _end(step, as_json=as_json)


def unassign(
    stage: Annotated[str, typer.Argument(metavar="[MODEL#]STAGE", help="Such as prod, or flights#prod.")],
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    version: Annotated[str, typer.Option("--version", help="The version to take out; default: what it runs.")] = "",
    no_push: NoPush = False,
    as_json: AsJson = False,
) -> None:
    """Take a version out of a stage; what was there before stands again, if anything."""
    from mlci.flows.promotion import unassign as run

    step = run(_desk(project, policy), stage, version=version, now=datetime.now(UTC), push=not no_push)
    _end(step, as_json=as_json)


def deprecate(
    what: Annotated[str, typer.Argument(metavar="MODEL[@VERSION]", help="Such as flights@v1.2.0, or flights.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; whoever wants to use it reads this.")],
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    no_push: NoPush = False,
    as_json: AsJson = False,
) -> None:
    """Take back a release, or end a whole model: nobody can pull or promote it any more."""
    from mlci.flows.promotion import deprecate as run

    step = run(_desk(project, policy), what, reason=reason, now=datetime.now(UTC), push=not no_push)
    _end(step, as_json=as_json)


def deploy(  # noqa: PLR0913 - every option is an argument
    tag: Annotated[str, typer.Argument(metavar="TAG", help="A stage's tag, such as flights#prod#3.")],
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    source: Source = "",
    key: Key = None,
    root: Root = None,
    identity: Identity = "",
    issuer: Issuer = ISSUER,
    token_env: TokenEnv = "",
    as_json: AsJson = False,
) -> None:
    """Put in place what a stage's tag says: if it may be there, by the stage's hook, and told to the forge."""
    import contextlib
    import os

    from mlci.edges.actions import read_trigger
    from mlci.flows.deployment import deploy as run
    from mlci.flows.forge_access import asking_forge
    from mlci.flows.registry import project_of

    project = project_of(project, tag)
    desk = _desk(project, policy)
    opened = contextlib.contextmanager(shop)(
        project, policy, "", source, token_env, trusting(key, root, identity, issuer)
    )
    with progress() as say, opened as where, asking_forge(where.place.home) as forge:
        url = read_trigger(os.environ).run
        done = run(desk, forge, tag, where, now=datetime.now(UTC), env=os.environ, url=url, say=say)
    if as_json:
        import json

        sys.stdout.write(f"{json.dumps(done._asdict(), indent=2)}\n")
        return
    sys.stdout.write(f"{done.said}\n")


def _desk(project: Path, policy: str) -> Desk:
    from mlci.edges.policy_file import load_policy
    from mlci.flows.registry import Desk

    return Desk.open(project, load_policy(project, policy))


def _end(step: Step, *, as_json: bool) -> None:
    if as_json:
        import json

        found = {"said": step.said, "tags": [event.model_dump(mode="json") for event in step.events]}
        sys.stdout.write(f"{json.dumps(found, indent=2)}\n")
        return
    for event in step.events:
        tell(f"tagged {event.tag}")
    sys.stdout.write(f"{step.said}\n")
