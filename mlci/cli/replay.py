"""Replay the past."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mlci.cli.options import AsJson, PolicyName, Project, progress, tell


def replay(
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    out: Annotated[
        Path | None, typer.Option(help="Folder for replay.md, replay.svg and replay.json.", file_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Go through the past period by period: what is alarmed, trained, accepted or refused, and what that was worth.

    Models are kept in .cache/mlci/replay, so that an interrupted run goes on where it was.
    """
    from mlci.edges.policy_file import load_policy
    from mlci.flows.replay import replay as go
    from mlci.flows.replay_report import write_replay
    from mlci.render.json import to_json
    from mlci.render.replay import render_terminal

    with progress() as say:
        found = go(project, load_policy(project, policy), say)
        files = write_replay(found, out) if out is not None else ()
    sys.stdout.write(to_json(found) if as_json else render_terminal(found))
    for file in files:
        tell(f"wrote {file}")
