"""How times, rates, sizes and amounts of money are written for a reader."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlci.nouns import units
from mlci.nouns.budgets import KINDS

if TYPE_CHECKING:
    from mlci.nouns.budgets import BudgetName

_STEPS = {
    "time": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")),
    "bytes": ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")),
}


def quantity(name: BudgetName, value: float) -> str:
    """A value of a budget, with three digits.

    >>> quantity("latency_p99", 0.0073), quantity("memory", 142e6), quantity("throughput", 2827.3)
    ('7.3 ms', '142 MB', '2,830/s')
    >>> quantity("cost_per_million", 0.004213), quantity("size", 812)
    ('0.00421', '812 B')
    """
    kind = KINDS[name]
    if kind == "rate":
        return f"{_digits(value)}/s"
    if kind == "money":
        return _digits(value)
    steps = _STEPS[kind]
    # By what the number rounds to: 999.9 kB is 1 MB.
    size, unit = next((step for step in steps if float(f"{value:.3g}") >= step[0]), steps[-1])
    return f"{_digits(value / size)} {unit}"


def moved(name: BudgetName, old: float, new: float) -> str:
    """`5.1 ms → 10.7 ms`."""
    return f"{quantity(name, old)} {units.ARROW} {quantity(name, new)}"


def times(*ratios: float) -> tuple[str, ...]:
    """Ratios with as many digits as tell them apart, at most four, and as near one as 1.02 is.

    >>> times(2.08, 1.93, 2.27), times(1.412, 1.38, 1.44), times(0.97), times(20.3)
    (('2.1', '1.9', '2.3'), ('1.41', '1.38', '1.44'), ('0.97',), ('20',))
    """
    for digits in (2, 3):
        told = tuple(_times(ratio, digits) for ratio in ratios)
        if len(set(told)) == len(set(ratios)):
            return told
    return tuple(_times(ratio, 4) for ratio in ratios)


def _times(ratio: float, digits: int) -> str:
    if not math.isfinite(ratio):
        return "any number of"
    if ratio >= 10:  # noqa: PLR2004 - whole times say enough
        return f"{ratio:,.0f}"
    # Near one, one decimal would hide what matters.
    near = 0.8 < ratio < 1.25  # noqa: PLR2004 - as far as that goes
    return f"{ratio:.{digits if near or ratio < 1 else digits - 1}f}"


def _digits(value: float, digits: int = 3) -> str:
    if not math.isfinite(value):
        return "any number"
    if value == 0:
        return "0"
    places = digits - 1 - math.floor(math.log10(abs(float(f"{value:.{digits - 1}e}"))))
    text = f"{round(value, places):,.{max(places, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
