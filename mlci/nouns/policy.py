"""The whole schema of `params.yaml: mlci`: one strict policy from data check to monitoring."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from mlci.nouns.base import Level, Noun, Place
from mlci.nouns.budgets import Budgets
from mlci.nouns.change import Good
from mlci.nouns.data_policy import Names, Table
from mlci.nouns.engine import Engine
from mlci.nouns.feedback_policy import FeedbackPolicy
from mlci.nouns.metric import FAMILIES, METRICS, ON_DEMAND, PATTERNS, TASK_METRICS, Task, direction, has_metric
from mlci.nouns.monitor_policy import MonitorPolicy
from mlci.nouns.release_policy import ReleasePolicy
from mlci.nouns.replay_policy import Replay
from mlci.nouns.retrain_policy import RetrainPolicy
from mlci.nouns.rubric import Declared, TestName
from mlci.nouns.scalars import Amount, Number, number
from mlci.nouns.serve import ServePolicy
from mlci.nouns.shorthand import NUMBER, TEXTS, Shorthand, one_or_many
from mlci.nouns.simple import Beats, misfit
from mlci.nouns.training import Train
from mlci.nouns.waiver import Waiver

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue

FailWhen = Literal["any_drop", "worse_than_tolerance"]


class Cost(Noun):
    """What an error costs, per row, in any one unit."""

    false_negative: float = Field(1.0, ge=0)
    false_positive: float = Field(1.0, ge=0)


class Model(Noun):
    """What the model is, what it is for, and how its predictions are read."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    path: str = "models/model.onnx"
    task: Task = "binary"
    label: str
    id: str
    positive: bool | int | str | None = Field(None, description="the label's positive value; default: true or 1")
    threshold: float = Field(0.5, ge=0, le=1, description="score from which a row is decided positive")
    purpose: str = ""
    owner: str = ""
    population: str = ""
    cost: Cost | None = None


class MetricGate(Noun):
    """How far a metric may fall behind the baseline, and where it must stand in any case."""

    drop: Amount | None = Field(None, description="allowed loss of a metric where more is better")
    rise: Amount | None = Field(None, description="allowed gain of a metric where less is better")
    floor: Number | None = Field(None, description="the metric must be credibly above this")
    ceiling: Number | None = Field(None, description="the metric must be credibly below this")
    critical: bool = Field(False, description="'not enough data' blocks too")
    level: Level = "block"
    fail_when: FailWhen = "any_drop"
    function: str | None = Field(
        None,
        pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$",
        description="of a metric of your own: `package.module:function` in the project's folder",
    )
    good: Good | None = Field(None, description="of a metric of your own: whether `up` or `down` is good")

    @property
    def change(self) -> Amount | None:
        """The allowed change in the bad direction, whichever word the policy used."""
        return self.drop or self.rise

    def like(self, general: MetricGate | None) -> MetricGate:
        """The same, of the same function as another promise about the metric."""
        return self if general is None else self.model_copy(update={"function": general.function, "good": general.good})

    def up(self, metric: str) -> bool:
        """Whether more of the metric, which is this promise's, is better."""
        return self.good == "up" if self.good is not None else direction(metric) == 1


class Slice(Shorthand, Noun):
    """A part of the rows that must hold by itself, with promises of its own beside the general ones."""

    where: str
    metrics: dict[str, MetricGate] = {}

    @model_validator(mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:  # noqa: ANN401 - what YAML holds can be anything
        if not isinstance(value, dict) or "metrics" in value:
            return value
        metrics = {key: item for key, item in value.items() if direction(key)}
        rest = {key: item for key, item in value.items() if not direction(key)}
        return {**rest, "metrics": metrics} if metrics else rest

    @classmethod
    def _describe(cls, schema: JsonSchemaValue) -> None:
        gate = schema["properties"]["metrics"]["additionalProperties"]
        schema["properties"] |= dict.fromkeys(METRICS, gate)
        schema["patternProperties"] = dict.fromkeys(PATTERNS, gate)


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _edges(value: object) -> object:
    if isinstance(value, bool) or (isinstance(value, int) and not _FEWEST_BINS <= value <= MOST_BINS):
        raise ValueError(f"between {_FEWEST_BINS} and {MOST_BINS} bins, or the list of their ends, not {value!r}")
    if isinstance(value, list | tuple):
        ends = [number(each) for each in value]
        if len(ends) < _FEWEST_BINS or any(low >= high for low, high in pairwise(ends)):
            raise ValueError(f"the ends of bins are two or more numbers that go up, not {value!r}")
        return ends
    if not isinstance(value, int):
        raise ValueError(f"a number of bins, such as 4, or the list of their ends is needed here, not {value!r}")  # noqa: TRY004 - pydantic wants ValueError
    return value


_FEWEST_BINS, MOST_BINS = 2, 100
By = Annotated[
    tuple[str | tuple[str, ...], ...],
    BeforeValidator(_listed),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"anyOf": list(TEXTS)}}]}),
]
"""Columns, and lists of columns to cross."""
Bins = Annotated[
    int | tuple[float, ...],
    BeforeValidator(_edges),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 2, "maximum": MOST_BINS},
                {"type": "array", "items": NUMBER, "minItems": 2},
            ]
        }
    ),
]
"""How many bins of about equally many rows, or the ends of bins."""


class Slices(Shorthand, Noun):
    """Named slices, columns each value of which becomes a slice, and columns whose bins do."""

    named: dict[str, Slice] = {}
    by: By = ()
    bins: dict[str, Bins] = {}

    @model_validator(mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:  # noqa: ANN401 - what YAML holds can be anything
        if not isinstance(value, dict) or "named" in value:
            return value
        named = {key: item for key, item in value.items() if key not in {"by", "bins"}}
        return {"named": named, **{key: value[key] for key in ("by", "bins") if key in value}}

    @classmethod
    def _describe(cls, schema: JsonSchemaValue) -> None:
        schema["additionalProperties"] = schema["properties"].pop("named")["additionalProperties"]


class Weak(Noun):
    """Where to look for slices on which the candidate is worse."""

    features: Names = Field(description="columns of the test table; numbers are cut into quarters")


class Fairness(Noun):
    """Whose rates to set side by side."""

    groups: Names = Field(description="columns of the test table, such as sex")


Baseline = Literal["merge-base", "release", "previous"]


class Gate(Noun):
    """What the candidate must show against the previous model on the same rows."""

    test: str = "data/test.parquet"
    predictions: str = "models/predictions.parquet"
    trained_on: str = Field(
        "models/trained_on.parquet", description="digests of the rows that the model was trained on"
    )
    baseline: Annotated[tuple[Baseline, ...], BeforeValidator(_listed)] = Field(
        ("merge-base", "release"), json_schema_extra=one_or_many
    )
    branch: str | None = Field(None, description="the branch merged into; default: origin/HEAD, main or master")
    alpha: float = Field(0.05, gt=0, lt=0.5, description="chance to block a model that is no worse")
    beta: float = Field(0.05, gt=0, lt=0.5, description="chance to pass a model that is worse by the tolerance")
    metrics: dict[str, MetricGate] = {}
    slices: Slices = Slices()
    beats: Annotated[Beats, Field(json_schema_extra=one_or_many)] = ()
    train: str = Field("data/train.parquet", description="the training table, for the simple models of `beats`")
    inputs: Names = Field((), description="columns that simple models read; default: the model's inputs")
    group: str | None = Field(None, description="a column of the test table: rows of one value are no independent ones")
    weak: Weak | None = Field(None, description="look for weak slices: reported, never judged")
    fairness: Fairness | None = Field(None, description="rates by group: reported, never judged")
    seed: int = Field(20_240_101, description="of the bootstrap, so that a verdict can be repeated")
    reuse: int = Field(50, ge=1, description="how often the test set may be used")


class Policy(Noun):
    """Everything that a team promises of its data and its model."""

    model: Model | None = None
    data: dict[str, Table] = {}
    gate: Gate | None = None
    train: Train | None = None
    budgets: Budgets | None = None
    engine: Engine = Engine()
    waivers: tuple[Waiver, ...] = ()
    release: ReleasePolicy | None = None
    serve: ServePolicy | None = None
    monitor: MonitorPolicy | None = None
    feedback: FeedbackPolicy | None = None
    retrain: RetrainPolicy | None = None
    replay: Replay | None = None
    score: dict[TestName, Declared] = Field({}, description="tests of the ML Test Score that no file shows by itself")

    @model_validator(mode="after")
    def _consistent(self) -> Policy:
        if self.gate is None:
            if self.train is not None:
                raise ValueError("train: training again is measured by a gate; add `gate:`, or leave `train` out")
            if self.budgets is not None:
                raise ValueError("budgets: they are judged where models are compared; add `gate:` with a test table")
            if self.retrain is not None:
                raise ValueError("retrain: a challenger is judged by a gate; add `gate:` with a test table")
            if self.replay is not None:
                raise ValueError("replay: challengers are judged by a gate; add `gate:` with a test table")
            return self
        if self.model is None:
            raise ValueError("gate: a gate needs `model:` with at least name, label and id")
        places: list[tuple[str, dict[str, MetricGate]]] = [("gate.metrics", self.gate.metrics)]
        places += [(f"gate.slices.{name}", part.metrics) for name, part in self.gate.slices.named.items()]
        _beatable(self.gate, self.model)
        own = {name: item for name, item in self.gate.metrics.items() if item.function is not None}
        for where, metrics in places:
            for name, gate in metrics.items():
                _agrees(f"{where}.{name}", name, _own(f"{where}.{name}", name, gate, own), self.model)
        return self


def _beatable(gate: Gate, model: Model) -> None:
    """Refuse simple models that the task has not, or that nothing tells from the candidate."""
    if gate.beats and (why := misfit(gate.beats, model.task)) is not None:
        raise ValueError(f"gate.beats: {why}")
    if gate.beats and not gate.metrics:
        raise ValueError("gate.beats: it takes a metric in `gate.metrics` to tell which model is better")
    for column in (model.label, model.id):
        if column in gate.inputs:
            raise ValueError(f"gate.inputs: {column!r} is the label or the id, which no model may read")


def _own(where: str, name: str, gate: MetricGate, own: dict[str, MetricGate]) -> MetricGate:
    """Refuse a function where none belongs; a slice's promise learns from the general one which way is good."""
    if gate.function is not None:
        if where != f"gate.metrics.{name}":
            raise ValueError(f"{where}.function: the function of a metric stands in `gate.metrics`")
        if direction(name) is not None:
            raise ValueError(f"{where}.function: {name} is a metric that mlci has; give yours another name")
        if gate.good is None:
            raise ValueError(f"{where}: a metric of your own needs `good: up` or `good: down`")
    elif gate.good is not None:
        raise ValueError(f"{where}.good: only a metric with a `function` of your own has it")
    return gate.like(own.get(name))


def _agrees(where: str, name: str, gate: MetricGate, model: Model) -> None:
    """Refuse a metric that the task has not, and limits on the wrong side."""
    if gate.function is None and not has_metric(model.task, name):
        known = ", ".join((*TASK_METRICS[model.task], *ON_DEMAND[model.task], *FAMILIES[model.task]))
        raise ValueError(
            f"{where}: a {model.task} model has no metric {name!r}; it has {known}, or one of your own with `function`"
        )
    if name == "cost" and model.cost is None:
        raise ValueError(f"{where}: `model.cost` must say what a false negative and a false positive cost")
    up = gate.up(name)
    wrong, right = ("rise", "ceiling"), ("drop", "floor")
    if not up:
        wrong, right = right, wrong
    for bad, good in zip(wrong, right, strict=True):
        if getattr(gate, bad) is not None:
            more = "more" if up else "less"
            raise ValueError(f"{where}.{bad}: of {name} {more} is better: write `{good}` instead of `{bad}`")


@dataclass(frozen=True)
class PolicyFile:
    """A policy, and where each of its keys stands.

    Attributes:
        policy: What the file says.
        file: Its path, relative to the repository.
        lines: The line of every key by its path inside `mlci`, such as `("data", "flights", "rows")`.
    """

    policy: Policy
    file: str = "params.yaml"
    lines: dict[tuple[str, ...], int] = field(default_factory=dict)

    def place(self, *path: str) -> Place:
        """Where the key, or the nearest key above it, is written."""
        for end in range(len(path), -1, -1):
            if (line := self.lines.get(path[:end])) is not None:
                return Place(file=self.file, line=line)
        return Place(file=self.file)
