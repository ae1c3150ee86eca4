"""Check tables against the policy: read it, ask each table once, judge the answers."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlci.errors import PolicyError
from mlci.flows.data_examples import Examples
from mlci.flows.data_open import open_policy_table, running
from mlci.judge.data import Judged, judge_data, rank_counts
from mlci.measure.data.asked import Asked
from mlci.measure.data.checks import data_checks
from mlci.measure.data.examples import broken_rows, shown_columns
from mlci.measure.data.plan import needs
from mlci.nouns.condition import Breaks, NoMatch
from mlci.nouns.data_check import RankOf, ShareOf
from mlci.nouns.data_result import DataResult
from mlci.nouns.reference import CategoricalReference

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from mlci.flows.data_engine import OpenTable
    from mlci.nouns.aggregate import Aggregate, Answers
    from mlci.nouns.base import Place
    from mlci.nouns.data_check import DataCheck
    from mlci.nouns.data_policy import Table
    from mlci.nouns.finding import Finding
    from mlci.nouns.policy import PolicyFile
    from mlci.nouns.reference import ReferenceStatistics
    from mlci.nouns.report import DriftBar
    from mlci.nouns.table_schema import TableSchema

_MOST_WITH_EXAMPLES = 50
"""Findings that get examples; a policy with a thousand broken slices does not fetch rows a thousand times."""
_BYTES_A_VALUE = 32
"""What a value costs where a quantile is computed rather than bounded."""


def check_data(
    root: Path,
    policy_file: PolicyFile,
    *,
    now: datetime,
    tables: tuple[str, ...] = (),
    rows_to: Path | None = None,
    explain: bool = False,
) -> DataResult:
    """Check the policy's tables.

    Args:
        root: Folder that the policy's paths start from.
        policy_file: The policy, and where its keys stand.
        now: The moment that freshness is seen from.
        tables: Names of the tables to check; none for all.
        rows_to: Folder for all rows that break a check, one file for each failed finding.
        explain: Whether to tell the plan and its SQL.

    Raises:
        PolicyError: A name, a condition or a pattern of the policy is wrong.
        WorldError: A table can't be read.
    """
    names = _chosen(policy_file, tables)
    with running(policy_file.policy.engine):
        results = [_Run(root, policy_file, name, now, rows_to, explain).result() for name in names]
    return DataResult(
        findings=tuple(finding for result in results for finding in result.findings),
        drift=tuple(bar for result in results for bar in result.drift),
        explain="\n".join(result.explain for result in results if result.explain),
        saved=tuple(file for result in results for file in result.saved),
    )


def _chosen(policy_file: PolicyFile, tables: tuple[str, ...]) -> tuple[str, ...]:
    known = policy_file.policy.data
    for name in tables:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean `{close[0]}`?" if close else ""
            raise PolicyError(
                f"{policy_file.place('data')}: there is no table `{name}`{hint}", f"Known tables: {', '.join(known)}."
            )
    return tables or tuple(known)


@dataclass(frozen=True)
class _Run:
    """The check of one table."""

    root: Path
    policy_file: PolicyFile
    name: str
    now: datetime
    rows_to: Path | None
    explain: bool

    @property
    def table(self) -> Table:
        return self.policy_file.policy.data[self.name]

    @property
    def id_column(self) -> str | None:
        model = self.policy_file.policy.model
        return model.id if model is not None else None

    def result(self) -> DataResult:
        engine = self.policy_file.policy.engine
        reference = self._reference()
        with open_policy_table(self.root, self.name, self.table, engine, writes=self.rows_to) as held:
            table = held.table
            asked = self._asked(table.schema, held.other, reference)
            checks = data_checks(asked)
            held.tell(*self._said(checks))
            answers = table.ask(needs(checks))
            judged = _with_quantiles(table, judge_data(checks, answers), answers)
            findings, saved = self._with_rows(table, judged, answers)
            moved, bars = _drift(table, asked, reference)
            told = "\n".join([f"-- table {self.name}", *table.told]) if self.explain else ""
            return DataResult(findings=(*findings, *moved), drift=bars, saved=saved, explain=told)

    def _reference(self) -> ReferenceStatistics | None:
        if self.table.drift is None:
            return None
        from mlci.flows.data_reference import reference_statistics  # noqa: PLC0415 - only drift needs NumPy

        return reference_statistics(self.root, self.table.drift.reference, self.policy_file.policy.engine)

    def _asked(self, schema: TableSchema, other: TableSchema | None, reference: ReferenceStatistics | None) -> Asked:
        columns = reference.columns if reference is not None else {}
        return Asked(
            name=self.name,
            table=self.table,
            schema=schema,
            place=lambda *keys: self.policy_file.place("data", self.name, *keys),
            now=self.now,
            id_column=self.id_column,
            other=other,
            references={
                name: column.names
                for name, column in columns.items()
                if isinstance(column, CategoricalReference) and column.complete
            },
        )

    def _said(self, checks: tuple[DataCheck, ...]) -> tuple[dict[str, Place], dict[str, Place]]:
        """Every condition and every pattern of the policy: all are looked at before the first one runs."""
        asked: dict[str, Place] = {}
        patterns: dict[str, Place] = {}
        for check in checks:
            shows = check.reading.shows if isinstance(check.reading, ShareOf) else None
            for sql in (*check.part.where, *([shows.sql] if isinstance(shows, Breaks) else [])):
                asked.setdefault(sql, check.place)
            if isinstance(shows, NoMatch):
                patterns.setdefault(shows.pattern, check.place)
        drift = self.table.drift
        if drift is not None and drift.where is not None:
            asked.setdefault(drift.where, self.policy_file.place("data", self.name, "drift", "where"))
        return asked, patterns

    def _with_rows(
        self, table: OpenTable, judged: tuple[Judged, ...], answers: Answers
    ) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
        """The findings, those that fail with some of the rows that broke the check; and the files with all of them."""
        findings: list[Finding] = []
        saved: list[str] = []
        fetched = 0
        examples = Examples(table)
        for finding, check, key in judged:
            if finding.outcome != "fail":
                findings.append(finding)
                continue
            hints = answers.hints.get(check.reading.bad, ()) if isinstance(check.reading, ShareOf) else ()
            sql = broken_rows(check, key, table.schema, hints)
            if sql is None or finding.data is None or fetched >= _MOST_WITH_EXAMPLES:
                findings.append(finding)
                continue
            fetched += 1
            columns = shown_columns(check, table.schema, self.id_column)
            rows = table.timed(f"rows that break {check.id}", sql, examples.of, check, key, sql, columns)
            findings.append(finding.model_copy(update={"data": finding.data.model_copy(update={"examples": rows})}))
            if self.rows_to is not None:
                file = self.rows_to / f"{_file_name(check, key)}.parquet"
                table.engine.save(broken_rows(check, key, table.schema) or sql, file)
                saved.append(str(file))
        return tuple(findings), tuple(saved)


def _drift(
    table: OpenTable, asked: Asked, reference: ReferenceStatistics | None
) -> tuple[tuple[Finding, ...], tuple[DriftBar, ...]]:
    if asked.table.drift is None or reference is None:
        return (), ()
    from mlci.flows.data_drift import find_drift  # noqa: PLC0415 - its special functions take .3 s to load

    return find_drift(table, asked, asked.table.drift, reference)


def _with_quantiles(table: OpenTable, judged: tuple[Judged, ...], answers: Answers) -> tuple[Judged, ...]:
    """Failed quantile checks again, with the quantile itself for the reader, where memory allows."""
    wanted: dict[str, Aggregate] = {}
    for finding, check, key in judged:
        if finding.outcome == "fail" and isinstance(check.reading, RankOf):
            wanted[check.id] = check.reading.exact(rank_counts(check.reading, answers, key))
    if not wanted or table.rows * _BYTES_A_VALUE > table.memory:
        return judged
    more = answers.joined(table.ask(wanted.values()))
    again: list[Judged] = []
    for item in judged:
        if item.check.id not in wanted:
            again.append(item)
        else:
            again += [other for other in judge_data([item.check], more) if other.key == item.key]
    return tuple(again)


def _file_name(check: DataCheck, key: tuple[str | None, ...]) -> str:
    """The check's id and slice in letters that every file system takes."""
    text = ".".join((check.id.removeprefix("data."), *(value or "missing" for value in key)))
    return re.sub(r"[^\w.=+-]+", "_", text)[:150]
