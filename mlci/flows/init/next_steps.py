"""What is left for a person to do."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from mlci.edges.dvc_stages import read_stages
from mlci.edges.git import History
from mlci.edges.new_repository import has_remote
from mlci.edges.write_together import text_of
from mlci.flows.init.plan import has_owner

if TYPE_CHECKING:
    from pathlib import Path

    from mlci.nouns.setup import Answers, Found, Wishes

LARGE = 1_000_000
"""Bytes from which a table is better kept by DVC than by Git."""


def hints(root: Path, top: Path, wishes: Wishes, found: Found, answers: Answers | None) -> tuple[str, ...]:
    """What was not done because only a person can decide it.

    Args:
        root: Folder of the project.
        top: Top of the repository.
        wishes: What the command line says.
        found: What the folder held before.
        answers: What is known of the project; None for the example.
    """
    told = []
    if answers is not None and not _made(root, answers.predictions):
        told.append(
            f"nothing makes {answers.predictions} yet: let a stage of dvc.yaml write it (docs/reference/predictions.md)"
        )
    if wishes.forge == "github" and not wishes.owner and not has_owner(top):
        told.append("`mlci init --owner @organisation/team` names who must approve a change of the policy (CODEOWNERS)")
    if not has_remote(root):
        told.append("DVC has no remote: others can get the data once `dvc remote add --default NAME URL` names one")
    if not found.empty and found.made and not any("mlci" in path for path in found.made):
        told.append("let training depend on reports/data.json in dvc.yaml: then nothing is trained on data that fails")
    return tuple(told)


def next_commands(root: Path, answers: Answers | None, found: Found, *, committed: bool) -> tuple[str, ...]:
    """The commands to type next."""
    if committed:
        return ("mlci doctor", "git switch --create a-change", "dvc repro", "git commit --all", "git push origin HEAD")
    paths = [*answers.data.values(), answers.test] if answers is not None else []
    adding = [f"dvc add {shlex.quote(path)}" for path in dict.fromkeys(paths) if _for_dvc(root, path, found)]
    return (*adding, "dvc repro", "git add .", 'git commit --message "Check data and model"', "mlci doctor")


def _for_dvc(root: Path, path: str, found: Found) -> bool:
    """Whether neither Git nor DVC keeps a table yet, and DVC should: it is large, or Git was told to leave it out."""
    file, history = root / path, History(root)
    if not file.is_file() or path in found.made or (root / f"{path}.dvc").exists() or history.repo is None:
        return False
    return not history.tracks(path) and (file.stat().st_size > LARGE or history.ignores(path))


def _made(root: Path, path: str) -> bool:
    stages = read_stages(text_of(root / "dvc.yaml", "dvc.yaml") or "")
    return (root / path).is_file() or any(path in stage.outs for stage in stages)
