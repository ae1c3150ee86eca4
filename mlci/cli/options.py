"""Options that commands share, and how they end."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mlci.nouns.report import Report, Result

Project = Annotated[
    Path, typer.Option("--project", "-C", help="Folder that holds params.yaml.", file_okay=False, exists=True)
]
PolicyName = Annotated[str, typer.Option("--policy", help="Policy file inside the project.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write the outcome to stdout as JSON, for machines.")]


def show(report: Report, *, as_json: bool) -> int:
    """Print a report and give the exit code: 0 held, 1 a gate failed."""
    if as_json:
        from mlci.render.json import to_json

        sys.stdout.write(to_json(report))
    else:
        from rich.console import Console

        from mlci.render.terminal import render_terminal

        render_terminal(report, Console())
    return ended(report)


def show_all(results: Sequence[Result], *, as_json: bool) -> int:
    """Print what came of every project, and give the worst exit code.

    A single project's report is printed as `show` does it, several as a list of `{project, report}`.
    """
    if as_json:
        from mlci.render.json import to_json, to_json_list

        alone = results[0].report if len(results) == 1 else None
        sys.stdout.write(to_json(alone) if alone is not None else to_json_list(results))
    for result in results:
        if result.error:
            tell(f"mlci: {f'{result.project}: ' if len(results) > 1 else ''}{result.error}")
        elif not as_json:
            show(result.report, as_json=False)
    return max(result.exit_code for result in results)


def ended(report: Report) -> int:
    """The exit code of a report: 0 held, 1 a gate failed."""
    return 1 if report.verdict.blocked else 0


def tell(message: str) -> None:
    """Say something to a person, beside the output."""
    sys.stderr.write(f"{message}\n")


@contextlib.contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """A line on stderr that tells what is being done; plain lines where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda text: tell(f"mlci: {text}")
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status("starting") as status:
        yield lambda text: status.update(escape(text))
