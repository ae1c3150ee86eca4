"""Begin: write what the loop needs into a repository."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlci.cli.options import AsJson, tell
from mlci.errors import PolicyError

if TYPE_CHECKING:
    from mlci.nouns.setup import Outcome, Question

_LEFT = 1
"""The exit code where a file was left that differs."""


class Task(StrEnum):
    """What is predicted."""

    binary = "binary"
    multiclass = "multiclass"
    regression = "regression"


class Forge(StrEnum):
    """Where pull requests are opened."""

    github = "github"
    none = "none"


class Person:
    """Who sits at the terminal."""

    def ask(self, question: Question) -> str:
        """Ask until the answer is one that there can be."""
        while True:
            answer = _answered(question.option, question.text, question.default)
            if not question.choices or answer in question.choices:
                return answer
            tell(f"  {answer!r} is not one of {', '.join(question.choices)}")

    def agree(self, question: str, *, alone: bool) -> bool:
        """Ask for yes or no."""
        try:
            return typer.confirm(question, default=alone, err=True)
        except typer.Abort:
            raise PolicyError(f"nobody answered: {question}", "answer at a terminal, or run with --yes") from None

    def show(self, text: str) -> None:
        """Show it."""
        tell(text)


def _answered(option: str, text: str, default: str | None) -> str:
    try:
        return str(typer.prompt(text, default=default, err=True)).strip()
    except typer.Abort:
        raise PolicyError(f"nobody answered: {text}", f"answer at a terminal, or say it with {option}") from None


class Nobody:
    """Takes what is likely right, and replaces nothing."""

    def ask(self, question: Question) -> str:
        """The likely answer."""
        if question.default is None:
            raise PolicyError(f"not known: {question.text}", f"say it with {question.option}")
        return question.default

    def agree(self, question: str, *, alone: bool) -> bool:
        """Begin a repository, add lines; replace nothing."""
        return alone or "git init" in question

    def show(self, text: str) -> None:
        """Show it all the same: it stays in the log."""
        tell(text)


def init(  # noqa: PLR0913 - every option is an argument
    project: Annotated[
        Path, typer.Option("--project", "-C", help="Folder of the project.", file_okay=False, exists=True)
    ] = Path(),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: take what is likely right.")] = False,
    model: Annotated[str | None, typer.Option(metavar="PATH", help="The model.")] = None,
    data: Annotated[list[str] | None, typer.Option(metavar="PATH", help="A table to check; may be repeated.")] = None,
    test: Annotated[str | None, typer.Option(metavar="PATH", help="The table that the model is tested on.")] = None,
    label: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column that is predicted.")] = None,
    id: Annotated[  # noqa: A002 - the policy's word
        str | None, typer.Option("--id", metavar="COLUMN", help="The column that names a row.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What the model is called; default: as the folder.")] = None,
    task: Annotated[Task | None, typer.Option(help="What is predicted; default: by the label's values.")] = None,
    positive: Annotated[str | None, typer.Option(help="The label's positive value, if not true or 1.")] = None,
    predictions: Annotated[str | None, typer.Option(metavar="PATH", help="Where the predictions are written.")] = None,
    forge: Annotated[Forge, typer.Option(help="Where pull requests are opened.")] = Forge.github,
    owner: Annotated[str, typer.Option(help="Who must approve a change of the policy: @user, @org/team.")] = "",
    branch: Annotated[str, typer.Option(help="The branch merged into; default: the repository's.")] = "",
    action: Annotated[
        str | None, typer.Option(help="Action of mlci to use, by its commit; default: one in the repository.")
    ] = None,
    secret: Annotated[list[str] | None, typer.Option(help="A secret that DVC's remote needs; may be repeated.")] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Write a Dockerfile, and manifests for Kubernetes and KServe.")
    ] = False,
    stage: Annotated[str, typer.Option(help="The stage that is served; default: the policy's last one.")] = "",
    image: Annotated[str, typer.Option(help="The image in the manifests; default: NAME:STAGE.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace files that differ, without asking.")] = False,
    commit: Annotated[
        bool, typer.Option("--commit", help="Run the pipeline afterwards, and commit what is new.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write policy, stages and workflows into a repository; in an empty one, a small project that works."""
    from mlci.flows.init.init import init as run
    from mlci.nouns.setup import Manner, Wishes

    wishes = Wishes(
        model=model,
        data=tuple(data or ()),
        test=test,
        label=label,
        id=id,
        name=name,
        task=task.value if task else None,
        positive=positive,
        predictions=predictions,
        forge=forge.value,
        owner=owner,
        branch=branch,
        action=action,
        secrets=tuple(secret or ()),
        serve=serve,
        stage=stage,
        image=image,
    )
    talk = Nobody() if yes else Person()
    outcome = run(project, wishes, talk, Manner(dry_run, force, commit), lambda text: tell(f"mlci: {text}"))
    if as_json:
        sys.stdout.write(f"{json.dumps(outcome._asdict(), ensure_ascii=False, indent=2)}\n")
    else:
        _show(outcome, dry=dry_run)
    raise typer.Exit(_LEFT if outcome.left else 0)


def _show(outcome: Outcome, *, dry: bool) -> None:
    """Print what came of it."""
    for command in outcome.began:
        tell(f"would run {command}" if dry else f"ran {command}")
    if dry:
        sys.stdout.write("".join(outcome.diffs))
    for path in () if dry else outcome.written:
        tell(f"wrote {path}")
    for path in outcome.left:
        tell(f"left {path}, which differs: see `mlci init --dry-run`, and replace it with --force")
    if not outcome.diffs and not outcome.began:
        tell("nothing to do: everything is as it would be written")
    for hint in outcome.hints:
        tell(f"not done: {hint}")
    if not dry:
        sys.stdout.write("next:\n" + "".join(f"  {command}\n" for command in outcome.next))
