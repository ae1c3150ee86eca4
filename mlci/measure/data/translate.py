"""Tell an engine a condition of the policy in its own words, with the meaning that DuckDB gives it."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from mlci.measure.data.dialects import dialect_of
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
    from mlci.measure.data.dialects.base import Dialect
    from mlci.nouns.table_schema import TableSchema

_ARITHMETIC = frozenset("+-*%")
_SAME = frozenset({"lower", "upper", "trim", "ltrim", "rtrim", "abs", "coalesce", "greatest", "least", "nullif"})
_FIELDS = frozenset({"year", "quarter", "month", "day", "hour", "minute"})
_TYPES = frozenset({"DOUBLE", "DATE", "TIMESTAMP"})
_LIKE = {"~~": "LIKE", "!~~": "NOT LIKE"}


class UntranslatedError(ValueError):
    """Something in a condition that an engine is not told, because it would mean something else there."""


def translated(tree: Expression, schema: TableSchema) -> str:
    """The condition in the words of the table's engine.

    Raises:
        UntranslatedError: It holds something that can't be said with the same meaning.
    """
    return _Writer(schema, dialect_of(schema)).sql(tree)


class _Writer:
    """Writes trees for one table."""

    def __init__(self, schema: TableSchema, dialect: Dialect) -> None:
        self.schema = schema
        self.dialect = dialect
        self.names = {name.lower(): name for name in schema.columns}

    def sql(self, tree: Expression) -> str:  # noqa: C901, PLR0911, PLR0912 - one case a kind of node
        match tree:
            case ColumnOf(name=name):
                return self.dialect.identifier(self.names.get(name.lower(), name))
            case Constant():
                return self._constant(tree)
            case Compare():
                return self._compare(tree)
            case Logic(op=op, parts=parts):
                return "(" + f" {op} ".join(self.sql(part) for part in parts) + ")"
            case Not(of=of):
                return f"(NOT {self.sql(of)})"
            case IsNull(of=of):
                return f"({self.sql(of)} IS NULL)"
            case Among(of=of, values=values):
                return f"({self.sql(of)} IN ({self._listed(values)}))"
            case Between(of=of, low=low, high=high):
                value = self.dialect.in_order(self.sql(of)) if self._kind(of) == "string" else self.sql(of)
                return f"({value} BETWEEN {self.sql(low)} AND {self.sql(high)})"
            case Case(checks=checks, otherwise=otherwise):
                cases = " ".join(f"WHEN {self.sql(when)} THEN {self.sql(then)}" for when, then in checks)
                return f"CASE {cases} ELSE {self.sql(otherwise)} END"
            case Cast(of=of, type=kind):
                if kind not in _TYPES:
                    raise UntranslatedError(f"CAST to {kind}")
                if not self.dialect.refuses_casts:
                    self._only_what_is_one(of, kind)
                return self.dialect.cast(self.sql(of), kind)
            case Interval(number=number, unit=unit):
                return f"INTERVAL '{number}' {unit.upper()}"
            case Call():
                return self._call(tree)

    def _only_what_is_one(self, of: Expression, kind: str) -> None:
        """Where a text that is no number is cast to 0, and not refused."""
        if isinstance(of, Constant) and kind == "DOUBLE":
            try:
                known = isfinite(float(of.text))
            except ValueError:
                known = False
        else:
            known = isinstance(of, Constant) or self._kind(of) not in {"", "string"}
        if not known:
            raise UntranslatedError(f"a cast to {kind} of what may be none")

    def _listed(self, values: tuple[Expression, ...]) -> str:
        return ", ".join(self.sql(value) for value in values)

    def _constant(self, tree: Constant) -> str:
        match tree.kind:
            case "text":
                return self.dialect.text(tree.text)
            case "null":
                return "NULL"
            case "number" | "boolean":
                return tree.text

    def _compare(self, tree: Compare) -> str:
        left, right = self.sql(tree.left), self.sql(tree.right)
        if tree.op in {"same", "distinct"}:
            same = f"({left} {self.dialect.null_safe} {right})"
            return same if tree.op == "same" else f"(NOT {same})"
        if "string" in {self._kind(tree.left), self._kind(tree.right)}:
            left = self.dialect.in_order(left)
        return f"({left} {tree.op} {right})"

    def _call(self, tree: Call) -> str:
        name, arguments = tree.name, tree.arguments
        if name in self.dialect.strange:
            raise UntranslatedError(f"`{name}`")
        if name == "/":
            return self._quotient(*arguments)
        if name in _ARITHMETIC:
            return self._arithmetic(name, arguments)
        if name in _LIKE:
            return self._like(_LIKE[name], *arguments)
        if name == "date_part" and isinstance(arguments[0], Constant):
            name, arguments = arguments[0].text.lower(), arguments[1:]
        if name == "||" or name in _SAME:
            texts = [self.sql(value) for value in arguments]
            return f"({' || '.join(texts)})" if name == "||" else f"{name}({', '.join(texts)})"
        if name in {"length", "len"}:
            return self.dialect.length(self.sql(arguments[0]))
        if name in _FIELDS:
            return f"extract({name.upper()} FROM {self.sql(arguments[0])})"
        floats = {"isnan": self.dialect.is_nan, "isfinite": self.dialect.is_finite}
        if name in floats:
            return f"({floats[name](self.sql(arguments[0]))})"
        raise UntranslatedError(f"`{name}`")

    def _kind(self, tree: Expression) -> str:
        found = self.names.get(tree.name.lower()) if isinstance(tree, ColumnOf) else None
        return self.schema.kind(found) if found is not None else ""

    def _arithmetic(self, name: str, arguments: tuple[Expression, ...]) -> str:
        if len(arguments) == 1:
            return f"({name}{self.sql(arguments[0])})"
        if {self._kind(each) for each in arguments} & {"date"} and not isinstance(arguments[1], Interval):
            raise UntranslatedError(f"`{name}` of dates")
        return f"({self.sql(arguments[0])} {name} {self.sql(arguments[1])})"

    def _quotient(self, left: Expression, right: Expression) -> str:
        """As IEEE 754 has it, where other engines refuse to divide by zero."""
        a, b = (self.dialect.cast(self.sql(each), "DOUBLE") for each in (left, right))
        if isinstance(right, Constant) and right.kind == "number" and float(right.text) != 0:
            return f"({a} / {b})"
        if not self.dialect.has_infinity:
            raise UntranslatedError("`/` by what may be zero")
        infinity, nan = self.dialect.infinity(), self.dialect.nan()
        return (
            f"CASE WHEN {b} <> 0 THEN {a} / {b} WHEN {b} = 0 THEN CASE WHEN {a} = 0 OR {self.dialect.is_nan(a)}"
            f" THEN {nan} WHEN {a} > 0 THEN {infinity} WHEN {a} < 0 THEN -{infinity} END END"
        )

    def _like(self, word: str, text: Expression, pattern: Expression) -> str:
        if not isinstance(pattern, Constant):
            raise UntranslatedError(f"{word} with a pattern that is no constant")
        escaped = self.dialect.text(self.dialect.like(pattern.text))
        return f"({self.sql(text)} {word} {escaped})"
