"""The ML Test Score of a repository: collect what it shows, check what it declares, add it up."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mlci.edges.git import History
from mlci.edges.policy_file import load_policy
from mlci.edges.traces import read_changes, read_traces
from mlci.errors import PolicyError
from mlci.flows.verdict import project_name
from mlci.judge.rubric.case import Case
from mlci.judge.rubric.score import score
from mlci.nouns.base import Place
from mlci.nouns.rubric import Declared, Evidence, TestScore

if TYPE_CHECKING:
    from pathlib import Path

    from mlci.nouns.policy import PolicyFile
    from mlci.nouns.traces import Traces

_CHANGES = 10
_WHEN = re.compile(r"\b(schedule|cron)\w*\b", re.IGNORECASE)


def ml_test_score(root: Path, file: str = "params.yaml") -> TestScore:
    """The score of the project in a folder.

    Args:
        root: Folder of the project.
        file: Its policy, which it need not have.

    Raises:
        PolicyError: The policy is wrong, or declares evidence that is not there.
        WorldError: There is no Git repository, or a file cannot be read.
    """
    history = History(root)
    policy = load_policy(root, file) if (root / file).is_file() else None
    traces = read_traces(root, history)
    case = Case(traces, policy)
    spec = case.code_of(case.training) if case.training is not None else ()
    traces = traces.model_copy(update={"spec_changes": read_changes(history, spec, _CHANGES)})
    if policy is None:
        return score(root.resolve().name, traces, None)
    declared = {name: _declared(root, policy, traces, name, one) for name, one in policy.policy.score.items()}
    return score(project_name(root, policy), traces, policy, declared)


def _declared(root: Path, policy: PolicyFile, traces: Traces, name: str, one: Declared) -> Evidence:
    """What a declaration is worth, once its file was looked at."""
    key, place = f"{policy.place('score', name, 'evidence')}: mlci.score.{name}", Place(file=one.evidence)
    path = PurePosixPath(one.evidence)
    if path.is_absolute() or ".." in path.parts:
        raise PolicyError(f"{key}: {one.evidence} leads out of the project", "name a file of the project")
    if not (root / path).is_file() and one.evidence not in traces.files:
        raise PolicyError(f"{key}: {one.evidence} is not there", "write it, name the right file, or remove the entry")
    if one.evidence not in traces.files:
        raise PolicyError(
            f"{key}: Git does not track {one.evidence}", f"`git add {one.evidence}`: evidence must reach everybody"
        )
    says = one.note or ("declared as automated" if one.how == "automated" else "declared as done by hand")
    if one.how == "automated" and not _runs(root, traces, one.evidence):
        raise PolicyError(
            f"{key}: nothing in {one.evidence} says when it runs by itself",
            "name a workflow with a trigger or a file with a schedule, or write `how: manual`",
        )
    return Evidence(how=one.how, says=says, place=place)


def _runs(root: Path, traces: Traces, file: str) -> bool:
    """Whether a file is a workflow that starts by itself, or names a schedule."""
    for workflow in traces.workflows:
        if workflow.file == file:
            return workflow.repeated
    return _WHEN.search((root / file).read_text(encoding="utf-8", errors="replace")) is not None
