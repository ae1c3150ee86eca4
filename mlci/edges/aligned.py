"""Tables whose rows are put side by side by their ids: by a join in SQL, or because they lie in one table already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mlci.nouns.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SideName = Literal["new", "old", "test"]

HERE = {"new": "mlci new", "old": "mlci old", "test": "mlci test"}
"""Flags of an aligned table: whether its row has one of this side."""


@dataclass(frozen=True)
class Aligned:
    """One table with at most one row of every side in a row, and every row of every side in one.

    Attributes:
        view: Its name in SQL, not quoted.
        columns: For every side, the name that a column of the side has in it.
    """

    view: str
    columns: Mapping[SideName, Mapping[str, str]]

    def sql(self, side: SideName) -> Callable[[str], str]:
        """How a column of a side is written."""
        known = self.columns[side]
        return lambda name: identifier(known[name]) if name in known else "NULL"


@dataclass(frozen=True)
class Rows:
    """Rows of one table, some values of each.

    Attributes:
        name: What they are called in the statement.
        side: The side that the table is.
        values: SQL by name; `id` is among them.
        source: The table, with what is joined to it for the values; in it, rows may be called `rows`.
        joins: What of `source` is joined.
        where: Which rows of `source`, where it is not aligned.
    """

    name: str
    side: SideName
    values: Mapping[str, str]
    source: str
    joins: str = ""
    where: str = "TRUE"


def beside(aligned: Aligned | None, first: Rows, *others: Rows, inner: Rows | None = None) -> str:
    """What follows FROM: every row of the first, its counterparts, and only those that the inner one has too.

    Whoever reads it writes `name.value`, which is NULL where there is no counterpart.
    """
    every = (first, *others, *((inner,) if inner is not None else ()))
    if aligned is None:
        joined = [_select(first)]
        joined += [f"LEFT JOIN {_select(each)} ON {each.name}.id = {first.name}.id" for each in others]
        joined += [f"JOIN {_select(inner)} ON {inner.name}.id = {first.name}.id"] if inner is not None else []
        return " ".join(joined)
    packed = ", ".join(_packed(each) for each in every)
    held = [identifier(HERE[each.side]) for each in every if each not in others]
    joins = " ".join(each.joins for each in every)
    return f"(SELECT {packed} FROM {identifier(aligned.view)} AS rows {joins} WHERE {' AND '.join(held)})"


def _select(rows: Rows) -> str:
    values = ", ".join(f"{sql} AS {name}" for name, sql in rows.values.items())
    return f"(SELECT {values} FROM {rows.source} AS rows {rows.joins} WHERE {rows.where}) AS {rows.name}"


def _packed(rows: Rows) -> str:
    values = ", ".join(f"{name} := {sql}" for name, sql in rows.values.items())
    return f"CASE WHEN {identifier(HERE[rows.side])} THEN struct_pack({values}) END AS {rows.name}"
