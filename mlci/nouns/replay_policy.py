"""How the past is replayed: `params.yaml: mlci.replay`."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from mlci.nouns.base import Noun
from mlci.nouns.scalars import Duration

ParameterValue = bool | int | float | str | None


class Replay(Noun):
    """The loop over data that is there already, period by period: what would have been alarmed, trained, accepted."""

    since: str = Field(description="value of `mlci.retrain.data.parameter` that the first model is made with: 2013-03")
    until: str = Field(description="its last value")
    time: str = Field(description="column of the test table with the moment that a row is about")
    notice: Duration = Field(timedelta(0), description="how long before that moment it is predicted: 2h")
    labelled: str = Field("", description="column with the moment at which its label is known; default: `time`")
    parameters: dict[str, ParameterValue] = Field(
        {},
        description="parameters of all models of the past, such as fewer rows: `{mlci.data.flights.rows: '>= 1_000'}`",
    )
    rival: dict[str, ParameterValue] = Field(
        {}, description="parameters of another challenger that the gate is asked about each time: `{data.window: 3}`"
    )
