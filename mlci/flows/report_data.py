"""Check the data and keep what was found as the report of that stage."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlci.flows.check_data import check_data
from mlci.flows.data_findings import DATA_REPORT
from mlci.flows.report import save_stage
from mlci.flows.verdict import assemble_stage, data_digests
from mlci.nouns.report import Charts, Report

if TYPE_CHECKING:
    from pathlib import Path

    from mlci.nouns.data_result import DataResult
    from mlci.nouns.policy import PolicyFile


def check_and_report(
    root: Path,
    policy: PolicyFile,
    *,
    tables: tuple[str, ...] = (),
    out: str = DATA_REPORT,
    rows_to: Path | None = None,
    explain: bool = False,
) -> tuple[Report, DataResult]:
    """Check the tables, and write the report of this stage to `out`. Raises as `check_data`."""
    # Files are hashed beside the checks: that leaves Python free, and a core is idle while the engine starts.
    with ThreadPoolExecutor(1) as beside:
        about = beside.submit(data_digests, root, policy, tables)
        found = check_data(root, policy, now=datetime.now(UTC), tables=tables, rows_to=rows_to, explain=explain)
    verdict = assemble_stage(root, policy, findings=found.findings, about=about.result())
    report = Report(verdict=verdict, charts=Charts(drift=found.drift), repeat=(" ".join(("mlci data check", *tables)),))
    save_stage(root, out, report)
    return report, found
