"""The data's part of a pull request: which tables must be at hand, which nobody checked yet, and their verdict."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlci.edges.dvc_stages import checked_tables
from mlci.edges.policy_file import parse_policy
from mlci.errors import PolicyError
from mlci.flows.data_findings import read_data_report, tables_without_report
from mlci.flows.guard import guard
from mlci.flows.policy_files import policy_files, table_files
from mlci.flows.report_data import check_and_report
from mlci.flows.verdict import assemble
from mlci.judge.guard import PIPELINE
from mlci.judge.loosened import policy_changes
from mlci.nouns.report import Charts, Report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlci.edges.git import History
    from mlci.nouns.finding import Finding
    from mlci.nouns.policy import PolicyFile


def wanted_files(root: Path, policy: PolicyFile, history: History, base: str) -> tuple[str, ...]:
    """Paths that judging reads, whether or not a stage does: nothing else is pulled for it.

    Args:
        root: Folder of the project.
        policy: Its policy.
        history: Of the repository.
        base: The merge base; its policy checks tables again where the change loosens what is promised of them.
    """
    found = [file.path for file in policy_files(policy.policy) if file.judged]
    for name in sorted({*_loosened(policy, history, base), *_never_checked(root, policy)}):
        found += table_files(policy.policy.data[name])
    return tuple(dict.fromkeys(found))


def _loosened(policy: PolicyFile, history: History, base: str) -> set[str]:
    text = history.read(base, policy.file) if base else None
    if text is None:
        return set()
    try:
        before = parse_policy(text.decode("utf-8", "replace"), policy.file).policy
    except PolicyError:
        return set()
    changed = {change.path[1] for change in policy_changes(before, policy.policy) if change.path[0] == "data"}
    return changed & set(policy.policy.data)


def _never_checked(root: Path, policy: PolicyFile) -> set[str]:
    """Tables that no report speaks of, and that no stage will check either."""
    pipeline = root / PIPELINE
    stages = checked_tables(pipeline.read_bytes() if pipeline.is_file() else None, policy.policy.data)
    return set(tables_without_report(root, policy)) - stages


def check_the_rest(root: Path, policy: PolicyFile, say: Callable[[str], None]) -> None:
    """Check the tables of which no report speaks, as where no stage of a pipeline does. Raises as `check_data`."""
    names = tables_without_report(root, policy)
    if names:
        say(f"checking {', '.join(names)}")
        check_and_report(root, policy, tables=names, out=f"reports/data-{'-'.join(names)}.json")


def data_report(
    root: Path, policy: PolicyFile, history: History, base: str | None, extra: tuple[Finding, ...]
) -> Report:
    """The verdict of a project without a gate: its pipeline and its data."""
    checked = read_data_report(root, policy)
    findings = guard(
        root,
        policy,
        history,
        (*extra, *(checked.verdict.findings if checked else ())),
        base,
        now=datetime.now(UTC),
        judge_gate=lambda _: (),
    )
    return Report(
        verdict=assemble(
            root, policy, history, findings=findings, tables=checked.verdict.digests.data if checked else None
        ),
        charts=Charts(drift=checked.charts.drift if checked else ()),
        repeat=("dvc repro", "mlci ci"),
    )
