"""One entry of the policy about one column, and what its checks have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlci.measure.data.asked import impossible
from mlci.nouns.aggregate import Count
from mlci.nouns.data_check import ShareOf
from mlci.nouns.scalars import Bound

if TYPE_CHECKING:
    from mlci.measure.data.asked import Asked
    from mlci.nouns.aggregate import Part
    from mlci.nouns.condition import Condition
    from mlci.nouns.data_check import DataCheck, Known, Reading
    from mlci.nouns.data_policy import Column, Limited
    from mlci.nouns.table_schema import Kind

NUMBERS: tuple[Kind, ...] = ("integer", "float", "decimal")

HOLDS: dict[Kind, str] = {
    "string": "text",
    "integer": "integers",
    "float": "decimal numbers",
    "decimal": "decimal numbers",
    "boolean": "true and false",
    "timestamp": "timestamps",
    "date": "dates",
    "other": "nested values",
}
"""What a column of each kind holds, in words."""


def at_most(share: float) -> Bound:
    """The bound of a tolerance."""
    return Bound(high=share, text=f"<= {100 * share:g}%")


@dataclass(frozen=True)
class At:
    """A column, and the entry of the policy that speaks of it: its own one or `"*"`.

    Attributes:
        asked: The table.
        name: The column.
        key: The entry's key.
        entry: The entry.
    """

    asked: Asked
    name: str
    key: str
    entry: Column

    @property
    def kind(self) -> Kind:
        """The family of the column's type."""
        return self.asked.schema.kind(self.name)

    @property
    def type_name(self) -> str:
        """The engine's name of its type."""
        return self.asked.schema.columns[self.name]

    def part(self, *own: Limited) -> Part:
        """The rows of a check, with a limit of its own or without."""
        return self.asked.part(self.entry, *own)

    def check(self, words: tuple[str, ...], title: str, reading: Reading, *own: Limited) -> DataCheck:
        """The check that these keys of the entry ask for."""
        return self.asked.check(
            (self.name, *words),
            f"{self.name} {title}",
            reading,
            scopes=(self.entry, *own),
            column=self.name,
            key=("columns", self.key, *words),
        )

    def unfit(self, word: str, needs: str) -> Known:
        """The column's type does not allow the question."""
        return impossible(
            f"`{self.name}` holds {HOLDS[self.kind]} ({self.type_name}), and `{word}` needs {needs}",
            f"Correct the column's type where the table is written, or correct `{word}` in the policy.",
        )

    def share(self, condition: Condition, limit: Bound, verb: str, own: Limited) -> ShareOf:
        """The share of the column's values that meet a condition; rows without a value are not counted."""
        part = self.part(own)
        return ShareOf(
            bad=Count(what=condition, part=part),
            of=self.asked.present(part, self.name),
            limit=limit,
            subject=f"`{self.name}`",
            verb=verb,
            unit="values",
            shows=condition,
        )
