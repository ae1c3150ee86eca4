"""What the last data check found, for the verdict that stands on it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mlci.edges.dvc_lock import vouches
from mlci.edges.files import digest, read_text
from mlci.edges.sources.version import remote_digest
from mlci.edges.sources.where import is_remote
from mlci.errors import WorldError
from mlci.judge.headline import overall
from mlci.nouns.finding import Digests, Finding, Verdict
from mlci.nouns.report import Charts, Report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlci.nouns.data_policy import Table
    from mlci.nouns.policy import PolicyFile
    from mlci.nouns.report import DriftBar

REPORTS = "reports"
DATA_REPORT = f"{REPORTS}/data.json"
DATA_REPORTS = f"{REPORTS}/data*.json"
REPORT = f"{REPORTS}/report.json"
VERDICT = f"{REPORTS}/verdict.json"
SEEDS = f"{REPORTS}/seeds.json"
"""What training again with other seeds showed."""
BUDGETS = f"{REPORTS}/budgets.json"
"""What running the model was measured to take."""
CRASHED = "pipeline.crashed"
"""The one finding of a run that did not come to a verdict."""


def load_report(root: Path, file: str) -> Report:
    """A report that an earlier command wrote.

    Raises:
        WorldError: It is not there, or no report of this version.
    """
    text = read_text(root / file, file, "run `mlci data check` and `mlci compare` first")
    try:
        return Report.model_validate_json(text)
    except ValidationError as error:
        raise WorldError(f"{file} is no report of this version of mlci", "make it again: `mlci compare`") from error


def read_data_report(root: Path, policy: PolicyFile) -> Report | None:
    """What the last data checks found of every table of the policy, put together.

    A table that was not checked, or that changed since, is a finding of its own: no old green passes for a new one.

    Returns:
        None where the policy promises nothing of any table.
    """
    if not policy.policy.data:
        return None
    findings: list[Finding] = []
    drift: list[DriftBar] = []
    tables: dict[str, str] = {}
    for name, own, fresh in _reports_of(root, policy):
        if fresh is None:
            findings.append(_unchecked(policy, name, "changed since it was checked" if own else "was not checked"))
            continue
        findings += [item for item in fresh.verdict.findings if item.data is not None and item.data.table == name]
        drift += [bar for bar in fresh.charts.drift if bar.table == name]
        path = policy.policy.data[name].path
        tables[path] = fresh.verdict.digests.data[path]
    verdict = Verdict(
        project="",
        outcome=overall(findings),
        headline="",
        findings=tuple(findings),
        tool="",
        digests=Digests(data=tables),
    )
    return Report(verdict=verdict, charts=Charts(drift=tuple(drift)))


def tables_without_report(root: Path, policy: PolicyFile) -> tuple[str, ...]:
    """Names of the tables of which no report speaks as they are now. Raises WorldError as `load_report` does."""
    return tuple(name for name, _, fresh in _reports_of(root, policy) if fresh is None)


def _reports_of(root: Path, policy: PolicyFile) -> Iterator[tuple[str, bool, Report | None]]:
    """Every table by name, whether any report speaks of it, and the one that speaks of it as it is now."""
    files = [file.relative_to(root).as_posix() for file in sorted(root.glob(DATA_REPORTS))]
    reports = [(file, load_report(root, file)) for file in files]
    for name, table in policy.policy.data.items():
        own = [(file, report) for file, report in reports if name in report.verdict.digests.checks]
        fresh = (report for file, report in own if _speaks_of(report.verdict.digests, root, name, table, file))
        yield name, bool(own), next(fresh, None)


def at_hand(root: Path, path: str) -> bool:
    """Whether a table, or a file of a pattern, is in the work tree."""
    if is_remote(path):
        return True
    return (root / path).exists() or next(iter(root.glob(path)), None) is not None


def table_digest(root: Path, path: str) -> str:
    """SHA-256 of a table: of its file, or of the files of a glob or folder in the order of their names.

    Raises:
        WorldError: A server that holds it can't be reached.
    """
    if is_remote(path):
        return remote_digest(path)
    if (root / path).is_file():
        return digest(root / path)
    if (root / path).is_dir():
        files = sorted(file for file in (root / path).rglob("*") if file.is_file())
        named = "".join(f"{file.relative_to(root / path).as_posix()}\0{digest(file)}\n" for file in files)
        return hashlib.sha256(named.encode()).hexdigest()
    together = "".join(digest(file) for file in sorted(root.glob(path)))
    return hashlib.sha256(together.encode()).hexdigest()


def promise_digest(table: Table) -> str:
    """SHA-256 of what the policy promises of a table."""
    return hashlib.sha256(table.model_dump_json(exclude_defaults=True).encode()).hexdigest()


def _speaks_of(known: Digests, root: Path, name: str, table: Table, report: str) -> bool:
    """Whether a report speaks of this table as it is now, and of what the policy promises of it now.

    Of a table that was not pulled, `dvc.lock` tells whether the report was made from it.
    """
    if known.checks[name] != promise_digest(table) or table.path not in known.data:
        return False
    if not at_hand(root, table.path):
        return vouches(root, report, table.path)
    return known.data[table.path] == table_digest(root, table.path)


def _unchecked(policy: PolicyFile, table: str, what: str) -> Finding:
    return Finding(
        check=f"data.{table}.checked",
        title=f"{table} is checked",
        area="data",
        outcome="not_measured",
        message=f"The table `{table}` (or what is promised of it) {what}.",
        mend="Run `mlci data check` (`dvc repro` does) and compare again.",
        place=policy.place("data", table),
    )
