"""Commands about the repository itself: what would make the loop fail, and how well it is tested."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mlci.cli.options import AsJson, PolicyName, Project, progress


class Format(StrEnum):
    """How the outcome is shown."""

    terminal = "terminal"
    markdown = "markdown"
    json = "json"


def doctor(
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    offline: Annotated[bool, typer.Option("--offline", help="Ask no remote and no forge.")] = False,
    score: Annotated[
        bool, typer.Option("--score", help="Show the ML Test Score instead: 28 tests by evidence.")
    ] = False,
    at_least: Annotated[
        float | None, typer.Option(help="With --score: exit with 1 where the score is lower.", min=0, max=7)
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to show it.")] = Format.terminal,
    as_json: AsJson = False,
) -> None:
    """Tell what would make the loop fail, each with its mend; with --score, how well the project is tested."""
    form = Format.json if as_json else form
    raise typer.Exit(_score(project, policy, form, at_least) if score else _diagnose(project, policy, form, offline))


def _score(project: Path, policy: str, form: Format, at_least: float | None) -> int:
    from mlci.flows.ml_test_score import ml_test_score

    found = ml_test_score(project, policy)
    if form is Format.json:
        from mlci.render.json import to_json

        sys.stdout.write(to_json(found))
    elif form is Format.markdown:
        from mlci.render.rubric import rubric_markdown

        sys.stdout.write(rubric_markdown(found))
    else:
        from rich.console import Console

        from mlci.render.rubric import render_rubric

        render_rubric(found, Console())
    return 1 if at_least is not None and found.score < at_least else 0


def _diagnose(project: Path, policy: str, form: Format, offline: bool) -> int:  # noqa: FBT001 - one of three options
    from mlci.flows.doctor.diagnose import diagnose

    with progress() as say:
        found = diagnose(project, policy, offline=offline, say=say)
    if form is Format.json:
        from mlci.render.json import to_json

        sys.stdout.write(to_json(found))
    elif form is Format.markdown:
        from mlci.render.diagnosis import diagnosis_markdown

        sys.stdout.write(diagnosis_markdown(found))
    else:
        from rich.console import Console

        from mlci.render.diagnosis import render_diagnosis

        render_diagnosis(found, Console())
    return 1 if found.failed else 0
