"""What `mlci monitor` knows: the reference, the state between two looks, and what a look found."""

from __future__ import annotations

from typing import Literal

from mlci.nouns.alarm import Alarm, Cause
from mlci.nouns.base import Level, Noun
from mlci.nouns.finding import Finding
from mlci.nouns.monitor import Estimate, Metric, StreamState
from mlci.nouns.report import DriftBar
from mlci.nouns.signature import Signature


class Calibrated(Noun):
    """The map from score to share of positives, as `judge.monitor.estimate.CalibrationMap` has it."""

    edges: tuple[float, ...]
    share: tuple[float, ...]
    rows: tuple[float, ...]
    block: tuple[int, ...]
    ends: tuple[float, float]


class Watched(Noun):
    """A stream that is watched, and how its values are made.

    Attributes:
        name: Of the stream.
        cause: Of the alarm that it raises.
        level: Of that alarm.
        kind: `metric` and `calibration` are means over labelled rows, the others shares of bins.
        column: Of a feature.
        numeric: Whether the bins are of numbers.
        edges: Inner edges of the bins of numbers.
        names: Values of the bins of texts; behind them come `other values` and `missing`.
        fine: Finer edges, for effect sizes.
        fine_counts: Rows of the reference between these.
        missing: Rows of the reference without a value.
        scale: What 1 of the stream is in the metric's unit.
        headline: Whether half of alpha is this stream's.
    """

    name: str
    cause: Cause
    level: Level
    kind: Literal["metric", "calibration", "score", "feature"]
    column: str = ""
    numeric: bool = True
    edges: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    fine: tuple[float, ...] = ()
    fine_counts: tuple[int, ...] = ()
    missing: int = 0
    scale: float = 1.0
    headline: bool = False


class SliceReference(Noun):
    """The headline metric of a slice in the reference, in the unit of its stream."""

    slice: str
    rows: int
    mean: float
    variance: float


class Reference(Noun):
    """What production is compared with; all that is needed of the reference's rows.

    Attributes:
        subject: Digest of what it was made of: the model, its answers, the policy.
        signature: Of the model.
        rows: Rows of the reference.
        watched: The streams.
        calibrated: Of a binary model with scores.
        metric: The metric that is estimated before labels come.
        slices: Of the policy.
    """

    subject: str
    signature: Signature
    rows: int
    watched: tuple[Watched, ...]
    calibrated: Calibrated | None = None
    metric: Metric | None = None
    slices: tuple[SliceReference, ...] = ()


class Counted(Noun):
    """What was counted of the labels of one period's predictions, by one stream."""

    rows: int = 0
    sum: float = 0.0
    evidence: tuple[float, ...] = ()


class Seen(Noun):
    """One period as it was seen.

    Attributes:
        period: Which.
        start: Its first moment, in UTC.
        rows: Predictions.
        labels: Labels of these predictions that are known by now.
        arrived: Labels that arrived in it, of whatever predictions.
        means: Metric → its mean over the labels that arrived in it, in its own unit.
        score: Mean score.
        estimate: The headline metric of these predictions, estimated before their labels came.
        realised: The same by the labels that are known by now.
        full: Stream → how much of the evidence that an alarm takes is there; 1 raises it.
        counted: Stream → what was counted of its labels; kept as long as further ones may come.
    """

    period: int
    start: str
    rows: int = 0
    labels: int = 0
    arrived: int = 0
    means: dict[str, float] = {}
    score: float | None = None
    estimate: Estimate | None = None
    realised: float | None = None
    full: dict[str, float] = {}
    counted: dict[str, Counted] = {}


class Shown(Noun):
    """A stream as it stands.

    Attributes:
        name: Of the stream.
        cause: Of the alarm that it would raise.
        level: Of that alarm.
        full: How much of the evidence that an alarm takes is there, on a log scale; 1 raises it.
        alarmed: Whether its alarm is on.
        part: What explains it best.
        direction: Where that seems to have gone.
        reference: Of that part, in its unit.
        tolerance: What it may move.
        now: Over the newest periods.
        rows: Of those.
    """

    name: str
    cause: Cause
    level: Level
    full: float
    alarmed: bool
    part: str = ""
    direction: Literal["", "down", "up"] = ""
    reference: float | None = None
    tolerance: float | None = None
    now: float | None = None
    rows: int = 0


class SliceShift(Noun):
    """How far the headline metric of a slice is from its reference; told, never judged."""

    slice: str
    rows: int
    reference: float
    now: float
    z: float


class Monitoring(Noun):
    """What one look found.

    Attributes:
        model: Its name.
        healthy: Whether no alarm of level `block` is on.
        headline: In one line.
        alarms: Those that are on.
        ended: Causes whose alarm was on at the look before and is not any more.
        since: First moment that is counted.
        until: The moment behind the last.
        rows: Predictions in that time.
        labels: How many of them have a label.
        due: Predictions that should have a label by now, of the newest periods.
        due_labels: How many of them have one.
        late: Predictions that came for periods that were counted already, and are not counted.
        streams: All that is watched, the most suspicious first.
        seen: The periods, for plots.
        drift: Effect sizes over the newest rows.
        findings: Promises about inputs, measured on the newest rows.
        slices: The headline metric by slice, the farthest from its reference first.
        metric: The headline metric.
        newest_row: The newest prediction, in UTC.
        newest_label: The newest label.
        alpha: Chance of any false alarm over the horizon.
        horizon: In days.
        period: In seconds.
        looked: The moment of the look.
    """

    schema_version: Literal[1] = 1
    model: str
    healthy: bool
    headline: str
    alarms: tuple[Alarm, ...] = ()
    ended: tuple[Cause, ...] = ()
    since: str = ""
    until: str = ""
    rows: int = 0
    labels: int = 0
    due: int = 0
    due_labels: int = 0
    late: int = 0
    streams: tuple[Shown, ...] = ()
    seen: tuple[Seen, ...] = ()
    drift: tuple[DriftBar, ...] = ()
    findings: tuple[Finding, ...] = ()
    slices: tuple[SliceShift, ...] = ()
    metric: str = ""
    newest_row: str = ""
    newest_label: str = ""
    alpha: float = 0.05
    horizon: float = 365.0
    period: float = 86_400.0
    looked: str = ""

    @property
    def exit_code(self) -> int:
        """0: no alarm that blocks is on; 1: one is."""
        return 0 if self.healthy else 1


class MonitorState(Noun):
    """All that a look leaves for the next one.

    Attributes:
        model: Its name.
        reference: What production is compared with.
        begun: The first period that was counted.
        until: The first period that is not counted yet.
        streams: One for each that is watched, in the same order.
        seen: Periods, oldest first.
        newest_row: The newest prediction, in UTC; empty where there was none.
        newest_label: The newest label.
        told: What the last look found, without `seen`.
        late: Predictions that came for periods that were counted already.
    """

    schema_version: Literal[1] = 1
    model: str
    reference: Reference
    begun: int
    until: int
    streams: tuple[StreamState, ...]
    seen: tuple[Seen, ...] = ()
    newest_row: str = ""
    newest_label: str = ""
    told: Monitoring | None = None
    late: int = 0
