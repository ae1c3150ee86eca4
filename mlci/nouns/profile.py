"""What the rows of a table look like, column by column, in as few numbers as a proposal for a policy needs."""

from __future__ import annotations

from mlci.nouns.base import Noun
from mlci.nouns.table_schema import Kind

MOST_VALUES = 20
"""Up to so many different texts, a column is taken for one of categories."""


class ColumnProfile(Noun):
    """A column; what does not fit its kind is None.

    Attributes:
        name: Its name.
        type_name: The engine's type.
        kind: Family of the type.
        missing: Rows that are null or NaN.
        distinct: About how many different values it has.
        low: Smallest finite value, as the engine writes it; of texts the first in order.
        high: Largest finite value, as the engine writes it.
        infinite: Values that are infinite.
        newest: Latest moment, in seconds since 1970 (UTC).
        shortest: Fewest characters of a text.
        longest: Most characters of a text.
        values: All values of a text column with at most `MOST_VALUES` of them, the most frequent first.
        unique: Whether no value occurs twice; None where nobody asked.
        true: Rows that are true.
    """

    name: str
    type_name: str
    kind: Kind
    missing: int
    distinct: int = 0
    low: str | None = None
    high: str | None = None
    infinite: int = 0
    newest: float | None = None
    shortest: int | None = None
    longest: int | None = None
    values: tuple[str, ...] | None = None
    unique: bool | None = None
    true: int | None = None


class TableProfile(Noun):
    """A table.

    Attributes:
        path: As it is to stand in the policy.
        rows: Number of rows.
        columns: In the order of the file.
    """

    path: str
    rows: int
    columns: tuple[ColumnProfile, ...]
