"""What a model may cost to run: `params.yaml: mlci.budgets`."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from mlci.nouns.base import Level, Noun
from mlci.nouns.scalars import number
from mlci.nouns.shorthand import NUMBER, Shorthand

BudgetName = Literal["latency_p50", "latency_p99", "throughput", "cold_start", "size", "memory", "cost_per_million"]
NAMES: tuple[BudgetName, ...] = get_args(BudgetName)
Kind = Literal["time", "rate", "bytes", "money"]
KINDS: dict[BudgetName, Kind] = {
    "latency_p50": "time",
    "latency_p99": "time",
    "throughput": "rate",
    "cold_start": "time",
    "size": "bytes",
    "memory": "bytes",
    "cost_per_million": "money",
}

_AMOUNT = r"(\d[\d_]*(?:\.\d+)?)"
_UNITS: dict[Kind, dict[str, float]] = {
    "time": {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0},
    "rate": {"/s": 1.0, "/min": 1 / 60},
    "bytes": {"B": 1.0, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9},
    "money": {"": 1.0},
}
_SUCH_AS = {
    "time": "a time such as 5ms, 800us or 2s",
    "rate": "a rate such as 1000/s",
    "bytes": "a size such as 20MB or 2GB",
    "money": "an amount of money such as 0.50",
}


def _read(kind: Kind, value: object) -> object:
    if isinstance(value, dict | Limit):
        return value
    bare = isinstance(value, int | float) and not isinstance(value, bool) and kind in ("bytes", "money")
    text = str(value).strip() if bare or isinstance(value, str) else ""
    units = {**_UNITS[kind], **({"": 1.0} if kind == "bytes" and bare else {})}
    match = re.fullmatch(_AMOUNT + r"\s*(\S*)", text)
    if match is None or match[2] not in units:
        hint = "; a share of the previous model's is {rise: 20%}" if "%" in str(value) else ""
        raise ValueError(f"{_SUCH_AS[kind]} is needed here, not {value!r}{hint}")
    amount = float(match[1].replace("_", "")) * units[match[2]]
    if amount <= 0:
        raise ValueError(f"a limit is more than nothing, not {value!r}")
    return {"value": amount, "text": text}


class Limit(Noun):
    """A limit in seconds, per second, bytes or money, and as somebody wrote it."""

    value: float = Field(gt=0)
    text: str

    def __str__(self) -> str:
        return self.text


def _schema(kind: Kind) -> dict[str, Any]:
    units = "|".join(unit for unit in _UNITS[kind] if unit)
    text = {"type": "string", "pattern": rf"^\s*{_AMOUNT}\s*({units}){'?' if kind == 'money' else ''}\s*$"}
    numbers = [{"type": "number", "exclusiveMinimum": 0}] if kind in ("bytes", "money") else []
    return {"anyOf": [*numbers, text]}


def _allowed(value: object) -> float:
    allowed = number(value)
    if allowed < 0 or not math.isfinite(allowed):
        raise ValueError(f"an allowed change is zero or more, such as 20%, not {value!r}")
    return allowed


TimeLimit = Annotated[Limit, BeforeValidator(lambda value: _read("time", value)), WithJsonSchema(_schema("time"))]
RateLimit = Annotated[Limit, BeforeValidator(lambda value: _read("rate", value)), WithJsonSchema(_schema("rate"))]
BytesLimit = Annotated[Limit, BeforeValidator(lambda value: _read("bytes", value)), WithJsonSchema(_schema("bytes"))]
MoneyLimit = Annotated[Limit, BeforeValidator(lambda value: _read("money", value)), WithJsonSchema(_schema("money"))]
Allowed = Annotated[float, BeforeValidator(_allowed), WithJsonSchema(NUMBER)]
"""A share of the previous model's value: `20%`."""


class Budget(Shorthand, Noun):
    """A limit, and how much worse than the previous model's a value may be; a bare value is the limit."""

    limit: Limit | None = None
    level: Level = "block"
    critical: bool = Field(False, description="'cannot be told' blocks too")

    @property
    def change(self) -> float | None:
        """The allowed change in the bad direction, as a share of the previous model's value."""
        return None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:  # noqa: ANN401 - what YAML holds can be anything
        if isinstance(value, Budget):
            return value
        if not isinstance(value, dict):
            return {"limit": value}
        if cls is RateBudget and "rise" in value:
            raise ValueError("of throughput more is better: write `drop` instead of `rise`")
        if cls is not RateBudget and "drop" in value:
            raise ValueError("less of it is better: write `rise` instead of `drop`")
        return value

    @model_validator(mode="after")
    def _something(self) -> Budget:
        if self.limit is None and self.change is None:
            raise ValueError("a budget needs a `limit`, or how far it may move from the previous model's: `rise: 20%`")
        return self


class RateBudget(Budget):
    """Of which more is better."""

    shorthand: ClassVar[tuple[dict[str, Any], ...]] = (_schema("rate"),)
    limit: RateLimit | None = Field(None, description="at least this")
    drop: Allowed | None = Field(None, lt=1, description="how much less than the previous model's")

    @property
    def change(self) -> float | None:
        """The allowed drop."""
        return self.drop


class _Rising(Budget):
    rise: Allowed | None = Field(None, description="how much more than the previous model's")

    @property
    def change(self) -> float | None:
        """The allowed rise."""
        return self.rise


class TimeBudget(_Rising):
    """A time."""

    shorthand: ClassVar[tuple[dict[str, Any], ...]] = (_schema("time"),)
    limit: TimeLimit | None = Field(None, description="at most this")


class BytesBudget(_Rising):
    """A size on disk or in memory."""

    shorthand: ClassVar[tuple[dict[str, Any], ...]] = (_schema("bytes"),)
    limit: BytesLimit | None = Field(None, description="at most this")


class MoneyBudget(_Rising):
    """An amount of money, in whatever currency the price is in."""

    shorthand: ClassVar[tuple[dict[str, Any], ...]] = (_schema("money"),)
    limit: MoneyLimit | None = Field(None, description="at most this")


class Budgets(Noun):
    """What the model may cost to run, by itself and beside the previous model."""

    latency_p50: TimeBudget | None = Field(None, description="time that the median prediction of one row takes")
    latency_p99: TimeBudget | None = Field(None, description="time that 99 of 100 predictions of one row take at most")
    throughput: RateBudget | None = Field(None, description="requests of one row that the server answers")
    cold_start: TimeBudget | None = Field(None, description="from starting the server to its first answer")
    size: BytesBudget | None = Field(None, description="of the model's file")
    memory: BytesBudget | None = Field(None, description="peak of the server's process")
    cost_per_million: MoneyBudget | None = Field(None, description="CPU time of a million requests, at `price`")
    price: float | None = Field(None, gt=0, description="of one hour of one CPU, for `cost_per_million`")
    concurrency: int = Field(32, ge=1, le=256, description="requests under way at once, for `throughput`")

    @model_validator(mode="after")
    def _priced(self) -> Budgets:
        if self.cost_per_million is not None and self.price is None:
            raise ValueError("cost_per_million: `price` must say what an hour of one CPU costs, such as 0.04")
        return self

    def asked(self) -> dict[BudgetName, Budget]:
        """The budgets that there are, by name, in the order of their names here."""
        found: dict[BudgetName, Budget | None] = {
            "latency_p50": self.latency_p50,
            "latency_p99": self.latency_p99,
            "throughput": self.throughput,
            "cold_start": self.cold_start,
            "size": self.size,
            "memory": self.memory,
            "cost_per_million": self.cost_per_million,
        }
        return {name: budget for name, budget in found.items() if budget is not None}
