"""The checks of a table's columns: each entry of the policy, and `"*"` for every column that has no word of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.measure.data.asked import EVERY
from mlci.measure.data.column import HOLDS, NUMBERS, At, at_most
from mlci.measure.data.numbers import median_checks, moment_checks, quantile_checks
from mlci.measure.data.values import (
    allowed_checks,
    length_checks,
    new_checks,
    pattern_checks,
    range_checks,
    share_checks,
)
from mlci.nouns.aggregate import Count, Repeats
from mlci.nouns.condition import Missing
from mlci.nouns.data_check import Known, ShareOf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlci.measure.data.asked import Asked
    from mlci.nouns.data_check import DataCheck
    from mlci.nouns.data_policy import Column, Type
    from mlci.nouns.table_schema import Kind

_TYPES: dict[Type, tuple[Kind, ...]] = {
    "string": ("string",),
    "integer": ("integer",),
    "float": ("float", "decimal"),
    "number": NUMBERS,
    "boolean": ("boolean",),
    "timestamp": ("timestamp",),
    "date": ("date",),
}


def column_checks(asked: Asked) -> Iterator[DataCheck]:
    """All checks of all columns: in the policy's order, then what only `"*"` speaks of in the table's."""
    every = asked.table.columns.get(EVERY)
    named = {name: entry for name, entry in asked.table.columns.items() if name != EVERY}
    for name, entry in named.items():
        if name in asked.schema.columns:
            yield from _one_column(asked, name, entry, every)
        elif not entry.optional:
            yield asked.check(
                (name,), f"{name} is there", asked.absent([name]), scopes=(entry,), column=name, key=("columns", name)
            )
    if every is not None:
        for name in asked.schema.columns:
            if name not in named:
                yield from _one_column(asked, name, None, every)


def _one_column(asked: Asked, name: str, own: Column | None, every: Column | None) -> Iterator[DataCheck]:
    entries = [At(asked, name, key, entry) for key, entry in ((name, own), (EVERY, every)) if entry is not None]
    for words, make in _MAKERS:
        for word in words:
            # The column's own word stands instead of that of "*".
            at = next((at for at in entries if word in at.entry.model_fields_set), None)
            if at is not None:
                yield from make(At(asked, name, at.key, _only(at.entry, word)))


def _only(entry: Column, word: str) -> Column:
    """The entry with no other word of the vocabulary than this one."""
    kept = {word, "where", "by", "level", "tolerance"}
    return entry.model_copy(
        update={name: field.default for name, field in type(entry).model_fields.items() if name not in kept}
    )


def _type_checks(at: At) -> Iterator[DataCheck]:
    """The column is of the promised type."""
    if (wanted := at.entry.type) is None:
        return
    kinds = _TYPES[wanted]
    if at.asked.schema.format in {"csv", "json"} and "float" in kinds:
        kinds = (*kinds, "integer")  # a text file may write 3.0 as 3
    held = at.kind in kinds
    noun = {"string": "text", "float": "decimal numbers"}.get(wanted, f"{wanted}s")
    reading = Known(
        outcome="pass" if held else "fail",
        message=f"`{at.name}` is of type {at.type_name}"
        + ("" if held else f" and holds {HOLDS[at.kind]}; the policy wants {noun}"),
        mend="" if held else "Write the table with the right type, or correct `type` in a pull request of its own.",
        measured=at.type_name,
        limit=wanted,
    )
    yield at.check(("type",), f"is of type {wanted}", reading)


def _missing_checks(at: At) -> Iterator[DataCheck]:
    """Few rows have no value."""
    if (own := at.entry.missing) is None:
        return
    part = at.part(own)
    condition = Missing(column=at.name)
    reading = ShareOf(
        bad=Count(what=condition, part=part),
        of=Count(part=part),
        limit=own.limit,
        subject=f"`{at.name}`",
        verb="are missing",
        unit="rows",
        shows=condition,
    )
    yield at.check(("missing",), f"missing {own.limit}", reading, own)


def _unique_checks(at: At) -> Iterator[DataCheck]:
    """No value occurs twice."""
    if not at.entry.unique:
        return
    part = at.part()
    reading = ShareOf(
        bad=Repeats(columns=(at.name,), part=part),
        of=at.asked.present(part, at.name),
        limit=at_most(0.0),
        subject=f"`{at.name}`",
        verb="repeat an earlier value",
        unit="values",
    )
    yield at.check(("unique",), "is unique", reading)


_MAKERS: tuple[tuple[tuple[str, ...], Callable[[At], Iterator[DataCheck]]], ...] = (
    (("type",), _type_checks),
    (("missing",), _missing_checks),
    (("unique",), _unique_checks),
    (("range",), range_checks),
    (("allowed",), allowed_checks),
    (("pattern",), pattern_checks),
    (("length",), length_checks),
    (("mean", "sum", "std"), moment_checks),
    (("median",), median_checks),
    (("quantiles",), quantile_checks),
    (("share",), share_checks),
    (("new",), new_checks),
)
"""The vocabulary: which words each function reads."""
