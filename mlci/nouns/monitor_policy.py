"""How production is watched: `params.yaml: mlci.monitor`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from mlci.nouns.base import Level, Noun
from mlci.nouns.data_policy import Names
from mlci.nouns.scalars import Bound, Duration, Number, Share

Watchable = Literal["accuracy", "cost", "brier", "error"]
"""Metrics that are means of a bounded value per row."""


class MetricWatch(Noun):
    """What a metric may lose before it counts as a change."""

    tolerance: Number = Field(0.0, ge=0, description="allowed loss, in the metric's unit: 1pt")
    level: Level = "block"


def _metrics(value: Any) -> Any:  # noqa: ANN401 - what YAML holds can be anything
    """A list of names is short for metrics that may lose nothing."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list | tuple):
        return {name: {} for name in value}
    return {name: {} if item is None else item for name, item in value.items()} if isinstance(value, dict) else value


class DriftWatch(Noun):
    """What inputs and scores may move before it counts as a change."""

    tolerance: Share = Field(0.05, description="how far the share of a bin may move")
    columns: Names = Field((), description="inputs to watch; default: all")
    level: Level = Field("warn", description="of the inputs; drift alone is no loss of performance")
    score: Level = Field("warn", description="of the score")
    ks: Share = Field(0.1, description="effect that counts as drift in a window, of numbers")
    psi: float = Field(0.1, ge=0, description="effect that counts as drift in a window, of categories")


class Labels(Noun):
    """How labels are waited for."""

    within: Duration = Field(timedelta(days=30), description="how long after its prediction a label still counts")
    due: Duration = Field(timedelta(days=7), description="when most labels should be there")
    coverage: Share = Field(0.0, description="least share of labels of predictions that are due")
    level: Level = "warn"


class Stale(Noun):
    """How old things may be."""

    model: Duration | None = Field(None, description="the commit that changed the model: 180d")
    rows: Duration | None = Field(None, description="the newest prediction: 2d")
    labels: Duration | None = Field(None, description="the newest label: 7d")
    level: Level = "warn"


class Software(Noun):
    """Limits of the service itself."""

    rows: Bound | None = Field(None, description='predictions of a period: ">= 100"')
    metrics: str = Field("", description="Prometheus text of the server: a file or an http address")
    errors: Share | None = Field(None, description="most requests that may fail")
    latency_p99: Duration | None = Field(None, description="99 of 100 requests must be answered in this time")
    level: Level = "warn"


class Issue(Noun):
    """The issue that an alarm becomes."""

    labels: Names = Field(("mlci", "monitoring"), description="labels of the issue")
    assignees: Names = Field((), description="who is assigned to it")


class MonitorPolicy(Noun):
    """What is watched in production, and how much may change."""

    log: str = Field("", description="sqlite:///FILE, postgresql://…, or files; default: `mlci.serve.log`")
    names: dict[str, str] = Field({}, description="our column name → that of the files: `{predicted_at: time}`")
    reference: str = Field("", description="table that production is compared with; default: `mlci.gate.test`")
    predictions: str = Field("", description="the model's answers to it; default: `mlci.gate.predictions`")
    period: Duration = Field(timedelta(days=1), description="what is judged at once: the cycle, 1d or 7d")
    horizon: Duration = Field(timedelta(days=365), description="over which the bound on false alarms holds")
    window: Duration = Field(timedelta(days=7), description="newest rows on which promises and effects are measured")
    alpha: float = Field(0.05, gt=0, lt=0.5, description="chance of any false alarm in the horizon")
    metrics: Annotated[dict[Watchable, MetricWatch], BeforeValidator(_metrics)] = Field(
        {}, description="performance; the first has half of alpha; default: cost or accuracy, by the task"
    )
    calibration: Level | None = Field("block", description="whether scores still mean what they say; null: not watched")
    drift: DriftWatch = DriftWatch()
    data: str = Field("", description="table of `mlci.data` whose promises inputs must keep; default: the first")
    data_level: Level = "warn"
    labels: Labels = Labels()
    stale: Stale = Stale()
    software: Software = Software()
    issue: Issue = Issue()
    webhook: str = Field("", description="name of the environment variable that holds an address to tell alarms to")

    @field_validator("period", "horizon", "window")
    @classmethod
    def _lasting(cls, time: timedelta) -> timedelta:
        if time <= timedelta(0):
            raise ValueError("it takes some time, such as 1d")
        return time

    @model_validator(mode="after")
    def _ordered(self) -> MonitorPolicy:
        if self.horizon < 2 * self.period:
            raise ValueError("horizon: it is at least two periods long")
        return self

    @property
    def periods(self) -> int:
        """Periods of the horizon."""
        return round(self.horizon / self.period)
