"""The table that checks are made for, and the rules by which scopes are inherited."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlci.nouns.aggregate import Count, Part
from mlci.nouns.condition import Present
from mlci.nouns.data_check import DataCheck, Known, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from mlci.nouns.base import Level, Place
    from mlci.nouns.data_policy import Scope, Table
    from mlci.nouns.table_schema import TableSchema

EVERY = "*"
"""The policy's name for all columns of a table."""


@dataclass(frozen=True)
class Asked:
    """What the policy asks of one table, beside what is known of the table.

    Attributes:
        name: The table's name in the policy.
        table: Its promises.
        schema: Its columns.
        place: Where the keys below the table's own stand in the policy.
        now: The moment that freshness is seen from, in UTC.
        id_column: The model's id, which is no feature.
        other: The table that `overlap` names.
        references: Distinct values of the reference's columns, where `new` needs them.
    """

    name: str
    table: Table
    schema: TableSchema
    place: Callable[..., Place]
    now: datetime
    id_column: str | None = None
    other: TableSchema | None = None
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def part(self, *scopes: Scope) -> Part:
        """The rows of a check: all conditions hold together, the innermost split wins."""
        layers = (self.table, *scopes)
        where = tuple(scope.where for scope in layers if scope.where is not None)
        by = next((scope.by for scope in reversed(layers) if scope.by), ())
        return Part(where=where, by=by)

    def level(self, *scopes: Scope) -> Level:
        """The innermost level wins; without any, a check blocks."""
        return next((scope.level for scope in reversed((self.table, *scopes)) if scope.level is not None), "block")

    def check(
        self,
        path: tuple[str, ...],
        title: str,
        reading: Reading,
        *,
        scopes: tuple[Scope, ...] = (),
        column: str | None = None,
        key: tuple[str, ...] = (),
    ) -> DataCheck:
        """A check whose id is made of `path` and whose place is that of `key` (default: `path`) under the table."""
        part = self.part(*scopes)
        where = f", where {' and '.join(part.where)}" if part.where else ""
        return DataCheck(
            id=".".join(("data", self.name, *path)),
            title=f"{title}{where}",
            level=self.level(*scopes),
            place=self.place(*(key or path)),
            table=self.name,
            column=column,
            word=(key or path)[-1],
            part=part,
            reading=reading if part_is_there(self, part) else self.absent(part.by),
        )

    def present(self, part: Part, *columns: str) -> Count:
        """Counts the rows that have a value in all these columns."""
        return Count(what=Present(columns=columns), part=part)

    def lacks(self, columns: Iterable[str]) -> tuple[str, ...]:
        """Those that the table has not."""
        return tuple(column for column in columns if column not in self.schema.columns)

    def absent(self, columns: Iterable[str]) -> Known:
        """The finding that promised columns are not there."""
        missing = self.lacks(columns)
        names = " and ".join(f"`{name}`" for name in missing)
        hints = [close for name in missing if (close := self._close(name))]
        hint = f"; did you mean {' and '.join(f'`{name}`' for name in hints)}?" if hints else ""
        return Known(
            outcome="fail",
            message=f"{self.schema.path} has no column {names}{hint}",
            mend="Correct the name in the policy or in the script that writes the table, or set `optional: true`.",
            measured="absent",
        )

    def _close(self, name: str) -> str | None:
        lower = {column.lower(): column for column in self.schema.columns}
        found = difflib.get_close_matches(name.lower(), list(lower), n=1, cutoff=0.5)
        return lower[found[0]] if found else None


def part_is_there(asked: Asked, part: Part) -> bool:
    """Whether the table has the columns that a check is split by."""
    return not asked.lacks(part.by)


def impossible(message: str, mend: str) -> Known:
    """A check that cannot be asked of such a column: not measured, which does not pass."""
    return Known(outcome="not_measured", message=message, mend=mend)
