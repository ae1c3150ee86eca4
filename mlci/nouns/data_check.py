"""A data check as a value: which aggregates it needs, and how its answer is read."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil
from typing import Literal

from mlci.nouns.aggregate import Aggregate, Number, Part
from mlci.nouns.base import Level, Noun, Place
from mlci.nouns.condition import Condition, Over, Under
from mlci.nouns.scalars import Bound


class ShareOf(Noun):
    """A share of rows that must stay within a limit.

    Attributes:
        bad: Counts the rows.
        of: Counts the rows that could be counted.
        limit: Of the share.
        subject: What the share is of, in words: `` `age` ``, `the rows`.
        verb: What those rows do: `are missing`.
        unit: What is counted: rows or values.
        shows: What finds such a row, for examples; None where no condition on a single row does.
    """

    kind: Literal["share"] = "share"
    bad: Aggregate
    of: Aggregate
    limit: Bound
    subject: str
    verb: str
    unit: Literal["rows", "values"]
    shows: Condition | None = None


class NumberOf(Noun):
    """A number that must lie in a range.

    Attributes:
        value: The number.
        limit: The range.
        name: What it is, in words: ``the mean of `age` ``.
        counts: Whether it counts rows, so that a table without rows measures 0 of them.
    """

    kind: Literal["number"] = "number"
    value: Aggregate
    limit: Bound
    name: str
    counts: bool = False


class RankCounts(Noun):
    """What a rank test counts: values under the lower limit, values up to the upper one, all values.

    A count is None where the range is open on that side.
    """

    under: int | None
    upto: int | None
    rows: int


class RankOf(Noun):
    """A quantile that must lie in a range, told exactly by two counts.

    The quantile of n values is the smallest value that at least `quantile` * n values do not exceed. It is at least
    `low` if and only if fewer than `quantile` * n values lie under `low`, and at most `high` if and only if at least
    `quantile` * n values do not exceed `high`.
    """

    kind: Literal["rank"] = "rank"
    quantile: float
    column: str
    under: Aggregate | None
    upto: Aggregate | None
    of: Aggregate
    limit: Bound
    name: str

    def side(self, counts: RankCounts) -> Literal["below", "inside", "above"]:
        """Where the quantile lies."""
        rank = Fraction(str(self.quantile)) * counts.rows
        if counts.under is not None and counts.under >= rank:
            return "below"
        return "above" if counts.upto is not None and counts.upto < rank else "inside"

    def exact(self, counts: RankCounts) -> Number:
        """The quantile itself, asked only where the reader must see it, because it costs more than the two counts.

        Only the values beyond the limit are looked at where the counts say that it is among them.
        """
        whole = Number(what="quantile", column=self.column, quantile=self.quantile, part=self.of.part)
        side = self.side(counts)
        if self.of.part.by or side == "inside":
            return whole
        rank = ceil(Fraction(str(self.quantile)) * counts.rows)
        if side == "below":
            limit, open_end, skipped, held = self.limit.low, self.limit.low_open, 0, counts.under or 0
            among: Under | Over = Under(column=self.column, limit=limit, inclusive=open_end)
        else:
            limit, open_end, skipped = self.limit.high, self.limit.high_open, counts.upto or 0
            held = counts.rows - skipped
            among = Over(column=self.column, limit=limit, inclusive=open_end)
        # Half a rank less keeps the product with the number of values from rounding up to the next one.
        return whole.model_copy(update={"quantile": (rank - skipped - 0.5) / held, "among": among})


class AgeOf(Noun):
    """The newest row must not be older than `within` (in words: `allowed`), seen from `now`."""

    kind: Literal["age"] = "age"
    newest: Aggregate
    column: str
    within: timedelta
    allowed: str
    now: datetime


class Known(Noun):
    """What the table's schema alone answers: it holds, it fails, or the check cannot be asked of such a column."""

    kind: Literal["known"] = "known"
    outcome: Literal["pass", "fail", "not_measured"]
    message: str
    mend: str = ""
    measured: str | None = None
    limit: str = ""


Reading = ShareOf | NumberOf | RankOf | AgeOf | Known


class DataCheck(Noun):
    """One promise of the policy about a table.

    Attributes:
        id: Made of the policy's keys: `data.flights.distance.range`.
        title: In a few words: ``distance lies in [10, 6000]``.
        level: How grave it is when it does not hold.
        place: Where the policy asks for it.
        table: The table's name in the policy.
        column: The column, or None for a check of the whole table.
        word: The key of the policy that a reader would change.
        part: The rows that it speaks of.
        reading: What it needs and how to read it.
    """

    id: str
    title: str
    level: Level
    place: Place
    table: str
    column: str | None = None
    word: str
    part: Part = Part()
    reading: Reading

    @property
    def needs(self) -> tuple[Aggregate, ...]:
        """The aggregates without which it cannot be judged."""
        match self.reading:
            case ShareOf(bad=bad, of=of):
                return (bad, of)
            case NumberOf(value=value):
                return (value,)
            case RankOf(under=under, upto=upto, of=of):
                return tuple(item for item in (under, upto, of) if item is not None)
            case AgeOf(newest=newest):
                return (newest,)
            case Known():
                return ()
