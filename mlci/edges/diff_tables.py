"""Compare the content of two versions of a table, within the session's memory limit.

Rows are told by 64-bit hashes of their key and of their values, so that grouping all rows takes 40 bytes a row,
spilled to disk where needed, and only rows that differ are ever joined as a whole. Two of ten million rows share a
hash by chance about three times in a million tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from mlci.edges.column_stats import column_stats, unequal_columns
from mlci.edges.duck import world_error
from mlci.nouns.report import RowChange
from mlci.nouns.sql import identifier
from mlci.nouns.table_diff import MOST_EXAMPLES, RowCounts, TableDiff

if TYPE_CHECKING:
    from mlci.nouns.table_schema import TableSchema

_NUMBERS = {"integer", "float", "decimal"}
_TIMES = {"timestamp", "date"}
_LOOKED_AT = 100
"""In so many changed rows examples are looked for."""


@dataclass(frozen=True)
class _Pair:
    """Two open versions of a table.

    Attributes:
        connection: The session.
        old: Schema of the old version.
        new: Schema of the new version.
        key: Columns that tell a row; both versions have them.
    """

    connection: duckdb.DuckDBPyConnection
    old: TableSchema
    new: TableSchema
    key: tuple[str, ...]

    @property
    def common(self) -> tuple[str, ...]:
        """Columns of both versions that are no part of the key, in the new one's order."""
        return tuple(name for name in self.new.columns if name in self.old.columns and name not in self.key)

    def comparable(self, column: str, table: str = "") -> str:
        """The column in a form that has equal values where both versions mean the same."""
        name = f"{table}.{identifier(column)}" if table else identifier(column)
        if self.old.columns[column] == self.new.columns[column]:
            return name
        kinds = {self.old.kind(column), self.new.kind(column)}
        return f"{name}::{'DOUBLE' if kinds <= _NUMBERS else 'TIMESTAMP' if kinds <= _TIMES else 'VARCHAR'}"

    def hashed(self, columns: tuple[str, ...]) -> str:
        """One number for the values of these columns."""
        return f"hash({', '.join(self.comparable(name) for name in columns) or '0'})"

    @property
    def sides(self) -> str:
        """All rows of both versions: key `k`, values `h`, and `s`: -1 for the old version, 1 for the new."""
        values = self.hashed(self.common)
        key = self.hashed(self.key) if self.key else values
        one = "SELECT {key} AS k, {values} AS h, {sign}::BIGINT AS s FROM {view}"
        parts = ((-1, self.old), (1, self.new))
        return " UNION ALL ".join(
            one.format(key=key, values=values, sign=sign, view=identifier(schema.view)) for sign, schema in parts
        )

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the engine."""
        return self.connection.execute(sql).fetchall()


def diff_tables(
    connection: duckdb.DuckDBPyConnection, old: TableSchema, new: TableSchema, key: tuple[str, ...], memory: int
) -> TableDiff:
    """Compare two versions of a table.

    Args:
        connection: A session in which both are open.
        old: Schema of the old version.
        new: Schema of the new version.
        key: Columns that tell a row, which both have; empty for a comparison of whole rows.
        memory: The session's limit in bytes.

    Raises:
        WorldError: Rows can't be read.
    """
    pair = _Pair(connection, old, new, key)
    try:
        return _diff(pair, memory)
    except duckdb.Error as error:
        raise world_error(error, new.path) from error


def _diff(pair: _Pair, memory: int) -> TableDiff:
    rows_old, rows_new = (
        pair.run(f"SELECT count(*) FROM {identifier(schema.view)}")[0][0] for schema in (pair.old, pair.new)
    )
    counts = _counts(pair) if pair.key else _counts_without_key(pair)
    paired = (counts.changed or 0) - counts.unpaired
    cells, examples = _cells(pair) if paired else ({}, ())
    unequal = unequal_columns(
        pair.connection, pair.old, pair.new, {name: pair.comparable(name) for name in pair.common}
    )
    stats = {
        name: (
            column_stats(pair.connection, pair.old, name, rows_old, memory),
            column_stats(pair.connection, pair.new, name, rows_new, memory),
        )
        for name in unequal
    }
    return TableDiff(
        key=pair.key,
        rows_old=rows_old,
        rows_new=rows_new,
        types_old=pair.old.columns,
        types_new=pair.new.columns,
        counts=counts,
        cells=cells,
        stats=stats,
        examples=examples,
    )


def _counts_without_key(pair: _Pair) -> RowCounts:
    """Whole rows, each as often as it occurs."""
    sql = f"SELECT sum(s) AS d FROM ({pair.sides}) GROUP BY k HAVING d <> 0"
    found = pair.run(f"SELECT coalesce(sum(d) FILTER (d > 0), 0), coalesce(-sum(d) FILTER (d < 0), 0) FROM ({sql})")
    return RowCounts(added=int(found[0][0]), removed=int(found[0][1]))


def _counts(pair: _Pair) -> RowCounts:
    """Rows by key: what is left of a key's rows once those that are the same in both are taken away.

    A key's left-over old rows became its left-over new rows; the rest of them was added or removed.
    """
    pair.run(
        f"""CREATE OR REPLACE TEMP TABLE touched AS
        SELECT k, count(*) FILTER (s < 0) AS o, count(*) FILTER (s > 0) AS n FROM ({pair.sides})
        GROUP BY k HAVING o <> n OR o > 1 OR n > 1 OR sum(h::HUGEINT * s) <> 0"""
    )
    pair.run(
        f"""CREATE OR REPLACE TEMP TABLE surplus AS
        SELECT k, h, sum(s)::BIGINT AS d FROM ({pair.sides}) WHERE k IN (SELECT k FROM touched)
        GROUP BY k, h HAVING d <> 0"""
    )
    pair.run(
        """CREATE OR REPLACE TEMP TABLE pairs AS
        SELECT k, any_value(h) FILTER (d < 0) AS old_h, any_value(h) FILTER (d > 0) AS new_h,
            coalesce(sum(d) FILTER (d > 0), 0)::BIGINT AS n, coalesce(-sum(d) FILTER (d < 0), 0)::BIGINT AS o
        FROM surplus GROUP BY k"""
    )
    added, removed, changed, single = pair.run(
        """SELECT coalesce(sum(n - least(o, n)), 0), coalesce(sum(o - least(o, n)), 0),
            coalesce(sum(least(o, n)), 0), count(*) FILTER (o = 1 AND n = 1) FROM pairs"""
    )[0]
    repeated = pair.run("SELECT count(*) FILTER (o > 1), count(*) FILTER (n > 1) FROM touched")[0]
    return RowCounts(
        added=int(added),
        removed=int(removed),
        changed=int(changed),
        repeated_old=repeated[0],
        repeated_new=repeated[1],
        unpaired=int(changed) - single,
    )


def _cells(pair: _Pair) -> tuple[dict[str, int], tuple[RowChange, ...]]:
    """In how many of the changed rows each column changed, and some of those cells."""
    key, values = pair.hashed(pair.key), pair.hashed(pair.common)
    for side, schema in (("old", pair.old), ("new", pair.new)):
        # Rows that are the same in everything, key included, count once.
        pair.run(
            f"""CREATE OR REPLACE TEMP TABLE changed_{side} AS SELECT DISTINCT ON (k) * FROM (
                SELECT {key} AS k, {values} AS h, {_shown_key(pair)} AS shown, {_listed(pair)}
                FROM {identifier(schema.view)})
            WHERE (k, h) IN (SELECT (k, {side}_h) FROM pairs WHERE o = 1 AND n = 1)"""
        )
    joined = "FROM changed_old AS old JOIN changed_new AS new USING (k)"
    differs = {name: f"old.c{place} IS DISTINCT FROM new.c{place}" for place, name in enumerate(pair.common)}
    terms = ", ".join(f"count(*) FILTER ({term})" for term in differs.values())
    counts = pair.run(f"SELECT {terms} {joined}")[0]
    cells = {name: count for name, count in zip(differs, counts, strict=True) if count}
    return cells, _examples(pair, joined, differs, cells)


def _listed(pair: _Pair) -> str:
    return ", ".join(f"{pair.comparable(name)} AS c{place}" for place, name in enumerate(pair.common))


def _shown_key(pair: _Pair) -> str:
    return "concat_ws(', ', " + ", ".join(f"coalesce({identifier(name)}::VARCHAR, '')" for name in pair.key) + ")"


def _examples(pair: _Pair, joined: str, differs: dict[str, str], cells: dict[str, int]) -> tuple[RowChange, ...]:
    """Changed cells of the first rows by key, of as many columns as there is room for."""
    places = {name: place for place, name in enumerate(pair.common) if name in cells}
    cell = "{differs}, old.c{place}::VARCHAR, new.c{place}::VARCHAR"
    terms = ", ".join(cell.format(differs=differs[name], place=place) for name, place in places.items())
    left = dict.fromkeys(places, max(2, -(-MOST_EXAMPLES // len(places))))
    found = []
    for shown, *values in pair.run(f"SELECT new.shown, {terms} {joined} ORDER BY new.shown, k LIMIT {_LOOKED_AT}"):
        for place, name in enumerate(places):
            differ, before, after = values[3 * place : 3 * place + 3]
            if differ and left[name]:
                left[name] -= 1
                found.append(RowChange(id=shown, column=name, old=before, new=after))
    return tuple(found[:MOST_EXAMPLES])
