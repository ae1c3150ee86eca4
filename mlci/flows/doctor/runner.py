"""Whether what runs on the forge may do what it is there for: post the verdict, and fetch the data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlci.errors import MlciError
from mlci.flows.doctor.patient import Look, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlci.flows.doctor.patient import Patient
    from mlci.nouns.automation import Job, Workflow
    from mlci.nouns.diagnosis import Diagnosed

_MEASURES = re.compile(r"(^|[\s;&|/])mlci\"?\s+(ci|compare)\b")
_PUBLISHES = re.compile(r"(^|[\s;&|/])mlci\"?\s+publish\b(?!.*--preview)")
_SIGNS_IN = re.compile(r"configure-aws-credentials|google-github-actions/auth|azure/login", re.IGNORECASE)
_OPEN = ("http://", "https://")
_SCOPES = (
    ("comment", ("pull-requests",)),
    ("check", ("checks", "statuses")),
)
"""What is posted, and which permissions allow it, one of them each."""


def publishes(patient: Patient) -> Iterator[Diagnosed]:
    """Some job posts the verdict, and its token may."""
    look = Look("workflows.publish", "Workflows")
    if not _running(patient, _MEASURES):
        return
    posting = _running(patient, _PUBLISHES)
    if not posting:
        yield look.warning(
            "no workflow runs `mlci publish`: nobody comments on a pull request",
            "`mlci init` writes `report.yml`, or run `mlci publish` after `mlci ci`",
        )
    for _, job in posting:
        if job.writes is None:
            continue
        needed = list(_SCOPES)
        if any("--record" in line for step in job.steps for line in step.run):
            needed.append(("ledger", ("contents",)))
        lacking = [(what, scopes[0]) for what, scopes in needed if not set(scopes) & set(job.writes)]
        if lacking:
            yield look.failure(
                f"the job `{job.id}` publishes, and its token may not write {listed(scope for _, scope in lacking)}: "
                f"no {listed(what for what, _ in lacking)}",
                "write in its `permissions:` " + ", ".join(f"`{scope}: write`" for _, scope in lacking),
                job.place,
            )
        else:
            yield look.fine(f"the job `{job.id}` may post the verdict")


def fetches(patient: Patient) -> Iterator[Diagnosed]:
    """A runner can reach the data, and holds the key for it."""
    look = Look("storage.runner", "Storage")
    pipeline = patient.pipeline
    running = [workflow for workflow, _ in _running(patient, _MEASURES)]
    if isinstance(pipeline, MlciError) or not pipeline.remote or not pipeline.cached or not running:
        return
    if "://" not in pipeline.address or pipeline.address.startswith("file://"):
        if any(_is_hosted(job) for _, job in _running(patient, _MEASURES)):
            yield look.warning(
                f"the remote `{pipeline.remote}` is a folder of this machine: GitHub's runners have none of it",
                "`dvc remote add -d NAME s3://…` or another address that a runner reaches, or a runner of your own",
            )
    elif not pipeline.address.startswith(_OPEN) and not any(_has_key(workflow) for workflow in running):
        yield look.warning(
            f"the remote `{pipeline.remote}` may ask for a key, and no workflow that runs mlci holds one",
            "`mlci init --secret AWS_ACCESS_KEY_ID --secret AWS_SECRET_ACCESS_KEY` hands secrets to DVC; a remote that "
            "anybody may read needs none",
        )


def _running(patient: Patient, wanted: re.Pattern[str]) -> list[tuple[Workflow, Job]]:
    return [
        (workflow, job)
        for workflow in patient.workflows
        for job in workflow.jobs
        if any(wanted.search(line) for step in job.steps for line in step.commands)
    ]


def _is_hosted(job: Job) -> bool:
    return job.runner.startswith(("ubuntu-", "windows-", "macos-"))


def _has_key(workflow: Workflow) -> bool:
    own = set(workflow.secrets) - {"GITHUB_TOKEN"}
    return bool(own) or any(_SIGNS_IN.search(step.uses) for job in workflow.jobs for step in job.steps)


CHECKS = (publishes,)
STORAGE = (fetches,)
