"""What `dvc.yaml` and `dvc.lock` must be for the loop to work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.errors import MlciError
from mlci.flows.doctor.patient import Look, listed
from mlci.nouns.base import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlci.flows.doctor.patient import Patient
    from mlci.nouns.diagnosis import Diagnosed


def present(patient: Patient) -> Iterator[Diagnosed]:
    """There is a pipeline that can be read."""
    look = Look("pipeline.stages", "Pipeline")
    stages = patient.stages
    if isinstance(stages, MlciError):
        yield look.broken(stages)
    elif not (patient.root / "dvc.yaml").is_file():
        yield look.failure(
            "there is no dvc.yaml: nothing says how the model and its predictions are made",
            "write the commands that make them into dvc.yaml (`dvc stage add`)",
        )
    elif not stages:
        yield look.failure("dvc.yaml has no stages", "`dvc stage add` writes one", Place(file="dvc.yaml"))
    else:
        yield look.fine(f"dvc.yaml has {len(stages)} stage{'s' if len(stages) != 1 else ''}")


def gated(patient: Patient) -> Iterator[Diagnosed]:
    """The pipeline checks what it makes."""
    look = Look("pipeline.checks", "Pipeline")
    if isinstance(patient.stages, MlciError) or not patient.stages:
        return
    policy = patient.policy.policy if patient.policy is not None else None
    checking = [stage.name for stage in patient.stages if any("mlci data check" in each for each in stage.commands)]
    if policy is not None and policy.data and not checking:
        yield look.warning(
            "no stage runs `mlci data check`: a model is trained on data that nobody checked",
            "add a stage with it, and let training depend on its report",
        )


def locked(patient: Patient) -> Iterator[Diagnosed]:
    """The lock is there, in Git, and says what is here."""
    look = Look("pipeline.lock", "Pipeline")
    if isinstance(patient.stages, MlciError) or not patient.stages:
        return
    if not (patient.root / "dvc.lock").is_file():
        yield look.failure(
            "there is no dvc.lock: the pipeline was never reproduced", "`dvc repro`, and commit dvc.lock"
        )
        return
    if "dvc.lock" not in patient.files:
        yield look.failure("Git does not track dvc.lock", "`git add dvc.lock`, and commit it")
    pipeline = patient.pipeline
    if isinstance(pipeline, MlciError):
        yield look.broken(pipeline)
    elif pipeline.changed:
        for stage, lines in pipeline.changed.items():
            place = next((each.place for each in patient.stages if each.name == stage), None)
            yield look.failure(
                f"the lock is stale: stage `{stage}`: {listed(lines)}",
                "`dvc repro`, and commit dvc.lock with what changed",
                place,
            )
    else:
        yield look.fine("dvc.lock says what is here")


def untracked(patient: Patient) -> Iterator[Diagnosed]:
    """What the pipeline reads and Git should hold is committed."""
    look = Look("pipeline.code", "Pipeline")
    if isinstance(patient.stages, MlciError) or isinstance(patient.pipeline, MlciError):
        return
    made = {out for stage in patient.stages for out in stage.outs} | set(patient.pipeline.cached)
    for stage in patient.stages:
        lost = [dep for dep in stage.deps if dep not in made and not _elsewhere(patient, dep)]
        if lost:
            yield look.failure(
                f"stage `{stage.name}` needs {listed(lost)}, which neither Git nor DVC has",
                "`git add` code and small files, `dvc add` data",
                stage.place,
            )


def _elsewhere(patient: Patient, dep: str) -> bool:
    """Whether a dependency comes with a clone, or from somewhere that no clone could hold."""
    inside = any(file == dep or file.startswith(f"{dep}/") for file in patient.files)
    held = any(dep.startswith(f"{out}/") for out in _cached(patient))
    return inside or held or dep.startswith(("/", "../")) or "://" in dep or "${" in dep or ":/" in dep


def _cached(patient: Patient) -> tuple[str, ...]:
    return () if isinstance(patient.pipeline, MlciError) else patient.pipeline.cached


def kept_twice(patient: Patient) -> Iterator[Diagnosed]:
    """No file is kept both by Git and by DVC."""
    look = Look("pipeline.twice", "Pipeline")
    twice = [path for path in _cached(patient) if path in patient.files]
    if twice:
        yield look.failure(
            f"Git tracks {listed(twice)}, which DVC keeps too: `dvc repro` refuses",
            f"`git rm --cached {twice[0]}`, or write `cache: false` in dvc.yaml",
        )


CHECKS = (present, gated, locked, untracked, kept_twice)
