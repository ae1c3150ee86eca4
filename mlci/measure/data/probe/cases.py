"""The probe's questions, with the answers that plain Python gives."""

from __future__ import annotations

import math
import re
import statistics
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from mlci.measure.data.dialects import dialect_of
from mlci.measure.data.probe.conditions import condition_cases
from mlci.measure.data.probe.kinds import kinds_of
from mlci.measure.data.probe.rows import NOWHERE, VIEW, probe_rows, probe_schema
from mlci.nouns.aggregate import Conflicting, Count, Number, Part, Repeats, Shared
from mlci.nouns.condition import Equals, Missing, NoMatch, NotAmong, Outside, Over, Present, Under, WrongLength
from mlci.nouns.scalars import Bound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlci.measure.data.probe.rows import Cell, Row
    from mlci.nouns.aggregate import Aggregate, SliceKey, Value
    from mlci.nouns.condition import Condition
    from mlci.nouns.table_schema import DialectName, TableSchema

    Test = Callable[[Cell], bool]

_NONE = Part(where=(NOWHERE,))


@dataclass(frozen=True)
class ProbeCase:
    """A question with its answer.

    Attributes:
        kinds: What it shows to be answered right.
        aggregate: The question.
        expected: The right answers.
    """

    kinds: tuple[str, ...]
    aggregate: Aggregate
    expected: dict[SliceKey, Value]


def probe_cases(name: DialectName) -> tuple[TableSchema, tuple[ProbeCase, ...]]:
    """All questions to an engine, and the schema with the conditions that it is told."""
    schema = probe_schema(name)
    dialect = dialect_of(schema)
    rows = probe_rows(dialect)
    schema, conditions = condition_cases(schema, rows)
    cases = [*_counts(schema, rows), *_numbers(rows), *_keys(rows), *_slices(rows), *_of_nothing()]
    found = [ProbeCase(kinds_of(aggregate, schema, {}), aggregate, expected) for aggregate, expected in cases]
    found += [ProbeCase(words, aggregate, {(): count}) for words, aggregate, count in conditions]
    return schema, tuple(found)


def _number(value: Cell) -> float:
    return math.nan if value is None else float(value)  # type: ignore[arg-type]  # the columns asked hold numbers


def _text(value: Cell) -> str:
    return str(value)


_MARCH, _NEW_YEAR = datetime(2013, 3, 10, 2, 30), datetime(2013, 12, 31, 23, 59)  # noqa: DTZ001 - as the table has them
_TENTH = Decimal("0.1")
_COUNTS: tuple[tuple[Condition, Test], ...] = (
    (Outside(column="f", low=-1, high=2.5), lambda v: not -1 <= _number(v) <= 2.5),  # noqa: PLR2004
    (Outside(column="f", low=0), lambda v: not 0 <= _number(v) < math.inf),
    (Outside(column="g", low=0.25, high=2), lambda v: not 0.25 <= _number(v) <= 2),  # noqa: PLR2004
    (Outside(column="i", low=2**53, high=2**63 - 1), lambda v: not 2**53 <= v <= 2**63 - 1),  # type: ignore[operator]
    (Outside(column="i", low=0.5, high=1.5), lambda v: v != 1),
    (Outside(column="d", low=0.1, high=1.125), lambda v: not _TENTH <= v <= Decimal("1.125")),  # type: ignore[operator]
    (Outside(column="s", low="A", high="a"), lambda v: not "A" <= _text(v) <= "a"),
    (Outside(column="t", low="1970-01-01", high="2013-03-10T02:30"), lambda v: v != _MARCH),
    (Outside(column="t", low="1960-01-01", high="2013-12-31"), lambda _: False),
    (
        Outside(column="z", low="2013-03-10T02:30", high="2013-12-31T23:59"),
        lambda v: not _MARCH.replace(tzinfo=UTC) <= v <= _NEW_YEAR.replace(tzinfo=UTC),  # type: ignore[operator]
    ),
    (Outside(column="y", low="2012-02-28", high="2012-02-28"), lambda v: v != date(2012, 2, 28)),
    (NotAmong(column="s", values=("A1", "é", "a\\d")), lambda v: v not in {"A1", "é", "a\\d"}),
    (NotAmong(column="f", values=(0.1, 4)), lambda v: v not in {0.1, 4}),
    (NotAmong(column="g", values=(0.25,)), lambda v: v != 0.25),  # noqa: PLR2004
    (NotAmong(column="i", values=(2**53 + 1, 1)), lambda v: v not in {2**53 + 1, 1}),
    (NotAmong(column="d", values=(0.1, 7)), lambda v: v not in {_TENTH, Decimal(7)}),
    (NotAmong(column="b", values=(True,)), lambda v: not v),
    (NotAmong(column="y", values=("2012-02-29",)), lambda v: v != date(2012, 2, 29)),
    (NoMatch(column="s", pattern="[A-Z]1$"), lambda v: not re.fullmatch(r"[A-Z]1\Z", _text(v))),
    (NoMatch(column="s", pattern=".*"), lambda v: "\n" in _text(v)),
    (NoMatch(column="s", pattern="(?i)a1|."), lambda v: not re.fullmatch("(?i)a1|.", _text(v))),
    (NoMatch(column="s", pattern=r"\w+"), lambda v: not re.fullmatch(r"[0-9A-Za-z_]+", _text(v))),
    (WrongLength(column="s", length=Bound(low=1, high=2, text="1 to 2")), lambda v: not 1 <= len(_text(v)) <= 2),  # noqa: PLR2004
    (Under(column="f", limit=0.1, inclusive=True), lambda v: _number(v) <= 0.1),  # noqa: PLR2004
    (Over(column="f", limit=0.1), lambda v: _number(v) > 0.1),  # noqa: PLR2004
    (Under(column="i", limit=1.5), lambda v: _number(v) < 1.5),  # noqa: PLR2004
    (Over(column="d", limit=0.1), lambda v: v > _TENTH),  # type: ignore[operator]
    (Equals(column="s", value="A1"), lambda v: v == "A1"),
    (Equals(column="b", value="false"), lambda v: v is False),
    (Equals(column="i", value="9007199254740993"), lambda v: v == 2**53 + 1),
    (Equals(column="f", value="0.1"), lambda v: v == 0.1),  # noqa: PLR2004
    (Equals(column="d", value="0.1"), lambda v: v == _TENTH),
    (Equals(column="y", value="2012-02-29"), lambda v: v == date(2012, 2, 29)),
)


def _missing(value: Cell) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _counts(schema: TableSchema, rows: tuple[Row, ...]) -> Iterator[tuple[Aggregate, dict[SliceKey, Value]]]:
    yield Count(), {(): len(rows)}
    for column in schema.columns:
        yield Count(what=Missing(column=column)), {(): sum(_missing(row[column]) for row in rows)}
    present = sum(not _missing(row["f"]) and not _missing(row["s"]) for row in rows)
    yield Count(what=Present(columns=("f", "s"))), {(): present}
    for what, test in _COUNTS:
        values = [row[what.column] for row in rows]  # type: ignore[union-attr]  # each of these has a column
        yield Count(what=what), {(): sum(test(value) for value in values if not _missing(value))}


def _numbers(rows: tuple[Row, ...]) -> Iterator[tuple[Aggregate, dict[SliceKey, Value]]]:
    for column in "gid":
        held = sorted(row[column] for row in rows if row[column] is not None)  # type: ignore[type-var]
        exact = float(sum(held))  # type: ignore[arg-type]
        floats = [_number(value) for value in held]
        yield Number(what="sum", column=column), {(): exact}
        yield Number(what="mean", column=column), {(): exact / len(held)}
        yield (
            Number(what="std", column=column),
            {(): float(np.std(floats, ddof=1)) if column == "i" else statistics.stdev(floats)},
        )
        for at in (0.25, 0.5, 0.9):
            place = math.ceil(Decimal(str(at)) * len(held)) - 1
            yield Number(what="quantile", column=column, quantile=at), {(): floats[place]}
    yield Number(what="sum", column="n"), {(): None}
    whole = [_number(row["f"]) for row in rows if not _missing(row["f"])]
    if all(map(math.isfinite, whole)):
        yield Number(what="std", column="f"), {(): statistics.stdev(whole)}
    else:
        yield Number(what="std", column="f"), {(): math.inf}
    for column in "tzy":
        yield Number(what="newest", column=column), {(): _newest([row[column] for row in rows])}


def _newest(values: list[Cell]) -> int:
    found = []
    for value in values:
        if isinstance(value, date):
            day = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
            found.append(day.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC))
    last = max(found)
    return (last.days * 86_400 + last.seconds) * 1_000_000 + last.microseconds


def _keys(rows: tuple[Row, ...]) -> Iterator[tuple[Aggregate, dict[SliceKey, Value]]]:
    for column in "sifdbtzy":
        held = [row[column] for row in rows if not _missing(row[column])]
        yield Repeats(columns=(column,)), {(): len(held) - len(set(held))}
    yield Shared(other=VIEW, columns=("s", "id")), {(): sum(row["s"] is not None for row in rows)}
    labels: dict[Cell, list[Cell]] = {}
    for row in rows:
        labels.setdefault(row["y"], []).append(row["b"])
    yield Conflicting(label="b", features=("y",)), {(): sum(len(met) for met in labels.values() if len(set(met)) > 1)}


def _slices(rows: tuple[Row, ...]) -> Iterator[tuple[Aggregate, dict[SliceKey, Value]]]:
    for column in "sbiy":
        counts = Counter(_as_text(row[column]) for row in rows)
        yield Count(part=Part(by=(column,))), {(text,): count for text, count in counts.items()}


def _as_text(value: Cell) -> str | None:
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _of_nothing() -> Iterator[tuple[Aggregate, dict[SliceKey, Value]]]:
    yield Count(part=_NONE), {(): 0}
    yield Count(what=Missing(column="s"), part=_NONE), {(): 0}
    for what in ("sum", "mean", "std"):
        yield Number(what=what, column="g", part=_NONE), {(): None}
        yield Number(what=what, column="i", part=_NONE), {(): None}
    yield Number(what="newest", column="t", part=_NONE), {(): None}
    yield Repeats(columns=("s",), part=_NONE), {(): 0}
