"""What the judge says of a table, for a reader who is no statistician."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mlci.nouns import units

if TYPE_CHECKING:
    from mlci.nouns.aggregate import SliceKey
    from mlci.nouns.data_check import AgeOf, DataCheck, RankCounts, RankOf, ShareOf
    from mlci.nouns.scalars import Bound

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_DIGITS = 15


def slice_name(by: tuple[str, ...], key: SliceKey) -> str | None:
    """`origin = JFK`; None for all rows."""
    parts = (
        f"{name} is missing" if value is None else f"{name} = {value}" for name, value in zip(by, key, strict=True)
    )
    return ", ".join(parts) or None


def percent(share: float, beside: float | None = None) -> str:
    """`6.2 %`, with as many digits as tell it from a limit that it is not."""
    text = units.small_percent(share)
    if beside is None or share == beside:
        return text
    for digits in range(3, _MOST_DIGITS):
        text = f"{float(f'{100 * share:.{digits}g}'):,.{digits}g} %"
        if text != f"{100 * beside:,.{digits}g} %":
            break
    return text


def number(value: float, limit: Bound | None = None) -> str:
    """About four digits, or as many as show on which side of the limit the number lies."""
    if not math.isfinite(value):
        return "infinite" if math.isinf(value) else "not a number"
    if float(value).is_integer() and abs(value) < 1e15:  # noqa: PLR2004 - all digits of such a float are known
        return f"{int(value):,}"
    for digits in range(4, _MOST_DIGITS):
        rounded = float(f"{value:.{digits}g}")
        if limit is None or limit.holds(rounded) == limit.holds(value):
            return f"{rounded:,.{digits}g}"
    return f"{value:,}"


def moment(microseconds: float) -> str:
    """`2013-12-31 23:59 UTC`, from microseconds since 1970."""
    try:
        return f"{_EPOCH + timedelta(microseconds=microseconds):%Y-%m-%d %H:%M} UTC"
    except OverflowError:
        return "a time beyond the calendar"


def span(seconds: float) -> str:
    """`62.3 days`, `5.1 hours`: a span in a unit that a reader can picture."""
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if abs(seconds) >= 2 * size:
            return f"{seconds / size:,.4g} {unit}"
    return f"{seconds:,.4g} seconds"


def share_message(reading: ShareOf, count: int, rows: int) -> str:
    """`` 6.2 % of `age` are missing (620 of 10,000 rows); the policy allows 5 %. ``."""
    share, limit = count / rows, reading.limit
    shown = percent(share, limit.high if math.isfinite(limit.high) else limit.low)
    of = f"{count:,} of {rows:,} {reading.unit}"
    start = f"{shown} of {reading.subject} {reading.verb} ({of})"
    if count == 0:
        start = f"None of {reading.subject} {reading.verb} ({rows:,} {reading.unit})"
    return f"{start}; {allowance(limit)}."


def allowance(limit: Bound) -> str:
    """What the policy says of a share."""
    if limit.high == 0:
        return "the policy allows none"
    if math.isinf(limit.low) and not limit.high_open:
        return f"the policy allows {units.small_percent(limit.high)}"
    return f"the policy wants {limit}"


def rank_message(reading: RankOf, counts: RankCounts, measured: float | None) -> str:
    """Where the quantile lies, told by the shares of values on either side of the limits.

    Args:
        reading: The check.
        counts: What was counted.
        measured: The quantile, where it was computed.
    """
    under, upto, rows = counts.under, counts.upto, counts.rows
    limit, told = reading.limit, []
    if under is not None:
        word = "at most" if limit.low_open else "less than"
        told.append(f"{percent(under / rows, reading.quantile)} {word} {number(limit.low)}")
    if upto is not None:
        word = "less than" if limit.high_open else "at most"
        told.append(f"{percent(upto / rows, reading.quantile)} {word} {number(limit.high)}")
    name = reading.name[0].upper() + reading.name[1:]
    shares = f"of {rows:,} values, {' and '.join(told)}"
    if measured is not None:
        return f"{name} is {number(measured, limit)} ({shares}); the policy wants {limit}."
    return f"{name} is told by counts: {shares}; the policy wants {limit}."


def age_message(reading: AgeOf, newest: float) -> str:
    """How old the newest row is."""
    now = (reading.now - _EPOCH) / timedelta(microseconds=1)
    age = (now - newest) / 1e6
    when = f"The newest `{reading.column}` is {moment(newest)}"
    if age < 0:
        return f"{when}, after {moment(now)}, which it is seen from; the policy allows an age of {reading.allowed}."
    return f"{when}, {span(age)} before {moment(now)}; the policy allows {reading.allowed}."


def fail_mend(check: DataCheck) -> str:
    """What to do about a promise that does not hold."""
    change = "raise" if check.word in {"missing", "new", "overlap", "conflicts"} else "change"
    return f"Fix the data at its source, or {change} `{check.word}` at {check.place} in a pull request of its own."
