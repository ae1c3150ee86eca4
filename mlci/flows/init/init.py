"""`mlci init`: find, ask, show what would change, and write all or nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlci.edges.git import History
from mlci.edges.new_repository import begun, changed_files, commit_files, dvc_root, reproduce_all
from mlci.edges.write_together import written_together
from mlci.errors import PolicyError, WorldError
from mlci.flows.init.answers import checked_name, collect, inside, likely_name
from mlci.flows.init.find import find_files
from mlci.flows.init.next_steps import Done, hints, next_commands
from mlci.flows.init.plan import (
    example_edits,
    existing_policy,
    forge_edits,
    has_owner,
    ignore_edit,
    pipeline_edit,
    policy_edit,
    told_branch,
)
from mlci.flows.init.serving import serving_edits
from mlci.nouns.setup import Answers, Outcome, Question
from mlci.render.setup import diff

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlci.flows.init.answers import Talk
    from mlci.nouns.policy import Policy
    from mlci.nouns.setup import Edit, Found, Manner, Wishes

_OWNER = re.compile(r"@[\w-]+(/[\w.-]+)?|[^@\s]+@[\w.-]+")

_NOBODY = {"-", "", "n", "no", "none", "nobody"}

_BEGIN = "This folder is in no Git repository. Run `git init` here?"
_EXAMPLE = "There is nothing here yet. Write a small project that works?"


def init(
    root: Path, wishes: Wishes, talk: Talk, manner: Manner, say: Callable[[str], None] = lambda _: None
) -> Outcome:
    """Write what the loop needs into a repository.

    Args:
        root: Folder of the project.
        wishes: What the command line says.
        talk: Who is asked for the rest.
        manner: Whether to write at all, to replace what differs, and to commit.
        say: Told what is being done.

    Raises:
        PolicyError: What was said or is written there is wrong, or something is not known and nobody answers.
        WorldError: A file can't be read or written, or `git init` or `dvc init` fails.
    """
    history = History(root)
    new_git, new_dvc = history.repo is None, not dvc_root(root)
    if new_git and not manner.dry and not talk.agree(_BEGIN, alone=False):
        raise WorldError("this folder is in no Git repository", "`git init` first, or `mlci init --yes` does it")
    top = history.top or root.resolve()
    found = find_files(root)
    wishes = _owned(top, wishes, talk)
    edits, answers = _edits(root, wishes, found, talk, told_branch(top, wishes))
    edits += forge_edits(top, history.prefix, wishes)
    edits += serving_edits(root, wishes, answers) if wishes.serve else []
    edits = [edit for edit in edits if edit.before != edit.after]
    chosen = edits if manner.dry else _chosen(edits, talk, force=manner.force)
    if not manner.dry:
        before = changed_files(root) if manner.commit and not new_git else frozenset()
        texts = {(top if edit.root == "top" else root) / edit.path: edit.after for edit in chosen}
        with written_together(texts) as put, begun(root.resolve(), new_git=new_git, new_dvc=new_dvc):
            put()
        if manner.commit:
            first_commit(root.resolve(), before, say)
    done = Done(manner.commit, bool(chosen or new_git or new_dvc), history.prefix)
    return Outcome(
        written=tuple(edit.path for edit in chosen),
        left=tuple(edit.path for edit in edits if edit not in chosen),
        diffs=tuple(diff(edit) for edit in edits),
        began=tuple(command for command, new in (("git init", new_git), ("dvc init", new_dvc)) if new),
        hints=hints(root, top, wishes, answers),
        next=next_commands(root, answers, found, done),
    )


def _owned(top: Path, wishes: Wishes, talk: Talk) -> Wishes:
    """With the owner of the policy asked for where no CODEOWNERS names one."""
    if not wishes.owner and wishes.forge == "github" and not has_owner(top):
        told = talk.ask(Question("Who must approve a new policy (@user, @org/team; - nobody)?", "--owner", "-"))
        wishes = wishes.model_copy(update={"owner": "" if told.lower() in _NOBODY else told})
    if not all(_OWNER.fullmatch(word) for word in wishes.owner.split()):
        raise PolicyError(
            f"`{wishes.owner}` is no owner for CODEOWNERS", "write `@user`, `@organisation/team` or an e-mail: --owner"
        )
    return wishes


def first_commit(root: Path, before: frozenset[str], say: Callable[[str], None]) -> None:
    """Run the pipeline, and commit what was written and what came of it.

    Args:
        root: Folder of the project.
        before: What differed from the last commit before anything was written: it is not committed.
        say: Told what is being done.

    Raises:
        WorldError: A stage fails, or Git refuses.
    """
    say("running the pipeline")
    reproduce_all(root)
    if new := changed_files(root) - before:
        commit_files(root, new, "Check the data, test the model, gate the merge")


def _edits(root: Path, wishes: Wishes, found: Found, talk: Talk, branch: str) -> tuple[list[Edit], Answers | None]:
    """The project's own files, and what is known of it; nothing, where it is the example."""
    if found.empty and not wishes.of_own_files and talk.agree(_EXAMPLE, alone=True):
        name = checked_name(wishes.name or likely_name(root))
        return [*example_edits(root, name, branch), ignore_edit(root)], None
    policy = existing_policy(root)
    answers = known(root, policy, wishes)
    edits = []
    if answers is None:
        answers = collect(root, wishes, found, talk)
        edits.append(policy_edit(root, answers, policy, branch))
    return [*edits, pipeline_edit(root, answers, found), ignore_edit(root)], answers


def known(root: Path, policy: Policy | None, wishes: Wishes) -> Answers | None:
    """What a policy that is there says; None where it lacks the model, the data or the gate.

    Raises:
        PolicyError: The command line says something else.
    """
    if policy is None or policy.model is None or policy.gate is None or not policy.data:
        return None
    model, gate = policy.model, policy.gate
    paths = {"model": wishes.model, "test": wishes.test, "predictions": wishes.predictions}
    said = {key: inside(root, path) if path else None for key, path in paths.items()}
    said |= {"label": wishes.label, "id": wishes.id, "name": wishes.name, "task": wishes.task}
    there = {"model": model.path, "test": gate.test, "label": model.label, "id": model.id}
    there |= {"name": model.name, "task": model.task, "predictions": gate.predictions}
    for key, wanted in said.items():
        if wanted is not None and wanted != there[key]:
            raise PolicyError(
                f"--{key} says `{wanted}`, but params.yaml has a policy that says `{there[key]}`",
                "change params.yaml: what it promises is not overwritten",
            )
    tables = {name: table.path for name, table in policy.data.items()}
    if lacking := [path for path in wishes.data if inside(root, path) not in tables.values()]:
        raise PolicyError(
            f"--data names {lacking[0]}, of which the policy in params.yaml does not speak",
            f"`mlci data infer {lacking[0]}` proposes what to write there",
        )
    return Answers(
        name=model.name,
        model=model.path,
        data=tables,
        test=gate.test,
        train="",
        label=model.label,
        id=model.id,
        task=model.task,
        predictions=gate.predictions,
        scored=True,
    )


def _chosen(edits: list[Edit], talk: Talk, *, force: bool) -> list[Edit]:
    """Those to be written: each that changes a file is shown; one that replaces what is there must be agreed to."""
    chosen = []
    for edit in edits:
        if edit.before is not None:
            talk.show(diff(edit))
            verb = "Replace" if edit.replaces else "Add these lines to"
            if not force and not talk.agree(f"{verb} {edit.path}?", alone=not edit.replaces):
                continue
        chosen.append(edit)
    return chosen
