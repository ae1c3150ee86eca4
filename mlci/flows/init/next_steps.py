"""What is left for a person to do."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.dvc_stages import read_stages
from mlci.edges.git import History
from mlci.edges.new_repository import has_remote
from mlci.edges.write_together import text_of
from mlci.flows.init.plan import has_owner

if TYPE_CHECKING:
    from mlci.nouns.automation import Stage
    from mlci.nouns.setup import Answers, Found, Wishes

LARGE = 1_000_000
"""Bytes from which a table is better kept by DVC than by Git."""


def hints(root: Path, top: Path, wishes: Wishes, answers: Answers | None) -> tuple[str, ...]:
    """What was not done because only a person can decide it.

    Args:
        root: Folder of the project.
        top: Top of the repository.
        wishes: What the command line says.
        answers: What is known of the project; None for the example.
    """
    told = []
    stages = read_stages(text_of(root / "dvc.yaml", "dvc.yaml") or "")
    if answers is not None and not _made(root, stages, answers.predictions):
        told.append(
            f"nothing makes {answers.predictions} yet: let a stage of dvc.yaml write it (docs/reference/predictions.md)"
        )
    if wishes.forge == "github" and not wishes.owner and not has_owner(top):
        told.append("`mlci init --owner @organisation/team` names who must approve a change of the policy (CODEOWNERS)")
    if not has_remote(root):
        told.append("DVC has no remote: others can get the data once `dvc remote add --default NAME URL` names one")
    if report := _unread_report(stages):
        told.append(f"let training depend on {report} in dvc.yaml: then nothing is trained on data that fails")
    return tuple(told)


def _unread_report(stages: tuple[Stage, ...]) -> str:
    """What a check of the data writes, if no other stage waits for it."""
    checks = [stage for stage in stages if any("mlci data check" in command for command in stage.commands)]
    reports = [out for stage in checks for out in stage.outs]
    others = [stage for stage in stages if stage not in checks]
    read = any(report in stage.deps for stage in others for report in reports)
    return reports[0] if reports and others and not read else ""


class Done(NamedTuple):
    """What was done.

    Attributes:
        committed: Whether the pipeline ran, and what it made is committed.
        changed: Whether anything was written.
        prefix: The project's folder as seen from the top of the repository; `.` for itself.
    """

    committed: bool
    changed: bool
    prefix: str


def next_commands(root: Path, answers: Answers | None, found: Found, done: Done) -> tuple[str, ...]:
    """The commands to type next."""
    there = () if root == Path() else (f"cd {shlex.quote(str(root))}",)
    if done.committed:
        return (
            *there,
            "mlci doctor",
            "git switch --create a-change",
            "dvc repro",
            "git commit --all",
            "git push origin HEAD",
        )
    if not done.changed:
        return (*there, "mlci doctor")
    paths = [*answers.data.values(), answers.test] if answers is not None else []
    adding = [f"dvc add {shlex.quote(path)}" for path in dict.fromkeys(paths) if _for_dvc(root, path, found)]
    staged = "git add ." if done.prefix == "." else "git add . :/.github"
    return (*there, *adding, "dvc repro", staged, 'git commit --message "Check data and model"', "mlci doctor")


def _for_dvc(root: Path, path: str, found: Found) -> bool:
    """Whether neither Git nor DVC keeps a table yet, and DVC should: it is large, or Git was told to leave it out."""
    file, history = root / path, History(root)
    if not file.is_file() or path in found.made or (root / f"{path}.dvc").exists() or history.repo is None:
        return False
    return not history.tracks(path) and (file.stat().st_size > LARGE or history.ignores(path))


def _made(root: Path, stages: tuple[Stage, ...], path: str) -> bool:
    return (root / path).is_file() or any(path in stage.outs for stage in stages)
