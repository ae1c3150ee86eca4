"""Which kinds of question an aggregate asks: what a warehouse must answer right before it is asked of real data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.nouns.aggregate import Conflicting, Count, Number, Repeats, Shared
from mlci.nouns.condition import Breaks, Missing, NoMatch, NotAmong, Outside, Present, WrongLength
from mlci.nouns.expression import Among, Between, Call, Case, Cast, ColumnOf, Compare, Interval, IsNull, Logic, Not

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlci.nouns.aggregate import Aggregate
    from mlci.nouns.condition import Condition
    from mlci.nouns.expression import Expression
    from mlci.nouns.table_schema import TableSchema

WORDS = {"string": "text", "timestamp": "moments", "date": "dates", "integer": "integers", "boolean": "true and false"}
_PLURAL = {"float": "floats", "decimal": "decimals", "other": "nested values"}


def kinds_of(aggregate: Aggregate, schema: TableSchema, told: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The kinds, in words.

    Args:
        aggregate: What is asked.
        schema: The table.
        told: What the policy's conditions hold, as `words_of` has it.
    """
    found = [*_kinds(aggregate, schema)]
    conditions = list(aggregate.part.where)
    if isinstance(aggregate, Count) and isinstance(aggregate.what, Breaks):
        conditions.append(aggregate.what.sql)
    found += [word for sql in conditions for word in told.get(sql, ())]
    found += [f"slices by {_kind(column, schema)}" for column in aggregate.part.by]
    return tuple(dict.fromkeys(found))


def _kinds(aggregate: Aggregate, schema: TableSchema) -> Iterator[str]:
    match aggregate:
        case Count(what=None):
            yield "rows"
        case Count(what=what):
            yield from _of_condition(what, schema)
        case Number(what=what, column=column):
            yield f"{what} of {_kind(column, schema)}"
        case Repeats(columns=columns) | Shared(columns=columns):
            yield from (f"keys of {_kind(column, schema)}" for column in columns)
        case Conflicting(label=label, features=features):
            yield "conflicting labels"
            yield from (f"keys of {_kind(column, schema)}" for column in (label, *features))


def _of_condition(condition: Condition | None, schema: TableSchema) -> Iterator[str]:
    match condition:
        case Missing(column=column):
            yield f"missing {_kind(column, schema)}"
        case Present(columns=columns):
            yield from (f"missing {_kind(column, schema)}" for column in columns)
        case NoMatch():
            yield "patterns"
        case WrongLength():
            yield "lengths"
        case NotAmong(column=column):
            yield f"allowed {_kind(column, schema)}"
        case Breaks() | None:
            return
        case Outside(column=column):
            yield f"ranges of {_kind(column, schema)}"
        case _:  # a rank, or one value
            word = "shares of" if condition.kind == "equals" else "ranks of"
            yield f"{word} {_kind(condition.column, schema)}"


def _kind(column: str, schema: TableSchema) -> str:
    kind = schema.kind(column)
    return WORDS.get(kind) or _PLURAL[kind]


def words_of(tree: Expression, schema: TableSchema) -> tuple[str, ...]:
    """What a condition holds that engines may understand in different ways."""
    return tuple(dict.fromkeys(_words(tree, {name.lower(): name for name in schema.columns}, schema)))


def _words(tree: Expression, names: Mapping[str, str], schema: TableSchema) -> Iterator[str]:
    for part in _parts(tree):
        yield from _words(part, names, schema)
    match tree:
        case Compare(op="same" | "distinct"):
            yield "`IS DISTINCT FROM`"
        case Compare() | Among() | Between():
            columns = [part.name.lower() for part in _parts(tree) if isinstance(part, ColumnOf)]
            yield from (f"comparisons of {_kind(names[column], schema)}" for column in columns if column in names)
        case Call(name="~~" | "!~~"):
            yield "`LIKE`"
        case Call(name="date_part"):
            yield "parts of moments"
        case Call(name=name):
            yield "parts of moments" if name in _PARTS else f"`{name}`"
        case Cast(type=kind):
            yield f"casts to {kind}"
        case Interval():
            yield "intervals"
        case Logic() | Not() | IsNull() | Case():
            yield "`AND`, `OR`, `NOT`, `CASE`"
        case _:
            return


_PARTS = frozenset({"year", "quarter", "month", "day", "hour", "minute"})


def _parts(tree: Expression) -> tuple[Expression, ...]:
    match tree:
        case Compare(left=left, right=right):
            return (left, right)
        case Logic(parts=parts):
            return parts
        case Not(of=of) | IsNull(of=of) | Cast(of=of):
            return (of,)
        case Among(of=of, values=values):
            return (of, *values)
        case Between(of=of, low=low, high=high):
            return (of, low, high)
        case Case(checks=checks, otherwise=otherwise):
            return (*(each for pair in checks for each in pair), otherwise)
        case Call(arguments=arguments):
            return arguments
        case _:
            return ()
