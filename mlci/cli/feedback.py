"""Turn labels into data."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from mlci.cli.options import AsJson, PolicyName, Project, progress, tell

app = typer.Typer(help="Turn what people say about predictions into data.", no_args_is_help=True)


@app.command(epilog="Example: mlci feedback collect --pull-request")
def collect(  # noqa: PLR0913 - one for each option
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    log: Annotated[
        str, typer.Option(help="sqlite:///FILE, postgresql://…, or a path or glob; default: what the policy names.")
    ] = "",
    file: Annotated[
        str, typer.Option("--from", help="Labels of a file too: Parquet, CSV or JSON lines with id, label, source, at.")
    ] = "",
    until: Annotated[datetime | None, typer.Option(help="The moment, in UTC; default: now.")] = None,
    version: Annotated[str | None, typer.Option(help="Only predictions of this version of the model.")] = None,
    pull_request: Annotated[
        bool, typer.Option("--pull-request", help="Offer it in one pull request instead of the work tree.")
    ] = False,
    repro: Annotated[
        bool, typer.Option(help="Reproduce the pipeline in the pull request, where it reads the table.")
    ] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the queue, and write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring labels into the table that the pipeline reads, each once; exit code 1 where a person must decide something.

    Contradictions are decided by the policy, or by a person in the file beside the table.
    """
    from mlci.edges.policy_file import load_policy
    from mlci.flows.feedback import Collecting
    from mlci.flows.feedback import collect as run
    from mlci.render.feedback import render_terminal
    from mlci.render.json import to_json

    now = until.replace(tzinfo=until.tzinfo or UTC) if until is not None else datetime.now(UTC)
    with progress() as say:
        asked = Collecting(project, load_policy(project, policy), now, log, file, version, dry_run, say)
        if pull_request and not dry_run:
            from mlci.flows.feedback_offer import offer

            found = offer(asked, os.environ, repro=repro)
        else:
            found = run(asked)
    sys.stdout.write(to_json(found) if as_json else render_terminal(found))
    for path in found.written:
        tell(f"wrote {path}")
    raise typer.Exit(found.exit_code)
