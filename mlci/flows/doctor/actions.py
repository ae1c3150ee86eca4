"""What the forge's workflows must be for the loop to work, and for nobody to take it over."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from mlci.flows.doctor.patient import Look, listed
from mlci.nouns.base import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlci.flows.doctor.patient import Patient
    from mlci.nouns.automation import Job, Step, Workflow
    from mlci.nouns.diagnosis import Diagnosed

CHECK = "mlci"
"""The job that a branch should require."""
_SHA = re.compile(r"[0-9a-f]{40}")
_IMAGE = re.compile(r"@sha256:[0-9a-f]{64}$")
_RUNS = re.compile(r"(^|[\s;&|/])mlci\s+(ci|compare|publish)\b|\bdvc\s+repro\b")
_NEEDS_HISTORY = re.compile(r"(^|[\s;&|/])mlci\s+(ci|compare)\b")
_HEAD = re.compile(
    r"github\.head_ref|github\.event\.pull_request\.head\.|github\.event\.pull_request\.merge_commit_sha"
    r"|github\.event\.workflow_run\.head_|refs/pull/|\bgh\s+pr\s+checkout\b"
)
_TRUSTED = ("pull_request_target", "workflow_run")


def present(patient: Patient) -> Iterator[Diagnosed]:
    """A workflow runs mlci on every pull request."""
    look = Look("workflows.present", "Workflows")
    if not patient.workflows:
        yield look.failure(
            "no workflow in .github/workflows: nothing happens on a pull request",
            "`mlci init` writes them, or write one that runs `mlci ci` on `pull_request` in a job called `mlci`",
        )
        return
    for broken in (workflow for workflow in patient.workflows if workflow.problem):
        yield look.failure(broken.problem, "mend the file: GitHub runs nothing of it", Place(file=broken.file))
    running = [_name(each) for each in patient.workflows if "pull_request" in each.events and _steps(each, _RUNS)]
    if running:
        yield look.fine(f"{listed(running)} runs on every pull request")
    elif any(not workflow.problem for workflow in patient.workflows):
        yield look.failure(
            "no workflow runs mlci on a pull request",
            "run `mlci ci` in a job of a workflow with `on: pull_request`",
        )


def required(patient: Patient) -> Iterator[Diagnosed]:
    """There is a job of the name that a branch requires, and it always reports."""
    look = Look("workflows.check", "Workflows")
    mine = [each for each in patient.workflows if {"pull_request", "pull_request_target"} & set(each.events)]
    if not mine:
        return
    found = [(each, job) for each in mine for job in each.jobs if CHECK in {job.id, job.name}]
    if not found:
        yield look.failure(
            f"no job is called `{CHECK}`: a branch that requires this check would wait for ever",
            f"call the job that decides `{CHECK}`, and let it run always (`if: always()`)",
        )
        return
    for workflow, job in found:
        if "pull_request" in workflow.filtered:
            yield look.failure(
                f"`{CHECK}` does not report on pull requests that the workflow's paths or branches leave out",
                "remove the filter of `pull_request`, and decide inside the job what there is to do",
                job.place,
            )
        else:
            yield look.fine(f"the job `{CHECK}` of {_name(workflow)} can be required")


def history(patient: Patient) -> Iterator[Diagnosed]:
    """A job that compares has the whole history."""
    look = Look("workflows.history", "Workflows")
    for workflow in patient.workflows:
        for job in workflow.jobs:
            if not any(_NEEDS_HISTORY.search(line) for step in job.steps for line in step.commands):
                continue
            fetched = any(line.startswith("git fetch") for step in job.steps for line in step.run)
            shallow = [step for step in job.steps if _is_checkout(step) and step.given.get("fetch-depth") != "0"]
            if shallow and not fetched:
                yield look.failure(
                    f"the job `{job.id}` compares in a shallow clone",
                    "give its `actions/checkout` the line `with: {fetch-depth: 0}`",
                    shallow[0].place,
                )


def pinned(patient: Patient) -> Iterator[Diagnosed]:
    """Every action is named by a commit, which nobody can move."""
    look = Look("workflows.pinned", "Workflows")
    loose: dict[Place, str] = {}
    for workflow in patient.workflows:
        for job in workflow.jobs:
            used = [(job.uses, job.place), *((step.uses, step.place) for step in job.steps)]
            loose |= {place: action for action, place in used if action and not _is_pinned(action)}
    for place, action in loose.items():
        yield look.warning(
            f"{action} is not pinned: whoever moves its tag runs code here",
            "write the full commit and the version behind it: `uses: owner/action@<40 hex digits> # v1.2.3`",
            place,
        )
    if not loose and any(step.uses for workflow in patient.workflows for job in workflow.jobs for step in job.steps):
        yield look.fine("every action is pinned to a commit")


def permissions(patient: Patient) -> Iterator[Diagnosed]:
    """Every workflow says what its token may do."""
    look = Look("workflows.permissions", "Workflows")
    silent = [
        each
        for each in patient.workflows
        if not each.problem and not each.permissions and not all(job.permissions for job in each.jobs)
    ]
    for workflow in silent:
        yield look.warning(
            "the token may do whatever the repository's default allows",
            "write `permissions: {}` at the top, and what each job needs inside it",
            Place(file=workflow.file),
        )
    if patient.workflows and not silent:
        yield look.fine("every workflow says what its token may do")


def trusted(patient: Patient) -> Iterator[Diagnosed]:
    """No workflow with a writing token runs what a stranger wrote."""
    look = Look("workflows.trusted", "Workflows")
    for workflow in patient.workflows:
        event = next((event for event in _TRUSTED if event in workflow.events), None)
        if event is None:
            continue
        for job in workflow.jobs:
            for step in job.steps:
                if _takes_head(step):
                    yield look.failure(
                        f"the job `{job.id}` runs on `{event}`, with a token that may write, and checks out the pull "
                        "request's code: anybody who opens one can run what they like",
                        "run the pull request's code on `pull_request`, and publish its report from `workflow_run` "
                        "without a checkout",
                        step.place,
                    )


def _takes_head(step: Step) -> bool:
    taken = step.run or (step.given.get("ref", ""), step.given.get("repository", ""))
    if step.uses and not _is_checkout(step):
        return False
    fetching = [
        line for line in taken if not step.run or re.search(r"\bgit\s+(fetch|checkout|pull|clone)\b|\bgh\s+pr\b", line)
    ]
    return any(_HEAD.search(line) for line in fetching)


def _is_checkout(step: Step) -> bool:
    return step.uses.lower().startswith("actions/checkout@")


def _is_pinned(action: str) -> bool:
    if action.startswith("./"):
        return True
    if action.startswith("docker://"):
        return _IMAGE.search(action) is not None
    return _SHA.fullmatch(action.rpartition("@")[2]) is not None


def _steps(workflow: Workflow, wanted: re.Pattern[str]) -> list[Job]:
    return [job for job in workflow.jobs if any(wanted.search(line) for step in job.steps for line in step.commands)]


def _name(workflow: Workflow) -> str:
    return posixpath.basename(workflow.file)


CHECKS = (present, required, history, pinned, permissions, trusted)
