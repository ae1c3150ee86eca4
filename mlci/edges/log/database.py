"""What a log needs of its database, and one transaction of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from mlci.edges.log.join import Join

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mlci.edges.log.join import Made, New, Repeat, Said
    from mlci.edges.log.records import Joined, Label, Record


class Work(NamedTuple):
    """What one request wants written: predictions or labels.

    Attributes:
        apart: The predictions are of several requests: one that can't be kept leaves the others where they are, and
            what became of them are the places of those that weren't.
    """

    records: Sequence[Record] = ()
    labels: Sequence[Label] = ()
    apart: bool = False


class Database(Protocol):
    """A connection that one thread writes by.

    Every method may raise LogError; then nothing of the transaction is kept, and the connection may be closed.
    """

    def begin(self) -> None:
        """Begin a transaction."""

    def commit(self) -> None:
        """End it; all is on the disk afterwards."""

    def rollback(self) -> None:
        """End it, and keep nothing; never raises."""

    def insert(self, records: Sequence[Record]) -> None:
        """Add predictions; one whose id is there already stays as it is. Without `begin`, a transaction of its own."""

    def made(self, ids: Collection[str]) -> dict[str, Made]:
        """The predictions that clients got, by id; nobody else labels or removes them until the transaction ends."""

    def said(self, ids: Collection[str]) -> Sequence[Said]:
        """The labels that there are of them."""

    def label(self, new: Sequence[New], repeats: Sequence[Repeat]) -> None:
        """Add labels, and count those that came again."""

    def forget(self, before: float, most: int) -> int:
        """Remove the oldest predictions made before this time, and their labels; gives how many there were."""

    def close(self) -> None:
        """Let go of the connection; never raises."""


def write(database: Database, works: Sequence[Work]) -> list[list[Joined]]:
    """Write the works of several requests in one transaction.

    Returns:
        What became of the labels of each.

    Raises:
        LogError: Nothing was written.
    """
    records = [record for work in works for record in work.records]
    ids = sorted({label.id for work in works for label in work.labels})
    if not ids:
        database.insert(records)
        return [[] for _ in works]
    database.begin()
    try:
        if records:
            database.insert(records)
        join = Join(database.made(ids), database.said(ids))
        outcomes = [join.add(work.labels) for work in works]
        if join.new or join.repeats:
            database.label(join.new, join.repeats)
        database.commit()
    except BaseException:
        database.rollback()
        raise
    return outcomes
