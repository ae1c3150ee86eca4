"""A model that is asked what another one has answered, behind the replies: nobody waits for it, nobody sees it fail."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.serve.batch import Answer, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlci.edges.serve.fields import Columns
    from mlci.edges.serve.side import Side

_MOST_WAITING = 20_000
_MOST_AT_ONCE = 2_000


class Seen(NamedTuple):
    """What was answered, and is to be answered by a shadow.

    Attributes:
        side: The shadow.
        columns: Rows that were found in order.
        ids: Of the predictions that the client got.
        at: When, in seconds since 1970.
    """

    side: Side
    columns: Columns
    ids: list[str]
    at: float


class Shadow:
    """Asks in a thread of its own, as many requests at once as wait.

    Args:
        said: Told what a shadow answered, in the event loop.
        counted: Told how many rows of which version were answered, failed or left out because too many waited.
    """

    def __init__(self, said: Callable[[Seen, Answer], None], counted: Callable[[str, str, int], None]) -> None:
        self._said = said
        self._counted = counted
        self._aside = ThreadPoolExecutor(1, "mlci-shadow")
        self._waiting: list[Seen] = []
        self._rows = 0
        self._working: asyncio.Task[None] | None = None

    def ask(self, seen: Seen) -> None:
        """Have rows answered soon."""
        rows = rows_of(seen.columns)
        if self._rows + rows > _MOST_WAITING:
            self._counted("left out", seen.side.served.version, rows)
            return
        self._waiting.append(seen)
        self._rows += rows
        if self._working is None:
            self._working = asyncio.create_task(self._work())

    async def settle(self) -> None:
        """Wait until what waits is answered."""
        if self._working is not None:
            await self._working

    def close(self) -> None:
        """End the thread."""
        self._aside.shutdown()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                group = self._next()
                answers = await loop.run_in_executor(
                    self._aside, group[0].side.batcher.together, [one.columns for one in group]
                )
                for one, answer in zip(group, answers, strict=True):
                    self._tell(one, answer)
        finally:
            self._working = None

    def _next(self) -> list[Seen]:
        """The first that wait, all for one model."""
        side, rows, count = self._waiting[0].side, 0, 0
        for one in self._waiting:
            if one.side is not side or (count and rows + rows_of(one.columns) > _MOST_AT_ONCE):
                break
            rows += rows_of(one.columns)
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        self._rows -= rows
        return group

    def _tell(self, one: Seen, answer: Answer | Exception) -> None:
        if isinstance(answer, Answer):
            self._said(one, answer)
        else:
            self._counted("failed", one.side.served.version, rows_of(one.columns))
