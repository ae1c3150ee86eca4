"""The rows that a reader is shown of a broken check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.edges.duck_rows import MOST_EXAMPLES
from mlci.edges.duck_table import DuckTable
from mlci.measure.data.examples import broken_rows
from mlci.nouns.aggregate import Count
from mlci.nouns.data_check import ShareOf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.flows.data_engine import OpenTable
    from mlci.nouns.aggregate import SliceKey
    from mlci.nouns.data_check import DataCheck
    from mlci.nouns.finding import Rows

_HEAD = 20_000
_MOST_CELLS = 1_000_000
"""The first rows of a table are kept up to so many values."""


class Examples:
    """Fetches the first rows that break a check.

    A table of which much is broken shows enough of it at its beginning: its first rows are read once for all checks,
    and only a check whose broken rows are rarer is asked of the whole table.
    """

    def __init__(self, table: OpenTable) -> None:
        self._table = table
        self._head: DuckTable | None = None
        self._asked = 0

    def of(self, check: DataCheck, key: SliceKey, sql: str, columns: Sequence[str]) -> Rows:
        """At most ten rows in the file's order.

        Args:
            check: The check.
            key: The slice.
            sql: Selects all rows that break it.
            columns: What is shown of them.

        Raises:
            WorldError: The table can't be read.
        """
        near = self._near(check)
        if near is not None and (first := broken_rows(check, key, near.schema)) is not None:
            found = near.examples(first, columns)
            if len(found.rows) == MOST_EXAMPLES:
                return found
        return self._table.engine.examples(sql, columns)

    def _near(self, check: DataCheck) -> DuckTable | None:
        """The first rows, where a row breaks the check by itself and the table has many more."""
        engine = self._table.engine
        plain = isinstance(check.reading, ShareOf) and isinstance(check.reading.bad, Count)
        if not plain or not isinstance(engine, DuckTable) or engine.footer is None:
            return None
        rows = min(_HEAD, _MOST_CELLS // max(len(engine.schema.columns), 1))
        self._asked += 1
        # The first one is asked of the table: often it stays alone.
        if self._asked == 1 or engine.footer.rows < 4 * rows:
            return None
        if self._head is None:
            self._head = engine.head(rows)
        return self._head
