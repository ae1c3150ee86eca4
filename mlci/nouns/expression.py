"""A condition of the policy as a tree, so that engines can be told it in their own words."""

from __future__ import annotations

from typing import Literal

from mlci.nouns.base import Noun

Comparing = Literal["=", "<>", "<", "<=", ">", ">=", "distinct", "same"]
Unit = Literal["year", "month", "week", "day", "hour", "minute", "second"]


class ColumnOf(Noun):
    """A column's value."""

    name: str


class Constant(Noun):
    """A value written in the policy."""

    kind: Literal["number", "text", "boolean", "null"]
    text: str = ""


class Compare(Noun):
    """Two values side by side."""

    op: Comparing
    left: Expression
    right: Expression


class Logic(Noun):
    """Conditions that hold together, or of which one holds."""

    op: Literal["AND", "OR"]
    parts: tuple[Expression, ...]


class Not(Noun):
    """A condition that does not hold."""

    of: Expression


class IsNull(Noun):
    """Whether a value is null."""

    of: Expression


class Among(Noun):
    """Whether a value is one of a list."""

    of: Expression
    values: tuple[Expression, ...]


class Between(Noun):
    """Whether a value lies in a closed range."""

    of: Expression
    low: Expression
    high: Expression


class Call(Noun):
    """A function or operator by DuckDB's name."""

    name: str
    arguments: tuple[Expression, ...]


class Case(Noun):
    """The value of the first condition that holds."""

    checks: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression


class Cast(Noun):
    """A value as another type, by DuckDB's name."""

    of: Expression
    type: str


class Interval(Noun):
    """A span of time."""

    number: str
    unit: Unit


Expression = ColumnOf | Constant | Compare | Logic | Not | IsNull | Among | Between | Call | Case | Cast | Interval

for _node in (Compare, Logic, Not, IsNull, Among, Between, Call, Case, Cast):
    _node.model_rebuild()
