"""Train a model again."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from mlci.cli.options import AsJson, PolicyName, Project, progress


def retrain(  # noqa: PLR0913 - one for each option
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    by_hand: Annotated[
        bool, typer.Option("--by-hand", help="A person asks: no trigger is needed, and no cooldown is waited for.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also on data on which a challenger was refused; takes --by-hand.")
    ] = False,
    to: Annotated[
        str, typer.Option(help="Value that the policy's parameter moves to; default: the newest.", metavar="VALUE")
    ] = "",
    until: Annotated[datetime | None, typer.Option(help="The moment to decide at, in UTC; default: now.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and why or why not; nothing is trained.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to leave the challenger in, for --offer; nothing is pushed.", file_okay=False),
    ] = None,
    offer: Annotated[
        Path | None,
        typer.Option(help="Offer what --out left in this folder; nothing is trained.", file_okay=False, exists=True),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train the model on new data where something asks for it, and offer it in one pull request.

    Exit code 0: done, or nothing to do; 1: the challenger was refused.
    """
    from mlci.edges.actions import write_outputs, write_summary
    from mlci.edges.policy_file import load_policy
    from mlci.errors import PolicyError
    from mlci.flows.retrain import Asked, offer_made
    from mlci.flows.retrain import retrain as run
    from mlci.flows.retrain_facts import Asking
    from mlci.render.json import to_json
    from mlci.render.retrain import render_summary, render_terminal

    if again and not by_hand:
        raise PolicyError("--again is for a person who asks", "give --by-hand too")
    if offer is not None and (out is not None or dry_run):
        raise PolicyError("--offer makes nothing that --out or --dry-run could be about", "give one of them")
    now = until.replace(tzinfo=until.tzinfo or UTC) if until is not None else datetime.now(UTC)
    with progress() as say:
        asking = Asking(now, by_hand, again, to)
        asked = Asked(project, load_policy(project, policy), asking, os.environ, out, dry_run, say)
        done = offer_made(asked, offer) if offer is not None else run(asked)
    sys.stdout.write(to_json(done) if as_json else render_terminal(done))
    write_summary(os.environ, render_summary(done))
    write_outputs(
        os.environ,
        {
            "action": done.decision.action if done.decision is not None else "",
            "made": "true" if done.challenger is not None else "false",
            "offer": done.offer,
            "pull-request": str(done.pull or ""),
        },
    )
    raise typer.Exit(done.exit_code)
