"""Judge a pull request by its base's policy too, and let waivers excuse what they name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.edges.dvc_stages import removed_stages
from mlci.edges.policy_file import parse_policy
from mlci.errors import MlciError, PolicyError, WorldError
from mlci.flows.check_data import check_data
from mlci.judge.guard import (
    PIPELINE,
    blocked_by_base,
    changed_policy_findings,
    removed_gate_findings,
    removed_stage_findings,
    unjudged_gate_findings,
    waive,
)
from mlci.judge.loosened import policy_changes
from mlci.nouns.finding import Finding
from mlci.nouns.policy import Policy, PolicyFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from mlci.edges.git import History


def policy_base(history: History, policy: PolicyFile) -> str | None:
    """The commit whose policy counts too, where no caller knows it: the one shared with the branch that is merged into.

    Which branch that is says the policy of the default branch, and not the pull request's own.

    Returns:
        None on that branch itself, and where it is not known.
    """
    try:
        default = history.base_branch(None) if history.head else None
        text = history.read(default, policy.file) if default is not None else None
        trusted = _parsed(text, policy.file) if default is not None else policy.policy
        branch = trusted.gate.branch if trusted is not None and trusted.gate is not None else None
        start = history.base_branch(branch) if branch is not None else default
        base = history.merge_base(start) if start is not None else history.head
    except WorldError:
        return None
    return base if base and base != history.head else None


def guard(
    root: Path,
    policy: PolicyFile,
    history: History,
    findings: tuple[Finding, ...],
    base: str | None,
    *,
    now: datetime,
    judge_gate: Callable[[PolicyFile], tuple[Finding, ...]],
) -> tuple[Finding, ...]:
    """The findings of a run, with what only the base's policy blocks, and what waivers excuse, listed first.

    A pull request that loosens the gate which it needs is judged by the policy that it starts from; so it can't let
    itself through. On the branch that is merged into there is only one policy.

    Args:
        root: Folder of the project.
        policy: The pull request's own.
        history: Of the repository.
        findings: Under its own policy.
        base: The commit whose policy counts too; None where there is only one policy.
        now: For freshness and the end of waivers.
        judge_gate: Judges the candidate by another policy.
    """
    if base is None:
        return waive(findings, policy.policy.waivers, now.date(), policy)
    # A base without a policy, or with one of another version, promises nothing that could be compared.
    before = _parsed(history.read(base, policy.file), policy.file)
    pipeline = root / PIPELINE
    gone = removed_stages(history.read(base, PIPELINE), pipeline.read_bytes() if pipeline.is_file() else None)
    stages = removed_stage_findings(gone)
    more = _by_base(root, policy, before, (*stages, *findings), now, judge_gate) if before is not None else ()
    known = before.waivers if before is not None else ()
    return waive((*more, *stages, *findings), policy.policy.waivers, now.date(), policy, known=known)


def _parsed(text: bytes | None, file: str) -> Policy | None:
    try:
        return parse_policy(text.decode("utf-8", "replace"), file).policy if text is not None else None
    except PolicyError:
        return None


def _by_base(
    root: Path,
    policy: PolicyFile,
    before: Policy,
    findings: tuple[Finding, ...],
    now: datetime,
    judge_gate: Callable[[PolicyFile], tuple[Finding, ...]],
) -> tuple[Finding, ...]:
    changes = policy_changes(before, policy.policy)
    strict = PolicyFile(_in_todays_places(before, policy.policy), policy.file, policy.lines)
    touched = {change.path[0] for change in changes}
    judged: tuple[Finding, ...] = ()
    if before.gate is not None and policy.policy.gate is None:
        judged = removed_gate_findings(policy)
    elif touched & {"model", "gate", "train", "budgets"} and before.gate is not None:
        try:
            judged = judge_gate(strict)
        except MlciError as error:
            judged = unjudged_gate_findings(error.problem, policy)
    names = tuple(
        dict.fromkeys(change.path[1] for change in changes if change.path[0] == "data" and len(change.path) > 1)
    )
    checked = _check(root, strict, tuple(name for name in names if name in strict.policy.data), now)
    return (*changed_policy_findings(changes, policy), *blocked_by_base((*judged, *checked), findings, policy))


def _in_todays_places(before: Policy, own: Policy) -> Policy:
    """The base's promises about today's files: a file that moved is no way around them."""
    tables = {
        name: table.model_copy(update={"path": own.data[name].path}) if name in own.data else table
        for name, table in before.data.items()
    }
    gate, model = before.gate, before.model or own.model
    if gate is not None and own.gate is not None:
        todays = own.gate.model_dump(include={"test", "train", "predictions", "trained_on"})
        gate = gate.model_copy(update=todays)
    if model is not None and own.model is not None:
        # Where a model decides is a part of it; what is asked of it, and what counts as an error, is not.
        model = model.model_copy(update=own.model.model_dump(include={"path", "id", "threshold"}))
    train = before.train
    if train is not None and own.train is not None:
        places = {"seed": own.train.seed, "table": own.train.table, "shuffled": own.train.shuffled}
        train = train.model_copy(update=places)
    return Policy.model_construct(
        model=model, data=tables, gate=gate, train=train, budgets=before.budgets, engine=own.engine, waivers=()
    )


def _check(root: Path, strict: PolicyFile, tables: tuple[str, ...], now: datetime) -> tuple[Finding, ...]:
    found: list[Finding] = []
    for name in tables:
        try:
            found += check_data(root, strict, now=now, tables=(name,)).findings
        except MlciError as error:
            found.append(
                Finding(
                    check=f"data.{name}.checked",
                    title=f"{name} is checked",
                    area="data",
                    outcome="not_measured",
                    message=f"{error.problem}.",
                    mend=error.mend,
                    place=strict.place("data", name),
                )
            )
    return tuple(found)
