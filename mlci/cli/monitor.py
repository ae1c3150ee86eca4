"""Watch a model in production."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from mlci.cli.options import AsJson, PolicyName, Project, progress, tell


def monitor(  # noqa: PLR0913 - one for each option
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    log: Annotated[
        str, typer.Option(help="sqlite:///FILE, postgresql://…, or a path or glob; default: `mlci.monitor.log`.")
    ] = "",
    until: Annotated[
        datetime | None,
        typer.Option(help="Moment of the look, in UTC: later predictions are left alone; default: now."),
    ] = None,
    version: Annotated[str | None, typer.Option(help="Only predictions of this version of the model.")] = None,
    state: Annotated[
        Path | None, typer.Option(help="Keep what was seen in this file instead of the repository's refs/mlci/monitor.")
    ] = None,
    last: Annotated[
        bool,
        typer.Option("--last", help="Show what the last look found, and look no further: a health command for stages."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Keep nothing, and tell nobody.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report as HTML, Markdown and JSON.", file_okay=False)
    ] = None,
    prometheus: Annotated[
        Path | None, typer.Option(help="File for Prometheus' textfile collector.", dir_okay=False)
    ] = None,
    alert: Annotated[
        bool, typer.Option("--alert", help="Open, update or close the issues on the forge, and call the webhook.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look at production: count what is new in the log, and say which alarms are on; exit code 1 where one blocks."""
    from mlci.edges.policy_file import load_policy
    from mlci.flows.monitor import Watching, last_look
    from mlci.flows.monitor import monitor as look
    from mlci.flows.monitor_report import write_prometheus, write_reports
    from mlci.render.json import to_json
    from mlci.render.monitor import render_terminal

    now = until.replace(tzinfo=until.tzinfo or UTC) if until is not None else datetime.now(UTC)
    with progress() as say:
        loaded = load_policy(project, policy)
        asked = Watching(project, loaded, now, log, version, state, not dry_run, say)
        found = last_look(asked) if last else look(asked)
        files = write_reports(found, out) if out is not None else ()
        if prometheus is not None:
            write_prometheus(found, prometheus)
    sys.stdout.write(to_json(found) if as_json else render_terminal(found))
    for file in files:
        tell(f"wrote {file}")
    if alert and not dry_run and not last:
        from mlci.flows.monitor_alert import alert as raise_alert

        with progress() as say:
            raise_alert(found, loaded, project, os.environ, say)
    raise typer.Exit(found.exit_code)
