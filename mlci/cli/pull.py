"""Commands for whoever uses a release: pull and verify it."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlci.cli.options import AsJson, PolicyName, Project, progress, tell
from mlci.cli.trust import ISSUER, Identity, Issuer, Key, Repo, Root, Source, TokenEnv, shop, trusting

if TYPE_CHECKING:
    from mlci.nouns.bundle import Verification


def pull(  # noqa: PLR0913 - every option is an argument
    release: Annotated[
        str, typer.Argument(metavar="RELEASE", help="Such as flights@v1.2.0, flights#prod or flights@latest.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to put the bundle's folder into.", file_okay=False)] = Path(),
    model: Annotated[
        Path | None, typer.Option("--model", help="Write the model to this file, and nothing else.", dir_okay=False)
    ] = None,
    source: Source = "",
    repo: Repo = "",
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    key: Key = None,
    root: Root = None,
    identity: Identity = "",
    issuer: Issuer = ISSUER,
    token_env: TokenEnv = "",
    as_json: AsJson = False,
) -> None:
    """Download a release, verify it, and put it in place; one that was withdrawn is refused."""
    from mlci.flows.pull import pull as run

    trust = trusting(key, root, identity, issuer)
    opened = contextlib.contextmanager(shop)(project, policy, repo, source, token_env, trust)
    with progress() as say, opened as where:
        done = run(where, release, out, model=model, say=say)
    if as_json:
        from mlci.render.json import to_json

        sys.stdout.write(to_json(done))
        return
    for one in done.checks:
        if one.held is None:
            tell(f"not checked: {one.what}: {one.said}")
    for file in done.files:
        sys.stdout.write(f"{done.name} {done.version}: {file}\n")


def verify(  # noqa: PLR0913 - every option is an argument
    source: Annotated[
        str, typer.Argument(metavar="BUNDLE", help="An archive, its folder or address, or a release's name.")
    ],
    signature: Annotated[Path | None, typer.Option(help="The signature; default: beside the bundle.")] = None,
    key: Key = None,
    root: Root = None,
    identity: Identity = "",
    issuer: Issuer = ISSUER,
    place: Source = "",
    repo: Repo = "",
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    token_env: TokenEnv = "",
    as_json: AsJson = False,
) -> None:
    """Check a download: sums, signature, verdict, card, and the model's answers; a release also against its tag."""
    from mlci.flows.verify_release import verify_any

    trust = trusting(key, root, identity, issuer)
    opened = contextlib.contextmanager(shop)(project, policy, repo, place, token_env, trust)
    with progress() as say:
        found = verify_any(source, trust, opened, signature=signature, say=say)
    _end(found, as_json=as_json)


def _end(found: Verification, *, as_json: bool) -> None:
    if as_json:
        from mlci.render.json import to_json

        sys.stdout.write(to_json(found))
    else:
        from rich.console import Console

        from mlci.render.verification import render_verification

        render_verification(found, Console())
    raise typer.Exit(0 if found.held else 1)
