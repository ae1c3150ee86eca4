"""Findings about drift: one for each compared column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.judge.drift import ks_margin, psi_lower
from mlci.nouns.finding import DataEvidence, Finding
from mlci.nouns.report import DriftBar

if TYPE_CHECKING:
    from mlci.nouns.base import Level, Place
    from mlci.nouns.data_policy import Drift
    from mlci.nouns.shift import CategoricalShift, NumericShift


class DriftJudge:
    """Judges the columns of one table.

    Args:
        table: Its name in the policy.
        drift: Its tolerances.
        level: How grave drift is.
        place: Where the policy asks for it.
    """

    def __init__(self, table: str, drift: Drift, level: Level, place: Place) -> None:
        self.table = table
        self.drift = drift
        self.level = level
        self.place = place

    def numeric(self, column: str, shift: NumericShift) -> tuple[Finding, DriftBar]:
        """Kolmogorov-Smirnov's distance, with Wasserstein's beside it for the reader."""
        margin = ks_margin(shift.rows, shift.reference, self.drift.alpha)
        low = max(shift.ks - margin, 0.0)
        moved = "" if shift.w1 is None else f" It moved by {shift.w1:.2g} standard deviations."
        few = low <= self.drift.ks < 2 * margin
        seen = f" So few rows only show distances above {self.drift.ks + margin:.2g}." if few else ""
        finding = self._finding(column, "KS distance", (shift.ks, low, self.drift.ks), shift.rows, moved + seen)
        return finding, self._bar(column, "ks", (shift.ks, low, self.drift.ks))

    def categorical(self, column: str, shift: CategoricalShift) -> tuple[Finding, DriftBar]:
        """The population stability index."""
        low = psi_lower(shift.psi, shift.bins, shift.rows, shift.reference, self.drift.alpha)
        numbers = (shift.psi, low, self.drift.psi)
        return self._finding(column, "PSI", numbers, shift.rows, ""), self._bar(column, "psi", numbers)

    def unmeasured(self, column: str | None, why: str, mend: str) -> Finding:
        """A column that could not be compared: what was not measured does not pass."""
        return Finding(
            check=f"data.{self.table}.drift" + (f".{column}" if column else ""),
            title=f"drift of {column or self.table}",
            area="data",
            level=self.level,
            outcome="not_measured",
            message=why,
            mend=mend,
            place=self.place,
            data=DataEvidence(table=self.table, column=column),
        )

    def _finding(self, column: str, measure: str, numbers: tuple[float, float, float], rows: int, more: str) -> Finding:
        value, low, tolerance = numbers
        failed = low > tolerance
        sure = f"{100 * (1 - self.drift.alpha):g} % sure"
        start = f"`{column}` has drifted" if failed else f"`{column}` is not shown to have drifted"
        said = f"{measure} {value:.3g}, at least {low:.3g} ({sure}, {rows:,} rows)"
        return Finding(
            check=f"data.{self.table}.drift.{column}",
            title=f"drift of {column}",
            area="data",
            level=self.level,
            outcome="fail" if failed else "pass",
            message=f"{start}: {said}; the policy allows {tolerance:g}.{more}",
            mend=_mend(self.drift.reference, self.place) if failed else "",
            place=self.place,
            data=DataEvidence(
                table=self.table,
                column=column,
                rows=rows,
                measured=float(f"{value:.12g}"),
                low=float(f"{low:.12g}"),
                limit=f"{measure} <= {tolerance:g}",
            ),
        )

    def _bar(self, column: str, measure: str, numbers: tuple[float, float, float]) -> DriftBar:
        value, low, tolerance = (float(f"{number:.12g}") for number in numbers)
        name = "ks" if measure == "ks" else "psi"
        return DriftBar(table=self.table, column=column, measure=name, value=value, low=low, tolerance=tolerance)


def _mend(reference: str, place: Place) -> str:
    return (
        "See whether the source has changed. If the new data is right, retrain on it and renew the reference "
        f"({reference}, {place})."
    )
