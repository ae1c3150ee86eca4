"""The query that joins two predictions tables by id with each other and with the test rows."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.aligned import Rows, beside
from mlci.nouns.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.edges.prediction_table import PredictionTable
    from mlci.edges.slices import Cut
    from mlci.nouns.table_schema import TableSchema

_MOST_SHORT = 1 << 16
_A_ROW, _A_LETTER = 200, 4
"""Bytes that joining and sorting a row take, and more for each byte of its id."""
_TIMES_MEMORY = 5
"""How much of that is joined at once: what memory does not hold is spilled, up to a point where the engine fails."""
_LOOKED_AT = 20_000


class Ids(NamedTuple):
    """Ids, as texts, from one on and below another; None where there is no end."""

    low: str | None = None
    high: str | None = None

    def sql(self, id_: str) -> str:
        """Whether a row's id, given in SQL, is among them."""
        ends = [(">=", self.low), ("<", self.high)]
        told = [f"{id_} {sign} {literal(end)}" for sign, end in ends if end is not None]
        return " AND ".join(told) or "TRUE"


def id_ranges(new: PredictionTable, rows: int, letters: int, memory: int) -> list[Ids]:
    """Ranges of ids, ascending, each of so many rows as can be joined at once.

    Args:
        new: The candidate's predictions.
        rows: How many they are.
        letters: How many bytes their ids have.
        memory: Of the engine, in bytes.
    """
    parts = -(-(rows * _A_ROW + letters * _A_LETTER) // (_TIMES_MEMORY * memory))
    if parts <= 1 or new.aligned is not None:
        return [Ids()]
    some = f"SELECT CAST({identifier(new.id)} AS VARCHAR) AS id FROM {new.view} USING SAMPLE {_LOOKED_AT} ROWS"
    found = [id_ for (id_,) in new.connection.execute(f"SELECT id FROM ({some}) ORDER BY id").fetchall()]
    ends = sorted({found[len(found) * i // parts] for i in range(1, parts)})
    return [Ids(*ends_) for ends_ in pairwise([None, *ends, None])]


EVERY = Ids()


def joined(
    new: PredictionTable,
    old: PredictionTable | None,
    test: TableSchema | None,
    cuts: Sequence[Cut],
    *,
    digests: bool,
    within: Ids = EVERY,
) -> str:
    """Rows in the order of their ids, each with what both models said of it and with the code of every cut.

    Only those whose ids are `within` a range.

    Columns: `id`, `label`, `new_decision`, `new_s0` and on, `old_...` and `matched` with a baseline, `m0` and on for
    the cuts, and `digest` of the id where asked for.
    """
    kind = _kind(new)
    columns = ["new.id AS id", f"CAST(new.label AS {kind}) AS label", f"CAST(new.decision AS {kind}) AS new_decision"]
    columns += [f"new.s{i} AS new_s{i}" for i in range(len(new.scores))]
    if digests:
        columns.append("CAST('0x' || left(md5(new.id), 10) AS UBIGINT) AS digest")
    others = []
    if old is not None:
        others.append(_source(old, within))
        columns += [
            "old.id IS NOT NULL AS matched",
            f"CAST(coalesce(old.decision, new.decision) AS {kind}) AS old_decision",
        ]
        columns += [f"coalesce(old.s{i}, 0) AS old_s{i}" for i in range(len(old.scores))]
    inner = None
    if test is not None:
        columns += [f"test.m{i} AS m{i}" for i in range(len(cuts))]
        values = {"id": f"CAST(rows.{identifier(new.model.id)} AS VARCHAR)"}
        values |= {f"m{i}": f"CAST({cut.sql} AS {_width(cut)})" for i, cut in enumerate(cuts)}
        joins = " ".join(cut.join for cut in cuts)
        inner = Rows("test", "test", values, identifier(test.view), joins, within.sql(values["id"]))
    rows = beside(new.aligned, _source(new, within), *others, inner=inner)
    return f"SELECT {', '.join(columns)} FROM {rows} ORDER BY id"


def _kind(side: PredictionTable) -> str:
    """Flags as numbers, which are read without a copy."""
    return {"binary": "UTINYINT", "multiclass": "VARCHAR"}.get(side.model.task, "DOUBLE")


def _width(cut: Cut) -> str:
    """Codes of slices are small; those of groups may not be."""
    if not cut.coded:
        return "UTINYINT"
    return "USMALLINT" if 0 < len(cut.parts) < _MOST_SHORT else "BIGINT"


def _source(side: PredictionTable, within: Ids) -> Rows:
    rows, sql = side.truth, side.sql
    scores = {f"s{i}": f"CAST({sql(column)} AS DOUBLE)" for i, column in enumerate(side.scores)}
    return replace(
        rows, values={**rows.values, "decision": side.decision_sql(sql), **scores}, where=within.sql(rows.values["id"])
    )
