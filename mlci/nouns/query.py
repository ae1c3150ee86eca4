"""Questions to the engine, with what their answers mean."""

from __future__ import annotations

from mlci.nouns.aggregate import Aggregate, Repeats
from mlci.nouns.base import Noun

MOST_SLICES = 1_000
"""Into how many slices a check may be split."""


class Query(Noun):
    """A statement whose rows hold `keys` slice values, then one value for each of the aggregates.

    Attributes:
        sql: The statement.
        aggregates: What its columns answer.
        keys: How many columns at its beginning tell the slice.
        alone: A statement for each of the aggregates alone, to find out which of them cannot be measured.
    """

    sql: str
    aggregates: tuple[Aggregate, ...]
    keys: int = 0
    alone: tuple[str, ...] = ()


class KeyQuery(Noun):
    """Whether a key repeats, asked so that a large table need not be grouped by it.

    Attributes:
        aggregate: What is asked.
        keys: Selects the key of every row as one 64-bit number, named `key`; `{part}` stands for a further condition
            on `key`, so that a part of the keys can be fetched at a time.
        exact: Whether the number is the key itself; else it is a hash.
        plain: The same question as a `Query`.
        among: The plain question, only for the rows whose hash is in the list that is its parameter.
    """

    aggregate: Repeats
    keys: str
    exact: bool
    plain: Query
    among: str


class Plan(Noun):
    """All questions to one table."""

    queries: tuple[Query, ...] = ()
    keys: tuple[KeyQuery, ...] = ()


class Binned(Noun):
    """How a column's values are counted: up to each of the edges and above the last, or by the place in a list.

    Attributes:
        edges: Increasing; of a column of numbers.
        names: Of a column of texts; a value that is none of them is counted at place 0.
        counts: A statement that counts them by the number of edges below, or by the text itself.
    """

    edges: tuple[float, ...] | None = None
    names: tuple[str, ...] = ()
    counts: str = ""
