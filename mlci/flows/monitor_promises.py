"""The promises of `mlci.data` about the model's inputs, measured on the newest rows of production."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from mlci.edges.scratch import scratch
from mlci.errors import PolicyError
from mlci.flows.check_data import check_data
from mlci.judge.monitor.limits import broken
from mlci.nouns.data_policy import Column, Table
from mlci.nouns.policy import Policy, PolicyFile

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from mlci.nouns.data_policy import Limited
    from mlci.nouns.finding import Finding

_FILE = "production.parquet"
_KEPT = {"type", "missing", "range", "allowed", "pattern", "length", "tolerance", "level", "optional"}
"""What can be promised of a row: means and quantiles of few days are noise, which the streams tell from a change."""


def production_table(policy: PolicyFile) -> str:
    """The table whose promises inputs must keep; empty where there is none.

    Raises:
        PolicyError: There is no table of that name.
    """
    tables = policy.policy.data
    wanted = policy.policy.monitor.data if policy.policy.monitor is not None else ""
    if wanted and wanted not in tables:
        raise PolicyError(
            f"{policy.place('monitor', 'data')}: there is no table `{wanted}`", f"Known tables: {', '.join(tables)}."
        )
    return wanted or next((name for name, table in tables.items() if table.columns), "")


def check_inputs(
    policy: PolicyFile, window: pa.Table, *, now: datetime, private: Collection[str] = (), streams: int = 1
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """What the promises come to, and those that are broken beyond chance.

    Args:
        policy: Tables and monitoring.
        window: The newest rows, as a window of predictions.
        now: The moment.
        private: Inputs that are not stored.
        streams: How many streams share alpha; all promises together have the share of one.
    """
    name, monitor = production_table(policy), policy.policy.monitor
    if not name or monitor is None or not window.num_rows:
        return (), ()
    inputs = window.combine_chunks().column("inputs")
    struct = pa.concat_arrays(inputs.chunks)
    stored = [(field.name, struct.field(place)) for place, field in enumerate(struct.type) if field.name not in private]
    promised = _promised(policy.policy.data[name], {column for column, _ in stored})
    if not promised:
        return (), ()
    with scratch("monitor") as folder:
        pq.write_table(pa.Table.from_arrays([a for _, a in stored], [n for n, _ in stored]), folder / _FILE)
        table = Table(path=_FILE, columns=promised, level=monitor.data_level)
        derived = Policy(data={name: table}, engine=policy.policy.engine)
        asked = PolicyFile(derived, policy.file, policy.lines)
        findings = check_data(folder, asked, now=now).findings
    alpha = monitor.alpha / (2 * max(streams, 1) * max(len(findings), 1) * monitor.periods)
    findings = tuple(_without_rows(one) for one in findings)
    return findings, tuple(one for one in findings if broken(one, _limit(one, promised, name), alpha))


def _promised(table: Table, stored: Collection[str]) -> dict[str, Column]:
    """The promises about single values of inputs; those about parts of the rows may ask for other columns."""
    found = {}
    for name, column in table.columns.items():
        if name in stored or name == "*":
            kept = {key: value for key, value in column if key in _KEPT and key in column.model_fields_set}
            kept = {key: value for key, value in kept.items() if not _parted(value)}
            if kept and column.where is None and not column.by:
                found[name] = Column.model_validate({key: _dumped(value) for key, value in kept.items()})
    return found


def _parted(value: object) -> bool:
    return bool(getattr(value, "where", None) or getattr(value, "by", ()))


def _dumped(value: object) -> object:
    return value.model_dump(exclude_unset=True) if hasattr(value, "model_dump") else value


def _limit(finding: Finding, promised: dict[str, Column], table: str) -> float:
    """The share of rows that may break a promise."""
    column = finding.data.column if finding.data is not None else None
    word = finding.check.removeprefix(f"data.{table}.").rsplit(".", 1)[-1]
    about = promised.get(column or "") or promised.get("*") or Column()
    if word == "missing":
        missing = about.missing or (promised["*"].missing if "*" in promised else None)
        return missing.limit.high if missing is not None else 0.0
    check: Limited | None = getattr(about, word, None) if word in _KEPT else None
    own = getattr(check, "tolerance", None)
    return float(own) if own is not None else about.tolerance


def _without_rows(finding: Finding) -> Finding:
    """Rows of production are people's: a state and an issue must not hold them."""
    if finding.data is None:
        return finding
    return finding.model_copy(update={"data": finding.data.model_copy(update={"examples": None})})
