"""Set a table against the statistics of its reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlci.flows.data_engine import BinsValues
from mlci.judge.data_drift import DriftJudge
from mlci.measure.data.drift_bins import binned_values
from mlci.measure.data.drift_sql import drift_sql, kind_of_drift, shift_of
from mlci.measure.data.sql import where_sql
from mlci.nouns.reference import CategoricalReference
from mlci.nouns.shift import CategoricalShift

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlci.flows.data_engine import OpenTable
    from mlci.measure.data.asked import Asked
    from mlci.nouns.aggregate import Part
    from mlci.nouns.data_policy import Drift
    from mlci.nouns.finding import Finding
    from mlci.nouns.reference import ColumnReference, ReferenceStatistics
    from mlci.nouns.report import DriftBar

_MOST_VALUES = 1_000
"""A text column with more different values is an id or free text: of it only what the policy names is compared."""


@dataclass(frozen=True)
class _Compared:
    """The columns that are compared, and why others that the policy names are not."""

    columns: dict[str, ColumnReference]
    refused: dict[str, str]


def find_drift(
    table: OpenTable, asked: Asked, drift: Drift, reference: ReferenceStatistics
) -> tuple[tuple[Finding, ...], tuple[DriftBar, ...]]:
    """A finding and a bar for every compared column, all counted in one scan.

    Raises:
        WorldError: The table can't be read.
    """
    judge = DriftJudge(asked.name, drift, asked.level(drift), asked.place("drift"))
    part = asked.part(drift)
    if part.by:
        mend = "Remove `by`, or write a table of its own for each slice, with `where`."
        return (judge.unmeasured(None, "Drift can't be split by columns.", mend),), ()
    compared = _compared(asked, drift, reference)
    findings: list[Finding] = []
    bars: list[DriftBar] = []
    for column, why in compared.refused.items():
        findings.append(judge.unmeasured(column, why, "Correct `drift.columns`, or renew the reference."))
    if not compared.columns:
        if not findings:
            mend = "Name a reference that has columns of this table, or list them under `drift.columns`."
            findings.append(judge.unmeasured(None, f"No column can be compared with {drift.reference}.", mend))
        return tuple(findings), ()
    for (column, statistics), counted in zip(compared.columns.items(), _counted(table, compared, part), strict=True):
        shift = shift_of(statistics, *counted)
        if shift is None:
            why = f"`{column}` has no value here or in the reference, and a verdict on nothing does not pass."
            findings.append(judge.unmeasured(column, why, "See why the column is empty."))
            continue
        if isinstance(shift, CategoricalShift):
            finding, bar = judge.categorical(column, shift)
        else:
            finding, bar = judge.numeric(column, shift)
        findings.append(finding)
        bars.append(bar)
    return tuple(findings), tuple(bars)


def _counted(table: OpenTable, compared: _Compared, part: Part) -> list[tuple[Mapping[Any, int] | None, int]]:
    """Today's values of every column in the bins of its reference, and the rows without one."""
    where, what = where_sql(part, table.schema), f"drift: {len(compared.columns)} columns in one scan"
    engine = table.engine
    if isinstance(engine, BinsValues):
        sql, bins = binned_values(compared.columns, table.schema, where)
        return list(table.timed(what, sql, engine.binned, sql, bins))
    sql = drift_sql(compared.columns, table.schema, where)
    values = table.timed(what, sql, engine.rows, sql)[0]
    return [(values[place], values[place + 1]) for place in range(0, len(values), 2)]


def _compared(asked: Asked, drift: Drift, reference: ReferenceStatistics) -> _Compared:
    schema = asked.schema
    columns: dict[str, ColumnReference] = {}
    refused: dict[str, str] = {}
    for column in drift.columns or schema.columns:
        statistics = reference.columns.get(column)
        if column not in schema.columns:
            refused[column] = f"{asked.absent([column]).message}."
        elif statistics is None:
            refused[column] = f"The reference {drift.reference} has no column `{column}` whose values can be compared."
        elif kind_of_drift(column, schema) != statistics.kind:
            types = f"{schema.columns[column]} here and {statistics.kind} in the reference"
            refused[column] = f"`{column}` can't be compared: it is {types}."
        elif drift.columns or _by_default(column, statistics, asked):
            columns[column] = statistics
    # Only what the policy names, or what has changed its kind, must be there.
    changed = {column for column in refused if column in schema.columns and column in reference.columns}
    return _Compared(columns, {name: why for name, why in refused.items() if drift.columns or name in changed})


def _by_default(column: str, statistics: ColumnReference, asked: Asked) -> bool:
    """Whether a column is compared without being named: time passes and ids are new, which is no drift."""
    if column == asked.id_column or asked.schema.kind(column) in {"timestamp", "date"}:
        return False
    return not (isinstance(statistics, CategoricalReference) and statistics.distinct > _MOST_VALUES)
