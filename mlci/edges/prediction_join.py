"""The query that joins two predictions tables by id with each other and with the test rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlci.edges.aligned import Rows, beside
from mlci.nouns.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.edges.prediction_table import PredictionTable
    from mlci.edges.slices import Cut
    from mlci.nouns.table_schema import TableSchema

_MOST_SHORT = 1 << 16


def joined(
    new: PredictionTable, old: PredictionTable | None, test: TableSchema | None, cuts: Sequence[Cut], *, digests: bool
) -> str:
    """Rows in the order of their ids, each with what both models said of it and with the code of every cut.

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
        others.append(_source(old))
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
        inner = Rows("test", "test", values, identifier(test.view), " ".join(cut.join for cut in cuts))
    return f"SELECT {', '.join(columns)} FROM {beside(new.aligned, _source(new), *others, inner=inner)} ORDER BY id"


def _kind(side: PredictionTable) -> str:
    """Flags as numbers, which are read without a copy."""
    return {"binary": "UTINYINT", "multiclass": "VARCHAR"}.get(side.model.task, "DOUBLE")


def _width(cut: Cut) -> str:
    """Codes of slices are small; those of groups may not be."""
    if not cut.coded:
        return "UTINYINT"
    return "USMALLINT" if 0 < len(cut.parts) < _MOST_SHORT else "BIGINT"


def _source(side: PredictionTable) -> Rows:
    rows, sql = side.truth, side.sql
    scores = {f"s{i}": f"CAST({sql(column)} AS DOUBLE)" for i, column in enumerate(side.scores)}
    return replace(rows, values={**rows.values, "decision": side.decision_sql(sql), **scores})
