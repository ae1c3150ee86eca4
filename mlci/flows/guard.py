"""Judge a pull request by its base's policy too, and let waivers excuse what they name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.edges.dvc_stages import removed_stages
from mlci.edges.policy_file import parse_policy
from mlci.errors import MlciError, PolicyError
from mlci.flows.check_data import check_data
from mlci.judge.guard import (
    PIPELINE,
    blocked_by_base,
    changed_policy_findings,
    policy_changes,
    removed_stage_findings,
    waive,
)
from mlci.nouns.finding import Finding
from mlci.nouns.policy import Policy, PolicyFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from mlci.edges.git import History


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
    more = _by_base(root, policy, history, base, findings, now, judge_gate) if base is not None else ()
    return waive((*more, *findings), policy.policy.waivers, now.date(), policy)


def _by_base(
    root: Path,
    policy: PolicyFile,
    history: History,
    base: str,
    findings: tuple[Finding, ...],
    now: datetime,
    judge_gate: Callable[[PolicyFile], tuple[Finding, ...]],
) -> tuple[Finding, ...]:
    pipeline = root / PIPELINE
    gone = removed_stages(history.read(base, PIPELINE), pipeline.read_bytes() if pipeline.is_file() else None)
    stages = removed_stage_findings(gone)
    text = history.read(base, policy.file)
    if text is None:
        return stages
    try:
        before = parse_policy(text.decode("utf-8", "replace"), policy.file).policy
    except PolicyError:
        # A base without a policy, or with one of another version, promises nothing that could be compared.
        return stages
    changes = policy_changes(before, policy.policy)
    if not changes:
        return stages
    strict = PolicyFile(_in_todays_places(before, policy.policy), policy.file, policy.lines)
    touched = {change.path[0] for change in changes}
    judged = judge_gate(strict) if touched & {"gate", "train", "budgets"} and strict.policy.gate is not None else ()
    names = tuple(
        dict.fromkeys(change.path[1] for change in changes if change.path[0] == "data" and len(change.path) > 1)
    )
    checked = _check(root, strict, tuple(name for name in names if name in strict.policy.data), now)
    return (*changed_policy_findings(changes, policy), *stages, *blocked_by_base((*judged, *checked), findings, policy))


def _in_todays_places(before: Policy, own: Policy) -> Policy:
    """The base's promises about today's files: a file that moved is no way around them."""
    tables = {
        name: table.model_copy(update={"path": own.data[name].path}) if name in own.data else table
        for name, table in before.data.items()
    }
    gate, model = before.gate, own.model or before.model
    if gate is not None and own.gate is not None:
        todays = own.gate.model_dump(include={"test", "train", "predictions", "trained_on", "branch", "baseline"})
        gate = gate.model_copy(update=todays)
    if model is not None and before.model is not None:
        model = model.model_copy(update={"cost": before.model.cost})
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
