"""The parts that a comment is made of: tables, and folds from which the last rows can be left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar, overload

from mlci.nouns import units
from mlci.render.text import markdown_code, markdown_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlci.nouns.finding import Rows

Item = TypeVar("Item")

MOST_NAME = 100
MOST_WORDS = 400
MOST_CELL = 60
_MOST_COLUMNS = 12


class Written(NamedTuple):
    """A fold as text, and how many of its items are not in it."""

    text: str
    left: int


class Fold(NamedTuple):
    """One folded part.

    Attributes:
        name: What it is, in lower case, for the note that says it was left out.
        importance: The less, the earlier it gets room.
        summary: The line that shows while it is folded, as inert HTML.
        head: Lines above the rows.
        items: Rows of the table under `head`, or blocks of their own.
        between: What stands between two items.
        open: Whether it shows what is in it at first.
    """

    name: str
    importance: int
    summary: str
    head: tuple[str, ...]
    items: Sequence[str]
    between: str = "\n"
    open: bool = False

    def within(self, room: int, most: float) -> Written | None:
        """The fold whole if it has room, else cut with a note on what was left out; None if not even one item has room.

        Args:
            room: UTF-8 bytes that it may take whole.
            most: UTF-8 bytes that it may take cut, so that others have room too.
        """
        used, few = len(self._text((), len(self.items)).encode()) + len(self.between), 0
        shown: list[str] = []
        for item in self.items:
            used += len(f"{item}{self.between}".encode())
            if used > room:
                left = len(self.items) - few
                return Written(self._text(shown[:few], left), left) if few else None
            shown.append(item)
            few += used <= most
        return Written(self._text(shown, 0), 0) if shown else None

    def _text(self, shown: Sequence[str], left: int) -> str:
        note = [f"\n_{units.count(left)} more left out, because there is room for so much._"] if left else []
        inside = [*self.head, self.between.join(shown), *note]
        details = "<details open>" if self.open else "<details>"
        return "\n".join([f"{details}<summary>{self.summary}</summary>", "", *inside, "", "</details>"])


class Drawn(Sequence[str], Generic[Item]):
    """Rows that are written when they are asked for: of ten thousand, few have room."""

    def __init__(self, items: Sequence[Item], draw: Callable[[Item], str]) -> None:
        """Write each of the items with a function."""
        self._items, self._draw = items, draw

    def __len__(self) -> int:
        """How many there are."""
        return len(self._items)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        """The one at a place, or some."""
        if isinstance(at, slice):
            return Drawn(self._items[at], self._draw)
        return self._draw(self._items[at])


def table(*names: str) -> tuple[str, ...]:
    """Head of a table; a name that starts with `>`, which no escaped one does, is right-aligned."""
    rule = "|".join("--:" if name.startswith(">") else ":--" for name in names)
    return (f"| {' | '.join(name.removeprefix('>') for name in names)} |", f"|{rule}|")


def line(*cells: str) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"


def examples(titled: tuple[str, Rows]) -> str:
    """A small table of rows under a bold title, with at most a dozen columns."""
    title, rows = titled
    columns = rows.columns[:_MOST_COLUMNS]
    names = [markdown_code(name, MOST_CELL) for name in columns]
    cells = [
        line(*("" if cell is None else markdown_code(cell, MOST_CELL) for cell in row[: len(columns)]))
        for row in rows.rows
    ]
    more = len(rows.columns) - len(columns)
    note = [f"\n_and {more} more column{'s' if more > 1 else ''}_"] if more else []
    return "\n".join([f"**{markdown_text(title, MOST_NAME)}**", "", *table(*names), *cells, *note])
