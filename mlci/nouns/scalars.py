"""The small values that a policy is written in: shares, bounds, amounts, durations, sizes."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, WithJsonSchema, model_validator

from mlci.nouns.base import Noun
from mlci.nouns.shorthand import AMOUNT, BOUND, DURATION, NUMBER, SHARE, SIZE, Shorthand

_NUMBER = re.compile(r"[+-]?(\d[\d_]*)?(\.\d+)?([eE][+-]?\d+)?")
_BOUND = re.compile(r"(<=|>=|<|>|==|=)\s*(.+)")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d|w)")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(B|kB|KB|MB|GB|TB)")
_SECONDS = {"s": 1, "min": 60, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_BYTES = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def number(value: object) -> float:
    """Read `10`, `10_000`, `1e3`, `5%` (0.05) or `2pt` (0.02) as a number.

    Raises:
        ValueError: The text is no number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"a number such as 10_000, 0.05 or 5% is needed here, not {value!r}")  # noqa: TRY004 - pydantic wants ValueError
    if isinstance(value, int | float):
        return float(value)
    text = value.strip()
    scale = 1
    for suffix in ("%", "pt"):
        if text.endswith(suffix):
            text, scale = text[: -len(suffix)].strip(), 100
    if not text or not _NUMBER.fullmatch(text):
        raise ValueError(f"a number such as 10_000, 0.05 or 5% is needed here, not {value!r}")
    # In decimal, so that 0.7% is the same float as 7 of 1,000 rows.
    return float(Decimal(text) / scale)


def _share(value: object) -> float:
    share = number(value)
    if not 0 <= share <= 1:
        raise ValueError(f"a share lies between 0% and 100%, and {value!r} does not")
    return share


Share = Annotated[float, BeforeValidator(_share), WithJsonSchema(SHARE)]
"""A part of a whole, between 0 and 1; written `5%` or `0.05`."""

Number = Annotated[float, BeforeValidator(number), WithJsonSchema(NUMBER)]
"""A number; written `10_000`, `0.05`, `5%` or `2pt`."""


class Bound(Shorthand, Noun):
    """A range that a measurement must fall in; NaN and what was not measured fall in none.

    Written `[low, high]` (closed), `">= 10_000"`, `"<= 5%"`, `"< 3"`, `"> 0"`, `"== 5"` or `5` (exactly that).
    """

    shorthand: ClassVar[tuple[dict[str, Any], ...]] = BOUND

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False
    text: str = ""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:  # noqa: ANN401 - what YAML holds can be anything
        return value if isinstance(value, dict | Bound) else _read_bound(value)

    @model_validator(mode="after")
    def _ordered(self) -> Bound:
        if self.low > self.high:
            raise ValueError(f"the bound's lower end {self.low:g} is above its upper end {self.high:g}")
        return self

    def holds(self, value: float | None) -> bool:
        """Whether the value was measured and lies in the range."""
        if value is None or math.isnan(value):
            return False
        above = value > self.low if self.low_open else value >= self.low
        below = value < self.high if self.high_open else value <= self.high
        return above and below

    def __str__(self) -> str:
        return self.text or f"[{self.low:g}, {self.high:g}]"


def _read_bound(value: object) -> dict[str, Any]:
    if isinstance(value, list | tuple):
        if len(value) != 2:  # noqa: PLR2004 - a range has two ends
            raise ValueError(f"a range is [low, high], not {value!r}")
        low, high = number(value[0]), number(value[1])
        return {"low": low, "high": high, "text": f"[{value[0]}, {value[1]}]"}
    if isinstance(value, str) and (match := _BOUND.fullmatch(value.strip())):
        sign, limit = match[1], number(match[2])
        text = f"{sign} {match[2].strip()}"
        if sign in {"<=", "<"}:
            return {"high": limit, "high_open": sign == "<", "text": text}
        if sign in {">=", ">"}:
            return {"low": limit, "low_open": sign == ">", "text": text}
        return {"low": limit, "high": limit, "text": text}
    exact = number(value)
    return {"low": exact, "high": exact, "text": str(value)}


def _at_most(value: object) -> object:
    """Where a limit on something bad is meant, a bare number is its upper end."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    if isinstance(value, str) and _BOUND.fullmatch(value.strip()):
        return value
    return f"<= {value}"


AtMost = Annotated[Bound, BeforeValidator(_at_most)]
"""A `Bound` whose bare number is an upper end: `5%` means `<= 5%`."""


class Amount(Shorthand, Noun):
    """How much a metric may move: absolute (`0.01`, `1pt`) or relative to the old value (`2%`)."""

    shorthand: ClassVar[tuple[dict[str, Any], ...]] = AMOUNT

    value: float
    relative: bool = False

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:  # noqa: ANN401 - what YAML holds can be anything
        if isinstance(value, dict | Amount):
            return value
        amount = number(value)
        if amount < 0 or not math.isfinite(amount):
            raise ValueError(f"an allowed change is zero or more, not {value!r}")
        return {"value": amount, "relative": isinstance(value, str) and value.strip().endswith("%")}

    def of(self, old: float) -> float:
        """The allowed change in the metric's unit, for a baseline that measured `old`."""
        return self.value * abs(old) if self.relative else self.value

    def __str__(self) -> str:
        return f"{100 * self.value:g}%" if self.relative else f"{self.value:g}"


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"a duration such as 45d, 12h or 30min is needed here, not {value!r}")
    return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])


Duration = Annotated[timedelta, BeforeValidator(_duration), WithJsonSchema(DURATION)]
"""A span of time; written `45d`, `12h`, `30min`, `2w`."""


def _size(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"a size such as 400MB or 2GB is needed here, not {value!r}")
    return int(float(match[1]) * _BYTES[match[2]])


Size = Annotated[int, BeforeValidator(_size), WithJsonSchema(SIZE)]
"""A number of bytes; written `400MB`, `2GB`."""
