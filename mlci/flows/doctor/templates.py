"""Whether the repository's workflows are those of this version of mlci."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mlci.edges.workflows import FOLDER
from mlci.edges.yaml_file import parse_yaml, read_yaml
from mlci.errors import MlciError
from mlci.flows.doctor.patient import Look, listed
from mlci.nouns.base import Place
from mlci.nouns.workflows import WorkflowOptions
from mlci.render.workflows import WORKFLOWS, render_workflow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlci.flows.doctor.patient import Patient
    from mlci.nouns.diagnosis import Diagnosed

_OWN = re.compile(r"^(\./.*|[\w.-]+/mlci(/[\w./-]+)?@.*|\./?)$")
_CHOSEN = {"runs-on", "timeout-minutes", "env", "branches"}
"""Keys that a repository chooses for itself."""


def current(patient: Patient) -> Iterator[Diagnosed]:
    """Workflows that mlci once wrote are those that it writes now."""
    look = Look("workflows.version", "Workflows")
    if patient.history.top is None:
        return
    # `mlci init` puts `mlci-` before the name of a file that was somebody else's already.
    for name, file in ((name, f"{FOLDER}/{head}{name}.yml") for name in WORKFLOWS for head in ("", "mlci-")):
        try:
            document = read_yaml(patient.history.top / file, file)
        except MlciError:
            continue  # it is not there, or was told to be broken
        if not isinstance(document.value, dict):
            continue
        options = WorkflowOptions(log_variable="vars.MLCI_LOG !=" in str(document.value))
        wanted = parse_yaml(render_workflow(name, options), file).value
        if document.value.get("name") != wanted["name"]:
            continue
        differing = _differing(document.value, wanted)
        if differing:
            yield look.warning(
                f"it is not the workflow of this version of mlci: {listed(differing)} differ"
                f"{'s' if len(differing) == 1 else ''}",
                "take over this version's (`mlci init` shows the difference), or rename yours if it is meant to differ",
                Place(file=file),
            )


def _differing(own: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """What is not as it would be written today, by the name of the step or the key."""
    found = [f"`{key}`" for key in (own | wanted) if key != "jobs" and _bare(own.get(key)) != _bare(wanted.get(key))]
    jobs, others = own.get("jobs"), wanted["jobs"]
    for name in others:
        job = jobs.get(name) if isinstance(jobs, dict) else None
        if not isinstance(job, dict):
            found.append(f"the job `{name}`")
            continue
        found += [f"`{key}` of the job `{name}`" for key in (job | others[name]) if _differs(key, job, others[name])]
        found += _steps(job.get("steps"), others[name]["steps"])
    return found


def _differs(key: object, job: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return key != "steps" and key not in _CHOSEN and _bare(job.get(str(key))) != _bare(wanted.get(str(key)))


def _steps(own: object, wanted: list[dict[str, Any]]) -> list[str]:
    bare = [_bare(step) for step in own] if isinstance(own, list) else []
    return [f"the step `{step['name']}`" for step in wanted if _bare(step) not in bare]


def _bare(value: Any) -> Any:  # noqa: ANN401 - what YAML holds can be anything
    """Without what a repository chooses for itself."""
    if isinstance(value, list):
        return [_bare(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _bare(item) for key, item in value.items() if key not in _CHOSEN}
    if _OWN.fullmatch(str(kept.get("uses", ""))):
        given = kept.get("with")
        kept = {**kept, "uses": "mlci", "with": given.get("command") if isinstance(given, dict) else None}
    return kept


CHECKS = (current,)
