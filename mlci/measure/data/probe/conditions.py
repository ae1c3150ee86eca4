"""The probe's conditions: each holds one thing that engines may understand in different ways."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import TYPE_CHECKING

from mlci.measure.data.probe.kinds import words_of
from mlci.measure.data.translate import UntranslatedError, translated
from mlci.nouns.aggregate import Count, Part
from mlci.nouns.expression import (
    Among,
    Between,
    Call,
    Case,
    Cast,
    ColumnOf,
    Compare,
    Constant,
    Expression,
    Interval,
    IsNull,
    Logic,
    Not,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlci.measure.data.probe.rows import Row
    from mlci.nouns.table_schema import TableSchema

    Found = tuple[TableSchema, tuple[tuple[tuple[str, ...], Count, int], ...]]


def _number(text: str) -> Constant:
    return Constant(kind="number", text=text)


def _text(text: str) -> Constant:
    return Constant(kind="text", text=text)


def _call(name: str, *arguments: Expression) -> Call:
    return Call(name=name, arguments=arguments)


def _equal(left: Expression, right: Expression) -> Compare:
    return Compare(op="=", left=left, right=right)


_F, _I, _S, _B, _T, _Y, _D = (ColumnOf(name=name) for name in "fisbtyd")
_SMALL = Between(of=_I, low=_number("-10"), high=_number("10"))
_LATE = datetime(2013, 3, 10, 12)  # noqa: DTZ001 - as the table has it


def _small(row: Row) -> bool:
    return row["i"] is not None and abs(row["i"]) <= 10  # type: ignore[arg-type, operator]  # noqa: PLR2004


def _of_small(tree: Expression) -> Logic:
    """Asked only of integers whose arithmetic no engine refuses."""
    return Logic(op="AND", parts=(_SMALL, tree))


def _is(column: str, *values: object) -> Callable[[Row], bool]:
    return lambda row: row[column] in values and row[column] is not None


_CASES: tuple[tuple[Expression, Callable[[Row], bool]], ...] = (
    (_equal(_S, _text("A1")), _is("s", "A1")),
    (Compare(op="<>", left=_S, right=_text("é")), lambda row: row["s"] not in {None, "é"}),
    (Compare(op=">", left=_S, right=_text("a")), lambda row: row["s"] is not None and str(row["s"]) > "a"),
    (Among(of=_S, values=(_text("A1"), _text("e"))), _is("s", "A1", "e")),
    (Compare(op=">", left=_F, right=_number("0.5")), lambda row: row["f"] is not None and not float(row["f"]) <= 0.5),  # type: ignore[arg-type]  # noqa: PLR2004
    (Between(of=_F, low=_number("0.1"), high=_number("3")), _is("f", 0.1, 0.5, 2.5)),
    (_equal(_I, _number("9007199254740993")), _is("i", 2**53 + 1)),
    (Compare(op=">", left=_D, right=_number("0.1")), lambda row: row["d"] is not None and float(row["d"]) > 0.1),  # type: ignore[arg-type]  # noqa: PLR2004
    (
        Compare(op="<", left=_T, right=_text("2013-03-10T12:00:00")),
        lambda row: row["t"] is not None and row["t"] < _LATE,  # type: ignore[operator]
    ),
    (Compare(op=">=", left=_Y, right=Cast(of=_text("2012-02-29"), type="DATE")), _is("y", date(2012, 2, 29))),
    (Compare(op="distinct", left=_S, right=_text("A1")), lambda row: row["s"] != "A1"),
    (Logic(op="OR", parts=(Not(of=_B), IsNull(of=_S))), lambda row: row["b"] is False or row["s"] is None),
    (
        Compare(
            op=">",
            left=Case(checks=((_B, _number("2")),), otherwise=_number("1")),
            right=_number("1"),
        ),
        lambda row: row["b"] is True,
    ),
    (_call("~~", _S, _text("A_")), lambda row: row["s"] == "A1"),
    (_call("!~~", _S, _text("%\\%")), lambda row: row["s"] is not None and "\\" not in str(row["s"])),
    (_equal(_call("||", _S, _text("x")), _text("A1x")), _is("s", "A1")),
    (_equal(_call("lower", _S), _text("a1")), _is("s", "A1", "a1")),
    (_equal(_call("upper", _S), _text("É")), _is("s", "é")),
    (_equal(_call("trim", _S), _text("A1")), _is("s", "A1", "A1 ")),
    (_equal(_call("rtrim", _S), _text("A1")), _is("s", "A1", "A1 ")),
    (_equal(_call("ltrim", _S), _text("A1")), _is("s", "A1")),
    (_equal(_call("length", _S), _number("1")), _is("s", "é", "e", "🙂")),
    (_of_small(_equal(_call("abs", _I), _number("7"))), _is("i", -7)),
    (_equal(_call("coalesce", _S, _text("A1")), _text("A1")), lambda row: row["s"] in {None, "A1"}),
    (IsNull(of=_call("nullif", _S, _text("A1"))), lambda row: row["s"] in {None, "A1"}),
    (_of_small(_equal(_call("greatest", _I, _number("2")), _number("3"))), _is("i", 3)),
    (_of_small(_equal(_call("least", _I, _number("2")), _number("-7"))), _is("i", -7)),
    (_of_small(_equal(_call("%", _I, _number("4")), _number("-3"))), _is("i", -7)),
    (_of_small(_equal(_call("/", _I, _number("2")), _number("1.5"))), _is("i", 3)),
    (
        _of_small(Compare(op=">", left=_call("/", _number("1"), _I), right=_number("0"))),
        lambda row: _small(row) and row["i"] != -7,  # noqa: PLR2004
    ),
    (_of_small(_equal(_call("+", _I, _number("1")), _number("2"))), _is("i", 1)),
    (_of_small(_equal(_call("*", _I, _number("2")), _number("-14"))), _is("i", -7)),
    (_of_small(_equal(_call("-", _number("1"), _I), _number("8"))), _is("i", -7)),
    (_call("isnan", _F), lambda row: isinstance(row["f"], float) and math.isnan(row["f"])),
    (_call("isfinite", _F), lambda row: isinstance(row["f"], float) and math.isfinite(row["f"])),
    (_equal(_call("month", _T), _number("12")), lambda row: isinstance(row["t"], date) and row["t"].month == 12),  # noqa: PLR2004
    (_equal(_call("hour", _T), _number("2")), lambda row: isinstance(row["t"], datetime) and row["t"].hour == 2),  # noqa: PLR2004
    (
        Compare(
            op=">",
            left=_call("+", _T, Interval(number="10", unit="hour")),
            right=Cast(of=_text("2013-03-10T12:00:00"), type="TIMESTAMP"),
        ),
        lambda row: isinstance(row["t"], datetime) and row["t"].year == 2013,  # noqa: PLR2004
    ),
    (_of_small(Compare(op=">", left=Cast(of=_I, type="DOUBLE"), right=_number("2.5"))), _is("i", 3)),
)


def condition_cases(schema: TableSchema, rows: tuple[Row, ...]) -> Found:
    """The conditions that an engine can be told, each with what it holds and how many rows meet it."""
    told = dict(schema.conditions)
    cases: list[tuple[tuple[str, ...], Count, int]] = []
    for place, (tree, test) in enumerate(_CASES):
        try:
            told[f"condition {place}"] = translated(tree, schema)
        except UntranslatedError:
            continue  # the policy can't hold it either
        aggregate = Count(part=Part(where=(f"condition {place}",)))
        cases.append((words_of(tree, schema), aggregate, sum(bool(test(row)) for row in rows)))
    return schema.model_copy(update={"conditions": told}), tuple(cases)
