"""What Git must know for the loop to work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.errors import MlciError, WorldError
from mlci.flows.doctor.patient import Look

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlci.flows.doctor.patient import Patient
    from mlci.nouns.diagnosis import Diagnosed


def commits(patient: Patient) -> Iterator[Diagnosed]:
    """There is a commit, and a branch is checked out."""
    look = Look("git.commits", "Git")
    if not patient.history.head:
        yield look.failure("the repository has no commit yet", "`git add` what belongs in it, and `git commit`")
        return
    if patient.history.branch is None:
        yield look.warning(
            f"no branch is checked out: HEAD is detached at {patient.history.head[:10]}",
            "`git switch BRANCH`; on a CI runner this is as it should be",
        )
        return
    yield look.fine(f"the branch {patient.history.branch} is checked out")


def unfinished(patient: Patient) -> Iterator[Diagnosed]:
    """No merge, rebase or cherry-pick is half done."""
    look = Look("git.unfinished", "Git")
    for what in patient.history.unfinished():
        yield look.failure(f"a {what} is not finished", f"`git {what} --continue`, or `git {what} --abort`")


def shallow(patient: Patient) -> Iterator[Diagnosed]:
    """The whole history is there."""
    look = Look("git.shallow", "Git")
    if patient.history.shallow:
        yield look.failure(
            "the clone is shallow: the previous model and the merge base may lie beyond its end",
            "`git fetch --unshallow` (in GitHub Actions: `fetch-depth: 0`)",
        )
    elif patient.history.head:
        yield look.fine("the whole history is there")


def merge_base(patient: Patient) -> Iterator[Diagnosed]:
    """There is a commit to compare with."""
    look = Look("git.merge-base", "Git")
    history = patient.history
    if not history.head:
        return
    gate = patient.policy.policy.gate if patient.policy is not None else None
    try:
        branch = history.base_branch(gate.branch if gate is not None else None)
        if branch is None:
            yield look.failure(
                "there is no branch `main` or `master` to compare with",
                "name the branch that you merge into in `mlci.gate.branch`",
            )
            return
        yield look.fine(f"what HEAD and {branch} share is {history.merge_base(branch)[:10]}")
    except MlciError as error:
        yield look.broken(error)


def remote(patient: Patient) -> Iterator[Diagnosed]:
    """There is a forge to open pull requests on."""
    look = Look("git.remote", "Git")
    names = patient.history.remotes()
    if not names:
        yield look.warning(
            "no Git remote: there is nowhere to open a pull request",
            "`git remote add origin URL`, and `git push -u origin main`",
        )
        return
    name = "origin" if "origin" in names else next(iter(names))
    why = "" if patient.offline else patient.history.unreachable(name, patient.patience)
    if why:
        yield look.failure(
            f"the remote {names[name]} cannot be reached: {why}",
            "`git remote -v` shows the address; see that it is right, and that this machine may read it",
        )
    else:
        yield look.fine(f"the remote is {names[name]}")


def needs_repository(patient: Patient) -> None:
    """Raise where there is no Git repository: nothing of the loop can work."""
    if patient.history.repo is None:
        raise WorldError(f"{patient.root.resolve()} is in no Git repository", "`git init`, and commit what you have")


CHECKS = (commits, unfinished, shallow, merge_base, remote)
