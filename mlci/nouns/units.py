"""How the numbers of a metric are written for a reader: percent and points for shares, own units for the rest."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlci.nouns.metric import class_metric, direction, pinball_quantile, top_k

if TYPE_CHECKING:
    from mlci.nouns.change import Good

_SHARES = frozenset(
    {"accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "macro_f1", "micro_f1", "mape"}
)

NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "roc_auc": "ROC AUC",
    "precision": "precision",
    "recall": "recall",
    "specificity": "specificity",
    "f1": "F1",
    "mcc": "Matthews correlation",
    "log_loss": "log loss",
    "brier": "Brier score",
    "cost": "cost per row",
    "mae": "mean absolute error",
    "mse": "mean squared error",
    "rmse": "root mean squared error",
    "mape": "mean absolute error in percent",
    "r2": "R²",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "ece": "expected calibration error",
    "brier_reliability": "Brier score: reliability",
    "brier_resolution": "Brier score: resolution",
    "brier_uncertainty": "Brier score: uncertainty",
}
"""What people call a metric."""

MINUS = "\N{MINUS SIGN}"
ARROW = "\N{RIGHTWARDS ARROW}"
_MOST_DIGITS = 5
_NOTHING = 1e-12
"""A change below this is rounding."""


def is_share(metric: str) -> bool:
    """Whether it is a share of rows: values in percent, changes in points."""
    return metric in _SHARES or class_metric(metric) is not None or top_k(metric) is not None


def less_is_better(metric: str, good: Good | None = None) -> bool:
    """Whether less of it is better; `good` decides about a metric that is unknown here, else more of it is."""
    return good == "down" if good is not None else direction(metric) == -1


def metric_name(metric: str) -> str:
    """What people call a metric; a metric that is unknown here keeps its own name, without underscores."""
    if metric in NAMES:
        return NAMES[metric]
    one, k, quantile = class_metric(metric), top_k(metric), pinball_quantile(metric)
    if one is not None:
        return f"{NAMES[one[0]]} of {one[1]}"
    if k is not None:
        return f"top-{k} accuracy"
    if quantile is not None:
        return f"pinball loss at {100 * quantile:g} %"
    return metric.replace("_", " ")


def bad_word(metric: str, good: Good | None = None) -> str:
    """`drop` where more is better, `rise` where less is."""
    return "rise" if less_is_better(metric, good) else "drop"


def count(value: int) -> str:
    """`12,345`."""
    return f"{value:,}"


def ordinal(place: int) -> str:
    """A place in an order.

    >>> [ordinal(place) for place in (1, 2, 3, 4, 11, 22, 113)]
    ['1st', '2nd', '3rd', '4th', '11th', '22nd', '113th']
    """
    teens = place // 10 % 10 == 1
    return f"{place:,}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(place % 10, 'th')}"


def about(value: int) -> str:
    """The same with three significant digits: what is an estimate does not look exact."""
    digits = len(str(abs(value)))
    return count(round(value, 3 - digits) if digits > 3 else value)  # noqa: PLR2004 - three digits


def rows(value: int) -> str:
    """`1 row`, `2 rows`."""
    return "1 row" if value == 1 else f"{count(value)} rows"


def duration(seconds: float) -> str:
    """`0.4 s`, `42 s`, `3 min 5 s`, `2 h 4 min`."""
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"  # noqa: PLR2004 - one decimal below
    minutes, rest = divmod(whole, 60)
    hours, left = divmod(minutes, 60)
    return f"{hours} h {left} min" if hours else f"{minutes} min {rest} s"


def small_percent(share: float) -> str:
    """A share that may be tiny, with three significant digits: `6.2 %`, `0.00051 %`."""
    return f"{_plain(100 * share, max(0, 2 - math.floor(math.log10(100 * share))))} %" if share > 0 else "0 %"


def measured(number: float) -> str:
    """A number of any kind: `336,776`, `0.7952`, `12.5`; about four digits, but never fewer than the whole ones."""
    if not math.isfinite(number):
        return "no value"
    if number == round(number) or abs(number) >= 1_000:  # noqa: PLR2004 - whole digits suffice from there
        return f"{number:,.0f}"
    return f"{number:.4g}"


def value(metric: str, number: float | None, decimals: int | None = None) -> str:
    """A metric's value: `90.1 %` for a share, else about four digits: `0.717`, `12.3`."""
    if number is None or not math.isfinite(number):
        return "no value"
    return f"{_bare(metric, number, decimals)} %" if is_share(metric) else _bare(metric, number, decimals)


def limit(metric: str, number: float) -> str:
    """A limit from a policy, without decimals that nobody wrote: `85 %`, `0.01`."""
    return f"{100 * number:.6g} %" if is_share(metric) else f"{number:.6g}"


def pair(metric: str, old: float, new: float) -> str:
    """`88.1 → 84.7 %`, with as many decimals as it takes to tell the two apart (at most five)."""
    decimals = _decimals(metric, old, new)
    unit = " %" if is_share(metric) else ""
    return f"{_bare(metric, old, decimals)} {ARROW} {_bare(metric, new, decimals)}{unit}"


def against(metric: str, one: float, other: float) -> str:
    """`88.1 against 84.7 %`, with as many decimals as it takes to tell the two apart (at most five)."""
    return pair(metric, one, other).replace(ARROW, "against")


def _decimals(metric: str, old: float, new: float) -> int:
    first = 1 if is_share(metric) else max(_default_decimals(old), _default_decimals(new))
    for decimals in range(first, _MOST_DIGITS):
        if old == new or _bare(metric, old, decimals) != _bare(metric, new, decimals):
            return decimals
    return _MOST_DIGITS


def _default_decimals(number: float) -> int:
    """Three decimals below ten, fewer above: about four significant digits."""
    size = abs(number)
    return 3 if size < 10 else 2 if size < 100 else 1 if size < 1000 else 0  # noqa: PLR2004 - powers of ten


def _bare(metric: str, number: float, decimals: int | None) -> str:
    if is_share(metric):
        return f"{100 * number:.{1 if decimals is None else decimals}f}"
    return f"{number:,.{_default_decimals(number) if decimals is None else decimals}f}"


def amount(metric: str, size: float, digits: int = 2, *, up: bool = False, down: bool = False) -> str:
    """The bare number of a change: `1.6` (points) for a share, `0.016` for the rest, `digits` significant digits.

    Args:
        metric: The metric.
        size: The change in the metric's unit, zero or more.
        digits: Significant digits.
        up: Round up, for a bound that must not look smaller than it is.
        down: Round down, for one that must not look larger.
    """
    scaled = 100 * size if is_share(metric) else size
    if scaled < _NOTHING:
        return "0"
    if not math.isfinite(scaled):
        return "any size"
    # The 1e-9 keeps a number that is exact in decimal, such as 0.5, from being rounded up to 0.51.
    exponent = math.floor(math.log10(scaled)) - digits + 1
    if up:
        scaled = math.ceil(scaled / 10**exponent - 1e-9) * 10**exponent
    if down:
        scaled = math.floor(scaled / 10**exponent + 1e-9) * 10**exponent
    return f"{scaled:,.0f}" if exponent >= 0 else _plain(scaled, -exponent)


def bound_beside(metric: str, worst: float, tolerance: float | None) -> str:
    """A bound, rounded up, with as many digits as keep it on the same side of the tolerance printed beside it."""
    text = amount(metric, worst, up=True)
    if tolerance is None:
        return text
    allowed = _read(amount(metric, tolerance, 4))
    for digits in range(2, _MOST_DIGITS + 1):
        text = amount(metric, worst, digits, up=True)
        if _read(text) < allowed if worst < tolerance else _read(text) > allowed:
            break
    return text


def _read(text: str) -> float:
    return math.inf if text == "any size" else float(text.replace(",", ""))


def _plain(number: float, decimals: int) -> str:
    text = f"{number:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def with_unit(metric: str, text: str) -> str:
    """`1.6 points`, `1 point`, `0.016`."""
    if not is_share(metric) or text == "any size":
        return text
    return f"{text} point" if text == "1" else f"{text} points"


def signed(metric: str, change: float, digits: int = 2) -> str:
    """A change with its sign and unit: `+1.2 points`."""
    text = amount(metric, abs(change), digits)
    mark = "" if text == "0" else MINUS if change < 0 else "+"
    return mark + with_unit(metric, text)


def frequency(p: float) -> str:
    """A probability as a count: `about 2 times in 1,000`."""
    if p < 1e-6:  # noqa: PLR2004 - smaller numbers say nothing more to anybody
        return "less than once in 1,000,000"
    base = 100
    while p * base < 0.95:  # noqa: PLR2004 - what rounds to one
        base *= 10
    times = round(p * base)
    return f"about {'once' if times == 1 else f'{times} times'} in {base:,}"
