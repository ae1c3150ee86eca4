"""What the last data check found, for the verdict that stands on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from mlci.edges.files import digest, read_text
from mlci.errors import WorldError
from mlci.nouns.finding import Finding, Verdict
from mlci.nouns.report import Report

if TYPE_CHECKING:
    from pathlib import Path

    from mlci.nouns.policy import PolicyFile

REPORTS = "reports"
DATA_REPORT = f"{REPORTS}/data.json"
REPORT = f"{REPORTS}/report.json"
VERDICT = f"{REPORTS}/verdict.json"


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
    """The last data check; what is checked no longer is in it, so that no old green passes for a new one.

    Returns:
        None where the policy promises nothing of any table.
    """
    if not policy.policy.data:
        return None
    if not (root / DATA_REPORT).is_file():
        return _stale(policy, "The data was not checked.")
    found = load_report(root, DATA_REPORT)
    known = found.verdict.digests.data
    changed = [
        table.path
        for table in policy.policy.data.values()
        if (root / table.path).is_file() and known.get(table.path) != digest(root / table.path)
    ]
    if changed:
        return _stale(policy, f"{', '.join(sorted(set(changed)))} changed since the data was checked.")
    return found


def _stale(policy: PolicyFile, message: str) -> Report:
    finding = Finding(
        check="data.checked",
        title="the data is checked",
        area="data",
        outcome="not_measured",
        message=message,
        mend="Run `mlci data check` (`dvc repro` does) and compare again.",
        place=policy.place("data"),
    )
    return Report(verdict=Verdict(project="", outcome="fail", headline="", findings=(finding,), tool=""))
