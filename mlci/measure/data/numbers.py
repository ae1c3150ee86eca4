"""Checks of a number of all values of a column: mean, sum, standard deviation, quantiles."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from mlci.measure.data.column import NUMBERS
from mlci.nouns.aggregate import Count, Number
from mlci.nouns.condition import Under
from mlci.nouns.data_check import NumberOf, RankOf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlci.measure.data.column import At
    from mlci.nouns.aggregate import Part
    from mlci.nouns.data_check import DataCheck
    from mlci.nouns.data_policy import BoundCheck

_Word = Literal["mean", "sum", "std"]
_NAMES: dict[_Word, str] = {"mean": "mean", "sum": "sum", "std": "standard deviation"}


def moment_checks(at: At) -> Iterator[DataCheck]:
    """The mean, the sum and the standard deviation lie in their ranges."""
    asked: tuple[tuple[_Word, BoundCheck | None], ...] = (
        ("mean", at.entry.mean),
        ("sum", at.entry.sum),
        ("std", at.entry.std),
    )
    for word, own in asked:
        if own is None:
            continue
        name = _NAMES[word]
        title = f"{name} {own.limit}"
        if at.kind not in NUMBERS:
            yield at.check((word,), title, at.unfit(word, "numbers"), own)
            continue
        value = Number(what=word, column=at.name, part=at.part(own))
        yield at.check((word,), title, NumberOf(value=value, limit=own.limit, name=f"the {name} of `{at.name}`"), own)


def quantile_checks(at: At) -> Iterator[DataCheck]:
    """Quantiles lie in their ranges."""
    for quantile, own in at.entry.quantiles.items():
        yield _quantile(at, ("quantiles", f"{quantile:g}"), own, quantile, f"{100 * quantile:g} % quantile")


def median_checks(at: At) -> Iterator[DataCheck]:
    """The median lies in its range."""
    if at.entry.median is not None:
        yield _quantile(at, ("median",), at.entry.median, 0.5, "median")


def _quantile(at: At, words: tuple[str, ...], own: BoundCheck, quantile: float, name: str) -> DataCheck:
    title = f"{name} {own.limit}"
    if at.kind not in NUMBERS:
        return at.check(words, title, at.unfit(words[0], "numbers"), own)
    part = at.part(own)
    reading = RankOf(
        quantile=quantile,
        column=at.name,
        under=_under(at.name, own.limit.low, part, inclusive=own.limit.low_open),
        upto=_under(at.name, own.limit.high, part, inclusive=not own.limit.high_open),
        of=at.asked.present(part, at.name),
        limit=own.limit,
        name=f"the {name} of `{at.name}`",
    )
    return at.check(words, title, reading, own)


def _under(column: str, limit: float, part: Part, *, inclusive: bool) -> Count | None:
    """The count behind one end of the range; an open end needs none."""
    if math.isinf(limit):
        return None
    return Count(what=Under(column=column, limit=limit, inclusive=inclusive), part=part)
