"""Look at everything that would make the loop fail."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlci.flows.doctor import actions, artefacts, forge, history, pipeline, promises, runner, storage, templates
from mlci.flows.doctor.patient import Patient
from mlci.flows.verdict import project_name
from mlci.nouns.diagnosis import Diagnosis

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlci.flows.doctor.patient import Check

CHECKS: dict[str, tuple[Check, ...]] = {
    "Git": history.CHECKS,
    "the policy": promises.CHECKS,
    "the pipeline": pipeline.CHECKS,
    "the storage": (*storage.CHECKS, *runner.STORAGE),
    "the model": artefacts.CHECKS,
    "the workflows": (*actions.CHECKS, *runner.CHECKS, *templates.CHECKS),
    "GitHub": forge.CHECKS,
}


def diagnose(
    root: Path, file: str = "params.yaml", *, offline: bool = False, say: Callable[[str], None] = lambda _: None
) -> Diagnosis:
    """Look at a project, and tell what would make the loop fail.

    Args:
        root: Its folder.
        file: Its policy.
        offline: Ask no remote and no forge.
        say: Told what is being looked at, for a progress line.

    Raises:
        WorldError: There is no Git repository.
    """
    patient = Patient(root, file, offline, environment=os.environ)
    history.needs_repository(patient)
    found = []
    for about, checks in CHECKS.items():
        say(f"looking at {about}")
        found += [line for check in checks for line in check(patient)]
    name = project_name(root, patient.policy) if patient.policy is not None else root.resolve().name
    return Diagnosis(project=name, checks=tuple(found))
