"""What is left for a person to do."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from mlci.edges.new_repository import has_remote
from mlci.edges.write_together import text_of
from mlci.flows.init.plan import owners_file
from mlci.nouns.setup import Forge

if TYPE_CHECKING:
    from pathlib import Path

    from mlci.nouns.setup import Found, Wishes

LARGE = 1_000_000
"""Bytes from which a table is better kept by DVC than by Git."""


def hints(root: Path, top: Path, wishes: Wishes, found: Found) -> tuple[str, ...]:
    """What was not done because only a person can decide it."""
    told = []
    owners = text_of(top / owners_file(top), owners_file(top)) or ""
    if wishes.forge is Forge.github and not wishes.owner and "params.yaml" not in owners:
        told.append("`mlci init --owner @organisation/team` names who must approve a change of the policy (CODEOWNERS)")
    if not has_remote(root):
        told.append("DVC has no remote: others can get the data once `dvc remote add --default NAME URL` names one")
    if not found.empty and found.made and not any("mlci" in path for path in found.made):
        told.append("let training depend on reports/data.json in dvc.yaml: then nothing is trained on data that fails")
    return tuple(told)


def next_commands(root: Path, found: Found, *, committed: bool) -> tuple[str, ...]:
    """The commands to type next."""
    if committed:
        return ("mlci doctor", "git switch --create a-change", "dvc repro", "git commit --all", "git push origin HEAD")
    large = [path for path in found.tables if _large(root / path) and path not in found.made]
    adding = [f"dvc add {shlex.quote(path)}" for path in large if not (root / f"{path}.dvc").exists()]
    return (*adding, "dvc repro", "git add .", 'git commit --message "Check data and model"', "mlci doctor")


def _large(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > LARGE
