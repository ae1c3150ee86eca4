"""Checks of every value of a column: range, allowed, pattern, length, shares of values, new values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.measure.data.asked import impossible
from mlci.measure.data.column import HOLDS, NUMBERS, at_most
from mlci.measure.data.times import read_time
from mlci.nouns.condition import Equals, NoMatch, NotAmong, Outside, WrongLength

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlci.measure.data.column import At
    from mlci.nouns.data_check import DataCheck
    from mlci.nouns.data_policy import AllowedCheck, LengthCheck, PatternCheck, RangeCheck, Scalar
    from mlci.nouns.scalars import Bound

_MOST_LISTED = 6


def _tolerance(at: At, own: RangeCheck | AllowedCheck | PatternCheck | LengthCheck) -> Bound:
    return at_most(at.entry.tolerance if own.tolerance is None else own.tolerance)


def range_checks(at: At) -> Iterator[DataCheck]:
    """Every value lies in a closed range."""
    if (own := at.entry.range) is None:
        return
    shown = f"[{_end(own.limit[0])}, {_end(own.limit[1])}]"
    title = f"lies in {shown}"
    if wrong := _unfit_range(at, own, shown):
        yield at.check(("range",), title, at.unfit("range", wrong), own)
        return
    condition = Outside(column=at.name, low=own.limit[0], high=own.limit[1])
    reading = at.share(condition, _tolerance(at, own), f"lie outside {shown}", own)
    yield at.check(("range",), title, reading, own)


def _unfit_range(at: At, own: RangeCheck, shown: str) -> str | None:
    """What the range should be made of, where its ends don't suit the column."""
    ends = [end for end in own.limit if end is not None]
    texts = [isinstance(end, str) for end in ends]
    if at.kind in {"boolean", "other"}:
        return "numbers, timestamps, dates or texts"
    if at.kind in NUMBERS:
        return f"ends that are numbers, not {shown}" if any(texts) else None
    if not all(texts):
        return f"ends that are {HOLDS[at.kind]} in quotes, not {shown}"
    if at.kind != "string" and not all(isinstance(end, str) and read_time(end) for end in ends):
        return f"ends such as 2013-12-31 or 2013-12-31T12:00, not {shown}"
    return None


def allowed_checks(at: At) -> Iterator[DataCheck]:
    """Every value is one of a list."""
    if (own := at.entry.allowed) is None:
        return
    shown = _listed(own.limit)
    title = f"is one of {shown}"
    if at.kind == "other":
        yield at.check(("allowed",), title, at.unfit("allowed", "plain values"), own)
        return
    condition = NotAmong(column=at.name, values=own.limit)
    reading = at.share(condition, _tolerance(at, own), f"are none of {shown}", own)
    yield at.check(("allowed",), title, reading, own)


def pattern_checks(at: At) -> Iterator[DataCheck]:
    """Every text matches a regular expression as a whole."""
    if (own := at.entry.pattern) is None:
        return
    title = f"matches {own.limit}"
    if at.kind != "string":
        yield at.check(("pattern",), title, at.unfit("pattern", "text"), own)
        return
    condition = NoMatch(column=at.name, pattern=own.limit)
    reading = at.share(condition, _tolerance(at, own), f"do not match `{own.limit}`", own)
    yield at.check(("pattern",), title, reading, own)


def length_checks(at: At) -> Iterator[DataCheck]:
    """Every text has so many characters."""
    if (own := at.entry.length) is None:
        return
    title = f"has a length {own.limit}"
    if at.kind != "string":
        yield at.check(("length",), title, at.unfit("length", "text"), own)
        return
    condition = WrongLength(column=at.name, length=own.limit)
    reading = at.share(condition, _tolerance(at, own), f"have another length than {own.limit}", own)
    yield at.check(("length",), title, reading, own)


def share_checks(at: At) -> Iterator[DataCheck]:
    """A value's share of all values lies in a range."""
    for value, own in at.entry.share.items():
        condition = Equals(column=at.name, value=value)
        reading = at.share(condition, own.limit, f"are {value}", own).model_copy(update={"shows": None})
        yield at.check(("share", value), f"share of {value} {own.limit}", reading, own)


def new_checks(at: At) -> Iterator[DataCheck]:
    """Few values are such as the reference has not."""
    if (own := at.entry.new) is None:
        return
    title = f"new values {own.limit}"
    known = at.asked.references.get(at.name)
    if known is None:
        why = f"nothing is known of the values of `{at.name}` in the reference"
        mend = "`new` needs `drift: {reference: …}` that has this column, with at most 10,000 different values."
        yield at.check(("new",), title, impossible(why, mend), own)
        return
    condition = NotAmong(column=at.name, values=known)
    yield at.check(("new",), title, at.share(condition, own.limit, "have a value that the reference has not", own), own)


def _end(value: float | str | None) -> str:
    return "…" if value is None else str(value)


def _listed(values: tuple[Scalar, ...]) -> str:
    shown = ", ".join(str(value) for value in values[:_MOST_LISTED])
    return f"{shown}, …" if len(values) > _MOST_LISTED else shown
