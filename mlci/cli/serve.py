"""Serve a model over HTTP."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mlci.cli.options import PolicyName, Project, tell


class Durable(StrEnum):
    """When an answer is given."""

    BEFORE_REPLY = "before-reply"
    BEHIND = "behind"


def serve(
    model: Annotated[
        Path | None,
        typer.Argument(help="An ONNX model or a bundle's folder; default: `mlci.model.path`."),
    ] = None,
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    host: Annotated[str | None, typer.Option(help="Address to listen on; default: `mlci.serve.host`.")] = None,
    port: Annotated[int | None, typer.Option(help="0: a free one, which is told; default: `mlci.serve.port`.")] = None,
    log: Annotated[
        str | None, typer.Option(help="sqlite:///FILE, or none; default: `mlci.serve.log`.", metavar="URL")
    ] = None,
    durable: Annotated[
        Durable | None,
        typer.Option(help="Whether an answer waits until it is on the disk; default: `mlci.serve.durable`."),
    ] = None,
) -> None:
    """Serve a model over HTTP, and keep every prediction; until SIGTERM."""
    from mlci.flows.serve import serve as run

    changes = {"host": host, "port": port, "log": log, "durable": durable.value if durable else None}
    run(project, policy, model, changes, say=lambda text: tell(f"mlci: {text}"))
