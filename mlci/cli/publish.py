"""Tell the forge what a run came to."""

from __future__ import annotations

import io
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from mlci.cli.options import AsJson, progress


def publish(  # noqa: PLR0913 - every option is an argument
    project: Annotated[
        list[str] | None,
        typer.Option(
            "--project", "-C", help="Folder of a project; repeat it for several. Default: those that left a report."
        ),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="What another run left, a folder or a ZIP file: read as hostile data."),
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Print the comment, and post nothing.")] = False,
    repo: Annotated[str, typer.Option("--repo", help="OWNER/NAME; default: GITHUB_REPOSITORY.")] = "",
    pr: Annotated[int | None, typer.Option("--pr", help="Pull request; default: the event's.", min=1)] = None,
    sha: Annotated[
        str, typer.Option("--sha", help="Commit that was judged; default: the event's, or the pull request's head.")
    ] = "",
    token_env: Annotated[
        str, typer.Option("--token-env", help="Variable with the token; default: GITHUB_TOKEN, then GH_TOKEN.")
    ] = "",
    event: Annotated[
        Path | None, typer.Option("--event", help="Payload of the event; default: GITHUB_EVENT_PATH.")
    ] = None,
    run_url: Annotated[str, typer.Option("--run-url", help="Page of the run; default: the event's.")] = "",
    author: Annotated[
        str, typer.Option("--author", help="Login of the app whose token it is, such as my-app[bot].")
    ] = "",
    key: Annotated[str, typer.Option("--key", help="Tells apart several comments of one project.")] = "",
    record: Annotated[
        bool, typer.Option("--record", help="Count this use of the test set in the ledger, and share it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Post the last verdict: one comment on the pull request, a check with remarks at lines, a job summary."""
    from mlci.edges.actions import inert
    from mlci.flows import publish_run
    from mlci.render.json import to_json
    from mlci.render.published import render_published

    wanted = publish_run.wanted(Path(), tuple(project or ()), source, key)
    asked = publish_run.Asked(wanted, repo, pr, sha, token_env, event, run_url, author)
    with progress() as say:
        if preview:
            if isinstance(sys.stdout, io.TextIOWrapper):
                # The bytes are the comment's, whatever the terminal is set to.
                sys.stdout.reconfigure(encoding="utf-8", newline="\n")
            with inert(os.environ):
                sys.stdout.writelines(publish_run.preview(asked, os.environ, say))
            return
        done = publish_run.run(asked, os.environ, datetime.now(UTC) if record else None, say)
    sys.stdout.write(to_json(done) if as_json else render_published(done))
    raise typer.Exit(done.exit_code)
