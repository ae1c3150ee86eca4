"""Serve a model over HTTP."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mlci.cli.options import PolicyName, Project, tell
from mlci.cli.trust import ISSUER, Identity, Issuer, Key, Repo, Root, Source, TokenEnv, trusting


class Durable(StrEnum):
    """When an answer is given."""

    BEFORE_REPLY = "before-reply"
    BEHIND = "behind"


def serve(  # noqa: PLR0913 - every option is an argument
    model: Annotated[
        str,
        typer.Argument(
            help="An ONNX model, a bundle's folder, or a release such as flights#prod; default: `mlci.model.path`."
        ),
    ] = "",
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    host: Annotated[str | None, typer.Option(help="Address to listen on; default: `mlci.serve.host`.")] = None,
    port: Annotated[int | None, typer.Option(help="0: a free one, which is told; default: `mlci.serve.port`.")] = None,
    log: Annotated[
        str | None,
        typer.Option(
            help="sqlite:///FILE, postgresql://…, or none; default: `mlci.serve.log`.",
            metavar="URL",
            envvar="MLCI_SERVE_LOG",
        ),
    ] = None,
    durable: Annotated[
        Durable | None,
        typer.Option(help="Whether an answer waits until it is on the disk; default: `mlci.serve.durable`."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes that answer; default: `mlci.serve.workers`.", min=1)
    ] = None,
    follow: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="How often to look for another version, such as 60s; default: `mlci.serve.follow`, else on SIGHUP.",
        ),
    ] = None,
    repo: Repo = "",
    source: Source = "",
    key: Key = None,
    root: Root = None,
    identity: Identity = "",
    issuer: Issuer = ISSUER,
    token_env: TokenEnv = "",
) -> None:
    """Serve a model over HTTP, and keep every prediction; until SIGTERM."""
    from mlci.flows.market import Market
    from mlci.flows.serve import serve as run
    from mlci.flows.serve_sources import Order

    changes = {
        "host": host,
        "port": port,
        "log": log,
        "durable": durable.value if durable else None,
        "workers": workers,
        "follow": follow,
    }
    market = Market(repo, source, token_env, trusting(key, root, identity, issuer))
    run(Order(project, policy, model, changes, market, _say))


def _say(text: str) -> None:
    tell(f"mlci: {text}")
