"""The slices of a policy, found in the test table: which there are, and how SQL tells the rows of each."""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from mlci.edges.duck_sql import check_condition
from mlci.errors import PolicyError
from mlci.nouns.sample import BLOCK, Part, spans
from mlci.nouns.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import duckdb
    import numpy.typing as npt

    from mlci.nouns.policy import PolicyFile, Slices
    from mlci.nouns.table_schema import TableSchema

MOST_SLICES = 1_000
MOST_VALUES = 200
MISSING = "(missing)"
_QUARTERS = 4
_CODE, _VALUE = '"mlci code"', '"mlci value"'
"""Columns beside those of the test table, which conditions of the policy name without a table."""
_SORTED_FROM = 4_000_000
_NUMBERS = {"float", "integer", "decimal"}


@dataclass(frozen=True)
class Cut:
    """One way to cut the test rows: a named slice, or every value of columns.

    Attributes:
        sql: A condition, or a code from 0 that says which of `parts` a row is in.
        join: What must be joined to the test table for it.
        parts: Without rows.
        coded: Whether `sql` is a code.
    """

    sql: str
    parts: tuple[Part, ...]
    join: str = ""
    coded: bool = True

    def found(self, values: npt.NDArray[Any], room: Callable[..., npt.NDArray[Any]] = np.empty) -> list[Part]:
        """The parts that have rows.

        Args:
            values: What `sql` says of every row.
            room: Makes arrays that are as long as the rows.
        """
        counts = np.zeros(max(len(self.parts), 2), dtype=np.int64)
        for span in spans(values.size):
            counts += np.bincount(values[span], minlength=counts.size)
        if not self.coded:
            rows = _grouped(values, counts, room)[counts[0] :]
            return [replace(self.parts[0], rows=rows)]
        order, ends = _grouped(values, counts, room), np.cumsum(counts).tolist()
        each = zip(self.parts, [0, *ends], ends, strict=False)
        return [replace(part, rows=order[start:end]) for part, start, end in each if end > start]


def _grouped(
    codes: npt.NDArray[Any], counts: npt.NDArray[np.int64], room: Callable[..., npt.NDArray[Any]]
) -> npt.NDArray[np.int32]:
    """Rows by code, ascending within each: a stable sort, block by block."""
    order: npt.NDArray[np.int32] = room((codes.size,), np.int32)
    free = np.cumsum(counts) - counts
    for span in spans(codes.size):
        block = codes[span]
        rows, here = np.argsort(block, kind="stable"), np.bincount(block, minlength=counts.size)
        starts = np.cumsum(here) - here
        for code in np.flatnonzero(here).tolist():
            taken = rows[starts[code] : starts[code] + here[code]]
            order[free[code] : free[code] + taken.size] = taken + span.start
        free += here
    return order


class Cutter:
    """Finds slices and groups of a test table."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, test: TableSchema, policy: PolicyFile) -> None:
        self.connection = connection
        self.test = test
        self.policy = policy

    def cuts(self, slices: Slices) -> list[Cut]:
        """Every slice of the policy: the named, then `by`, then `bins`.

        Raises:
            PolicyError: A condition or a column does not fit the table, or that makes too many slices.
        """
        found = []
        for name, item in slices.named.items():
            check_condition(self.connection, item.where, self.test, self.policy.place("gate", "slices", name, "where"))
            part = Part(name, None, ("gate", "slices", name), item.metrics)
            found.append(Cut(f"coalesce((\n{item.where}\n), FALSE)", (part,), coded=False))
        for i, columns in enumerate(slices.by):
            crossed = (columns,) if isinstance(columns, str) else columns
            for column in crossed:
                self._has(column, "gate", "slices", "by")
            found.append(self._by(crossed, f"by{i}"))
        found += [self._bins(column, edges) for column, edges in slices.bins.items()]
        many = sum(len(cut.parts) for cut in found)
        if many > MOST_SLICES:
            # Values of a column are counted up to one more than the limit.
            raise PolicyError(
                f"{self.policy.place('gate', 'slices')}: that makes more than {MOST_SLICES:,} slices",
                "slice by columns with fewer values, or name the slices that matter",
            )
        return _told_apart(found)

    def group(self, column: str) -> Cut:
        """Codes of the values of a column, for rows that belong together; -1 for a row without one."""
        self._has(column, "gate", "group")
        name = identifier(column)
        self.connection.execute(
            f"CREATE TEMP TABLE groups AS SELECT {_VALUE}, row_number() OVER (ORDER BY {_VALUE}) - 1 AS {_CODE} "
            f"FROM (SELECT DISTINCT CAST({name} AS VARCHAR) AS {_VALUE} FROM {identifier(self.test.view)}) "
            f"WHERE {_VALUE} IS NOT NULL"
        )
        join = f"LEFT JOIN groups ON groups.{_VALUE} = CAST(rows.{name} AS VARCHAR)"
        return Cut(f"coalesce(groups.{_CODE}, -1)", (), join)

    def feature(self, column: str, table: str, *path: str) -> Cut:
        """Codes of a column's values, numbers cut into quarters.

        Raises:
            PolicyError: There is no such column, or it has too many values.
        """
        self._has(column, *path)
        if self.test.kind(column) in _NUMBERS and path[1] == "weak":
            return self._bins(column, _QUARTERS)
        found = self._by((column,), table)
        if len(found.parts) > MOST_VALUES:
            raise PolicyError(
                f"{self.policy.place(*path)}: `{column}` has more than {MOST_VALUES} values", "name columns with fewer"
            )
        return found

    def _by(self, columns: Sequence[str], table: str) -> Cut:
        names = [identifier(column) for column in columns]
        values_of = [identifier(f"mlci value {i}") for i in range(len(names))]
        texts = ", ".join(f"CAST({name} AS VARCHAR) AS {value}" for name, value in zip(names, values_of, strict=True))
        order = ", ".join(f"{value} NULLS LAST" for value in values_of)
        self.connection.execute(
            f"CREATE TEMP TABLE {table} AS SELECT *, row_number() OVER (ORDER BY {order}) - 1 AS {_CODE} "
            f"FROM (SELECT DISTINCT {texts} FROM {identifier(self.test.view)} LIMIT {MOST_SLICES + 1})"
        )
        values = self.connection.execute(f"SELECT * EXCLUDE ({_CODE}) FROM {table} ORDER BY {_CODE}").fetchall()
        same = " AND ".join(
            f"{table}.{value} IS NOT DISTINCT FROM CAST(rows.{name} AS VARCHAR)"
            for name, value in zip(names, values_of, strict=True)
        )
        parts = tuple(
            Part(
                ", ".join(
                    f"{name} = {MISSING if value is None else value}" for name, value in zip(columns, row, strict=True)
                ),
                None,
                ("gate", "slices", "by"),
                {},
            )
            for row in values
        )
        return Cut(f"{table}.{_CODE}", parts, f"LEFT JOIN {table} ON {same}")

    def _bins(self, column: str, wanted: int | tuple[float, ...]) -> Cut:
        path = ("gate", "slices", "bins", column)
        self._has(column, *path)
        if self.test.kind(column) not in _NUMBERS:
            raise PolicyError(
                f"{self.policy.place(*path)}: `{column}` is {self.test.columns[column]}, and bins need numbers",
                f"slice `by: {column}` instead",
            )
        edges = self.quantiles(column, wanted) if isinstance(wanted, int) else wanted
        number = f"CAST(rows.{identifier(column)} AS DOUBLE)"
        code = " + ".join(f"({number} >= {literal(float(edge))})::INTEGER" for edge in edges)
        if isinstance(wanted, int):
            # The greatest value belongs to the last bin.
            code = f"least({code}, {max(len(edges) - 1, 1)})"
        ends = _short(edges)
        names = [f"{column} below {ends[0]}"]
        names += [f"{column} {low} to {high}" for low, high in pairwise(ends)]
        names += [f"{column} {ends[-1]} and above", f"{column} = {MISSING}"]
        return Cut(
            f"CASE WHEN {number} IS NULL OR isnan({number}) THEN {len(edges) + 1} ELSE {code} END",
            tuple(Part(name, None, path, {}) for name in names),
        )

    def quantiles(self, column: str, bins: int) -> tuple[float, ...]:
        """Ends of bins of about equally many rows, fewer where values repeat."""
        at = [i / bins for i in range(bins + 1)]
        number = f"CAST({identifier(column)} AS DOUBLE)"
        known = f"FROM {identifier(self.test.view)} WHERE NOT isnan({number})"
        (many,) = self.connection.execute(f"SELECT count(*) {known}").fetchall()[0]
        if many > _SORTED_FROM:
            return _ends(self._ranked(f"SELECT {number} {known} ORDER BY 1", many, at))
        rows = self.connection.execute(f"SELECT quantile_disc({number}, {at}) {known}").fetchall()
        found = rows[0][0] if rows else None
        return _ends(found) if found else (0.0,)

    def _ranked(self, ordered: str, many: int, at: Sequence[float]) -> Iterator[float]:
        """The same quantiles of numbers that are sorted by the engine, which spills; `quantile_disc` holds them all."""
        places = [max(1, many - int(many - Fraction(str(each)) * many)) - 1 for each in at]
        start = 0
        with self.connection.sql(ordered).to_arrow_reader(BLOCK) as batches:
            for batch in batches:
                values = np.from_dlpack(batch.column(0))
                yield from (float(values[place - start]) for place in places if 0 <= place - start < values.size)
                start += values.size

    def _has(self, column: str, *path: str) -> None:
        if column in self.test.columns:
            return
        close = difflib.get_close_matches(column, self.test.columns, n=1, cutoff=0.5)
        hint = f"; did you mean `{close[0]}`?" if close else ""
        raise PolicyError(
            f"{self.policy.place(*path)}: {self.test.path} has no column `{column}`{hint}",
            f"columns are {', '.join(self.test.columns)}",
        )


def _ends(found: Iterable[float]) -> tuple[float, ...]:
    """Each end once; of the zeros, which one is found depends on the order of the rows.

    >>> _ends([2.0, -0.0, 2.0])
    (0.0, 2.0)
    """
    return tuple(sorted({end + 0.0 for end in found}))


def _short(numbers: Sequence[float]) -> list[str]:
    """With as many digits as tell them apart, six or more.

    >>> _short([0.0, 1_500_000.0]), _short([0.1234561, 0.1234564, float("inf")])
    (['0', '1,500,000'], ['0.1234561', '0.1234564', 'inf'])
    """
    for digits in range(6, 17):
        told = [f"{each:,.0f}" if each.is_integer() else f"{each:,.{digits}g}" for each in map(float, numbers)]
        if len(set(told)) == len(told):
            return told
    return [repr(float(each)) for each in numbers]


def _told_apart(cuts: Sequence[Cut]) -> list[Cut]:
    """Slices of one name would be checks of one id: the later ones get a number, in the order of the policy."""
    seen: Counter[str] = Counter()
    found = []
    for cut in cuts:
        parts = []
        for part in cut.parts:
            name = part.name or ""
            while seen[name]:
                seen[name] += 1
                name = f"{name} ({seen[name]})"
            seen[name] += 1
            parts.append(replace(part, name=name))
        found.append(replace(cut, parts=tuple(parts)))
    return found
