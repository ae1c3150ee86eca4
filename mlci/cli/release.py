"""Release: tag a version, build its bundle, publish it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlci.cli.options import AsJson, PolicyName, Project, progress, tell
from mlci.cli.trust import TokenEnv  # noqa: TC001 - typer reads annotations at run time

if TYPE_CHECKING:
    from mlci.edges.signing import Signer
    from mlci.flows.registry import Desk
    from mlci.flows.release import Proposal


class Part(StrEnum):
    """What of a version is raised."""

    major = "major"
    minor = "minor"
    patch = "patch"


def release(  # noqa: PLR0913 - every option is an argument
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    bump: Annotated[Part | None, typer.Option(help="What to raise; default: what the change asks for.")] = None,
    version: Annotated[str, typer.Option("--version", help="The version itself, such as v2.0.0.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be released, and why not.")] = False,
    no_push: Annotated[bool, typer.Option("--no-push", help="Tag here, and share nothing.")] = False,
    build: Annotated[
        str, typer.Option("--build", metavar="TAG", help="Build the bundle of a release instead of making one.")
    ] = "",
    publish: Annotated[
        str, typer.Option("--publish", metavar="TAG", help="Publish a release on the forge, with its bundle.")
    ] = "",
    source: Annotated[
        Path | None, typer.Option("--from", help="Publish the bundle that was built into this folder.", file_okay=False)
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the bundle.", file_okay=False)] = Path("dist"),
    key: Annotated[
        Path | None, typer.Option(help="Sign the bundle with this private key (PEM).", dir_okay=False)
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="Certificate of that key (PEM).", dir_okay=False)] = None,
    chain: Annotated[list[Path] | None, typer.Option(help="Certificates between it and the root.")] = None,
    keyless: Annotated[bool, typer.Option("--keyless", help="Sign by Sigstore, as the forge's job that runs.")] = False,
    token_env: TokenEnv = "",
    as_json: AsJson = False,
) -> None:
    """Release HEAD as a tag: the next version, notes and evidence. No evidence, no release."""
    if publish:
        signer = _signer(key, certificate, chain, keyless=keyless)
        _publish(_desk(_project(project, publish), policy), publish, source, out, signer, token_env, as_json=as_json)
        return
    if build:
        _build(
            _desk(_project(project, build), policy, fetch=False),
            build,
            out,
            _signer(key, certificate, chain, keyless=keyless),
            as_json=as_json,
        )
        return
    from mlci.flows.release import propose
    from mlci.flows.release import release as run

    now = datetime.now(UTC)
    with progress() as say:
        say("looking for evidence")
        desk = _desk(project, policy)
        proposal = propose(desk, now=now, bump=bump.value if bump is not None else None, version=version)
        event = None if dry_run else run(desk, proposal, now=now, push=not no_push)
    _show(proposal, event.tag if event is not None else "", as_json=as_json)


def _project(project: Path, tag: str) -> Path:
    from mlci.flows.registry import project_of

    return project_of(project, tag)


def _desk(project: Path, policy: str, *, fetch: bool = True) -> Desk:
    from mlci.edges.policy_file import load_policy
    from mlci.flows.registry import Desk

    return Desk.open(project, load_policy(project, policy), fetch=fetch)


def _signer(key: Path | None, certificate: Path | None, chain: list[Path] | None, *, keyless: bool) -> Signer | None:
    from mlci.edges.signing import Signer

    if key is None and certificate is None and not keyless:
        return None
    return Signer(key, certificate, tuple(chain or ()), keyless)


def _build(desk: Desk, tag: str, out: Path, signer: Signer | None, *, as_json: bool) -> None:
    from mlci.flows.bundle import build_tag

    with progress() as say:
        files = build_tag(desk, tag, out, signer, say=say)
    if as_json:
        import json

        sys.stdout.write(json.dumps({"files": [str(file) for file in files]}, indent=2) + "\n")
        return
    for file in files:
        tell(f"wrote {file}")


def _publish(
    desk: Desk,
    tag: str,
    source: Path | None,
    out: Path,
    signer: Signer | None,
    token_env: str,
    *,
    as_json: bool,
) -> None:
    import os

    from mlci.flows.forge_access import asking_forge, home
    from mlci.flows.publish_release import publish_tag

    where = home(desk.history.remotes().get("origin", ""), os.environ, token_env) or home("", os.environ, token_env)
    with progress() as say, asking_forge(where) as forge:
        done = publish_tag(desk, forge, tag, source or out, signer, built=source is not None, say=say)
    if as_json:
        import json

        sys.stdout.write(json.dumps(done._asdict(), indent=2) + "\n")
        return
    tell("published" if done.changed else "was published already, with the same files")
    sys.stdout.write(f"{done.url}\n")


def _show(proposal: Proposal, tag: str, *, as_json: bool) -> None:
    if as_json:
        import json

        found = {
            "name": proposal.name,
            "version": proposal.version,
            "previous": proposal.previous,
            "why": proposal.why,
            "commit": proposal.commit,
            "notes": list(proposal.notes),
            "tag": tag,
        }
        sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
        return
    before = f", after {proposal.previous}" if proposal.previous else ""
    sys.stdout.write(f"{proposal.name} {proposal.version}{before}: {proposal.why}\n")
    for line in proposal.notes:
        sys.stdout.write(f"  {line}\n")
    tell(f"tagged {tag}" if tag else "nothing was tagged: this was a dry run")
