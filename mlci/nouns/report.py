"""What a report shows beside the verdict: series for charts, as plain numbers."""

from __future__ import annotations

import operator
from typing import Literal

from pydantic import Field

from mlci.nouns.base import Noun
from mlci.nouns.comment import Earlier, Spent
from mlci.nouns.finding import Verdict
from mlci.nouns.training import Recipe


class Curve(Noun):
    """A line through points, both axes of the same length and at most a few hundred points.

    Attributes:
        kind: `roc` (false against true positive rate), `pr` (recall against precision),
            `calibration` (mean score against share of positives).
        model: `new`, or the baseline's name.
        x: Horizontal values.
        y: Vertical values.
        weight: Rows behind each point, where it matters (calibration).
    """

    kind: Literal["roc", "pr", "calibration"]
    model: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    weight: tuple[int, ...] = ()


class Histogram(Noun):
    """Counts of scores between `edges` (one more than counts), for one model and one label class."""

    model: str
    label: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]


class SliceChange(Noun):
    """Change of a metric in a slice, with its interval, in the metric's unit (new minus old).

    `tolerance` is the loss that the policy allows, zero or more, where it names one; `good` says which way is
    good where the metric is one of the project's own.
    """

    metric: str
    slice: str
    baseline: str
    rows: int
    change: float
    low: float
    high: float
    outcome: str
    tolerance: float | None = None
    good: Literal["up", "down"] | None = None


class DriftBar(Noun):
    """Effect size of a column's drift, with its lower bound and the tolerance."""

    table: str
    column: str
    measure: Literal["ks", "psi"]
    value: float
    low: float
    tolerance: float


class SeedDots(Noun):
    """A metric of the candidate beside other models of its recipe, by their seed, and earlier ones, by baseline."""

    metric: str
    good: Literal["up", "down"] | None = None
    new: float
    seeds: dict[str, float]
    old: dict[str, float] = {}


class Charts(Noun):
    """All series of a report."""

    curves: tuple[Curve, ...] = ()
    scores: tuple[Histogram, ...] = ()
    slices: tuple[SliceChange, ...] = ()
    drift: tuple[DriftBar, ...] = ()
    seeds: tuple[SeedDots, ...] = ()


class MetricRow(Noun):
    """A metric of the candidate, beside each baseline's, for the table of numbers.

    `low` and `high` are a 90 % interval of the candidate's value; null where the rows are too few.
    """

    metric: str
    new: float | None
    old: dict[str, float | None] = {}
    low: float | None = None
    high: float | None = None


class SliceValue(Noun):
    """A metric of the candidate in a slice that the policy names.

    Attributes:
        slice: Its name, such as `origin = JFK`.
        rows: Rows of it.
        metric: The metric.
        new: The candidate's value.
        low: Lower end of its 90 % interval; null where the rows are too few.
        high: Upper end.
    """

    slice: str
    rows: int
    metric: str
    new: float
    low: float | None = None
    high: float | None = None


class WeakSlice(Noun):
    """A slice that nobody named, on which the candidate is credibly worse: told, never judged.

    Attributes:
        slice: Its name, such as `origin = JFK, distance 0 to 500`.
        rows: Rows of it.
        than: Whether it is worse than elsewhere, or than before.
        baseline: What 'before' is.
        measure: What is compared: the share of wrong rows, or the mean absolute error of a regression.
        measured: That in the slice; its change where `than` is `before`.
        excess: How much more that is than on all rows, shrunk because many slices were looked at.
        low: Lower end of the 95 % credible interval of the excess.
        high: Upper end.
    """

    slice: str
    rows: int
    than: Literal["elsewhere", "before"]
    baseline: str | None = None
    measure: Literal["wrong rows", "absolute error"] = "wrong rows"
    measured: float
    excess: float
    low: float
    high: float


class GroupRate(Noun):
    """A rate in one group, with 95 % intervals: told, never judged.

    Attributes:
        kind: Which rate.
        group: The group.
        rows: Rows of it that the rate is about.
        rate: The candidate's.
        low: Lower end of its interval.
        high: Upper end.
        difference: Of the rate from that of all other groups together.
        difference_low: Lower end of its interval.
        difference_high: Upper end.
        before: The old model's rate on the rows that both have answered; None where there is no such model.
        change: Of the rate since then, on these rows.
        change_low: Lower end of its interval.
        change_high: Upper end.
    """

    kind: Literal["selection rate", "true positive rate", "false positive rate"]
    group: str
    rows: int
    rate: float
    low: float
    high: float
    difference: float
    difference_low: float
    difference_high: float
    before: float | None = None
    change: float | None = None
    change_low: float | None = None
    change_high: float | None = None


class ColumnDiff(Noun):
    """How a column changed between two versions of a table; numbers as text, missing as empty.

    Attributes:
        column: Its name.
        what: `shifted` where the values changed, whether or not their distribution did.
        old: What was measured of the old version, by name: `missing`, `mean`, `median`, `share of AA`, `type`.
        new: The same of the new version.
        changed: Rows that both versions have and in which this column differs; None where rows can't be told apart.
        note: What else a reader should know.
    """

    column: str
    what: Literal["added", "removed", "retyped", "shifted", "same"]
    old: dict[str, str] = {}
    new: dict[str, str] = {}
    changed: int | None = None
    note: str = ""


class RowChange(Noun):
    """One changed cell; every text may be hostile, and a missing value is None."""

    id: str
    column: str
    old: str | None
    new: str | None


class DataDiff(Noun):
    """What changed in a table between two revisions.

    Attributes:
        table: Name in the policy.
        old: The older revision.
        new: The newer revision, or `work tree`.
        rows_old: Rows of the old version; None where it was not read.
        rows_new: Rows of the new version.
        added: Rows that only the new version has.
        removed: Rows that only the old version has.
        changed: Rows with the same id and other values; None where the rows have no id.
        columns: The columns that changed.
        examples: At most ten changed cells.
        note: Whether it is unchanged, could not be compared, or what a reader must know of the comparison.
    """

    table: str
    old: str
    new: str
    rows_old: int | None = None
    rows_new: int | None = None
    added: int | None = None
    removed: int | None = None
    changed: int | None = None
    columns: tuple[ColumnDiff, ...] = ()
    examples: tuple[RowChange, ...] = ()
    note: str = ""


class Timing(Noun):
    """What a run took. It differs from run to run, so it stands beside the verdict and never in it.

    Attributes:
        seconds: From start to end.
        steps: The parts of it, in the order in which they ran.
        stages: Stages of the pipeline that ran, in that order.
        pulled: Files that were pulled from a remote.
        pulled_bytes: Their size.
    """

    seconds: float
    steps: tuple[Spent, ...] = ()
    stages: tuple[Spent, ...] = ()
    pulled: tuple[str, ...] = ()
    pulled_bytes: int = 0


class Report(Noun):
    """Everything that a renderer may show; the verdict decides, the rest explains.

    `carried` is the base's verdict, where nothing changed that it speaks of. `timing` differs from run to run.
    """

    verdict: Verdict
    metrics: tuple[MetricRow, ...] = ()
    charts: Charts = Charts()
    diffs: tuple[DataDiff, ...] = ()
    weak: tuple[WeakSlice, ...] = ()
    fairness: tuple[GroupRate, ...] = ()
    recipe: Recipe | None = None
    repeat: tuple[str, ...] = ()
    carried: Earlier | None = None
    timing: Timing | None = None
    # Left out where there are none, so that reports of earlier versions keep their digests.
    slices: tuple[SliceValue, ...] = Field((), exclude_if=operator.not_)

    @property
    def evidence(self) -> Report:
        """The verdict and the metrics without rows of anybody's data, to be kept where many can read them."""
        return Report(verdict=self.verdict.without_rows(), metrics=self.metrics, slices=self.slices)


class Result(Noun):
    """What came of one project.

    Attributes:
        project: Its folder, from the repository's top; `.` for the top itself.
        report: What was found; of a run that did not come to a verdict, that it did not.
        error: Why there is no verdict, with the mend; empty where there is one.
        exit_code: 0 held, 1 a gate failed, 2 the policy or the call is wrong, 3 the world is wrong.
    """

    project: str
    report: Report
    error: str = ""
    exit_code: int = 0
