"""When and how a model is trained again: `params.yaml: mlci.retrain`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from mlci.nouns.alarm import Cause
from mlci.nouns.base import Noun
from mlci.nouns.data_policy import Names
from mlci.nouns.scalars import Duration, Number
from mlci.nouns.shorthand import one_or_many

_BRANCH = re.compile(r"(?!-)(?!.*(?:\.\.|//|@\{|\.lock(?:/|$)))[\w][\w./-]{0,120}(?<![./])", re.ASCII)
_SUBDAY = re.compile(r"%-?[HIMSfpcXsz]")


class NewData(Noun):
    """How the next version of the data is made: a parameter is moved, a command runs, or both in this order."""

    parameter: str = Field(
        "", description="the parameter that is moved: `data.until`, or `config/data.yaml:until` in another file"
    )
    to: str = Field(
        "%Y-%m", description="its value, from the newest day, month or year that is over: `%Y-%m-%d`, `%Y-%m`, `%Y`"
    )
    lag: Duration = Field(timedelta(0), description="how long after its end a period's labels are complete: 3d")
    command: str = Field(
        "", description="command that brings new data, such as `dvc update data/raw.dvc`; it finds MLCI_TO and MLCI_NOW"
    )

    @field_validator("to")
    @classmethod
    def _names_days(cls, pattern: str) -> str:
        if _SUBDAY.search(pattern):
            raise ValueError(f"{pattern!r} names hours; a version of the data ends with a day or something longer")
        days = [datetime(2024, 2, 3), datetime(2025, 2, 3)]  # noqa: DTZ001 - dates on the policy's own calendar
        if len({day.strftime(pattern) for day in days}) < 2:  # noqa: PLR2004 - two years
            raise ValueError(f"{pattern!r} is the same every year; write such as %Y-%m")
        return pattern

    @model_validator(mode="after")
    def _makes_something(self) -> NewData:
        if not self.parameter and not self.command:
            raise ValueError("name the `parameter` that is moved, or a `command` that brings new data, or both")
        return self


def _causes(value: object) -> object:
    return [value] if isinstance(value, str) else value


class When(Noun):
    """What asks for a new model; each of them is enough. A person may always ask: `mlci retrain --by-hand`."""

    every: Duration | None = Field(None, description="so long after the last training: 30d")
    alarms: Annotated[tuple[Cause, ...], BeforeValidator(_causes)] = Field(
        ("performance", "calibration"),
        description="alarms of `mlci monitor` that ask; drift alone asks for nothing unless it is named",
        json_schema_extra=one_or_many,
    )
    labels: int | None = Field(None, ge=1, description="so many labels came since the last training")
    data: bool = Field(False, description="whether newer data asks by itself")


class Price(Noun):
    """What training costs, told in the pull request."""

    per_hour: Number = Field(ge=0, description="of the machine that trains")
    currency: str = Field("USD", max_length=12)


def branch_name(branch: str) -> str:
    """The name of a branch, or nothing.

    Raises:
        ValueError: Git, or a reader, would take it for something else.
    """
    if branch and not _BRANCH.fullmatch(branch):
        raise ValueError(f"{branch!r} is no name of a branch")
    return branch


class RetrainPull(Noun):
    """The pull request that offers a new model."""

    branch: str = Field("", description="its branch, which is ours alone; default: `retrain/` and the model's name")
    labels: Names = Field(("mlci", "retraining"), description="labels of the pull request")
    assignees: Names = Field((), description="who is assigned to it")
    merge: Literal["never", "pass"] = Field(
        "never", description="whether it is merged by itself: `pass` where every check passes"
    )

    @field_validator("branch")
    @classmethod
    def _a_branch(cls, branch: str) -> str:
        return branch_name(branch)


def _price(value: Any) -> Any:  # noqa: ANN401 - what YAML holds can be anything
    return value if isinstance(value, dict | Price) or value is None else {"per_hour": value}


class RetrainPolicy(Noun):
    """When a model is trained again, on what, and how it is offered."""

    data: NewData
    when: When = When()
    cooldown: Duration = Field(timedelta(days=7), description="how long after a training no other one starts by itself")
    least_labels: int = Field(
        0, ge=0, description="fresh labelled rows that a new model needs to be trained and judged"
    )
    holdout: str = Field(
        "", description="a labelled table of another season that no model trains on; the challenger must hold there too"
    )
    price: Annotated[Price | None, BeforeValidator(_price)] = Field(
        None, description="what an hour of training costs: `0.40`, or `{per_hour: 0.40, currency: EUR}`"
    )
    pull: RetrainPull = RetrainPull()
