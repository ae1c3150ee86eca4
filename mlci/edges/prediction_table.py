"""One predictions table: its columns found by name, and refused where they cannot be judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

from mlci.edges.aligned import Rows, beside
from mlci.edges.duck import world_error
from mlci.errors import WorldError
from mlci.nouns.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlci.edges.aligned import Aligned, SideName
    from mlci.nouns.policy import Model
    from mlci.nouns.table_schema import TableSchema

_REMAKE = "make it again: `dvc repro predict`, or the command that writes it"
_DIGITS = 1e-6


def value_sql(model: Model, schema: TableSchema, column: str, sql: Callable[[str], str] = identifier) -> str:
    """A label or a decision of a table: a bool (binary), a text (multiclass) or a number (regression).

    Args:
        model: Says of which task it is.
        schema: The table.
        column: Its column.
        sql: How a column is written.
    """
    name = sql(column)
    if model.task == "regression":
        return f"CAST({name} AS DOUBLE)"
    if model.task == "multiclass":
        return f"CAST({_whole(name, schema.kind(column))} AS VARCHAR)"
    positive, kind = model.positive, schema.kind(column)
    if positive is None:
        if kind == "string":
            return f"TRY_CAST({name} AS BOOLEAN)"
        return name if kind == "boolean" else f"CASE {name} WHEN 1 THEN TRUE WHEN 0 THEN FALSE END"
    if kind == "boolean":
        return name if str(positive).lower() in {"true", "1"} else f"NOT {name}"
    return f"CAST({_whole(name, kind)} AS VARCHAR) = {literal(str(positive))}"


def _whole(name: str, kind: str) -> str:
    """Without the `.0` that pandas gives a whole number in a column with gaps."""
    return (
        f"CASE {name} WHEN trunc({name}) THEN TRY_CAST({name} AS BIGINT)::VARCHAR ELSE {name}::VARCHAR END"
        if kind == "float"
        else name
    )


class PredictionTable:
    """One predictions table, its columns found by name and checked."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        schema: TableSchema,
        shown: str,
        model: Model,
        *,
        side: SideName = "new",
        aligned: Aligned | None = None,
    ) -> None:
        self.connection = connection
        self.side: SideName = side
        self.aligned = aligned
        self.sql = aligned.sql(side) if aligned is not None else identifier
        self.schema = schema
        self.shown = shown
        self.model = model
        self.id = self._column(model.id, "id")
        self.label = self._column(model.label, "label")
        self.scores = self._scores()
        if "prediction" not in schema.columns and not (model.task == "binary" and self.scores):
            raise WorldError(
                f"{shown} has no column `prediction`" + (" and no column `score`" if model.task == "binary" else ""),
                f"its columns are {', '.join(schema.columns)}; write id, label, prediction and score",
            )

    def _column(self, *names: str) -> str:
        for name in names:
            if name in self.schema.columns:
                return name
        raise WorldError(
            f"{self.shown} has no column `{names[0]}`",
            f"its columns are {', '.join(self.schema.columns)}; write id, label, prediction and score",
        )

    def _scores(self) -> tuple[str, ...]:
        if self.model.task == "binary":
            return ("score",) if "score" in self.schema.columns else ()
        if self.model.task == "multiclass":
            return tuple(sorted(name for name in self.schema.columns if name.startswith("score_")))
        return ()

    @property
    def view(self) -> str:
        """Its name in SQL, quoted."""
        return identifier(self.schema.view)

    @property
    def truth(self) -> Rows:
        """Its ids, as texts, and labels."""
        values = {"id": f"CAST({self.sql(self.id)} AS VARCHAR)", "label": self._value(self.label, self.sql)}
        return Rows(self.side, self.side, values, self.view)

    def size(self) -> tuple[int, int]:
        """Rows, and bytes of their ids."""
        rows, letters = self._one(f"SELECT count(*), coalesce(sum(strlen(CAST({identifier(self.id)} AS VARCHAR))), 0)")
        return int(rows), int(letters)

    def label_sql(self) -> str:
        """The label, as a value of the same kind as `decision_sql`."""
        return self._value(self.label)

    def decision_sql(self, sql: Callable[[str], str] = identifier) -> str:
        """The decision as a bool (binary), a text (multiclass) or a number (regression)."""
        if "prediction" in self.schema.columns:
            return self._value("prediction", sql)
        return f"{sql('score')} >= {literal(self.model.threshold)}"

    def _value(self, column: str, sql: Callable[[str], str] = identifier) -> str:
        return value_sql(self.model, self.schema, column, sql)

    def check(self) -> None:
        """Refuse what cannot be judged, with the number of rows and the mend."""
        rows, null_ids = self._one(f"SELECT count(*), count(*) - count({identifier(self.id)})")
        if rows == 0:
            raise WorldError(f"{self.shown} has no rows", _REMAKE)
        if null_ids:
            raise WorldError(f"{self.shown}: {null_ids:,} of {rows:,} rows have no `{self.id}`", _REMAKE)
        again, twice = self._one("SELECT sum(n - 1), min(id)", of=repeats(self.view, self.id))
        if again:
            raise WorldError(
                f"{self.shown}: {rows:,} rows have only {rows - again:,} ids; `{self.id}` = {twice!r} comes twice",
                "one row of predictions for each id; see what doubled the rows",
            )
        self._check_values(rows)

    def _check_values(self, rows: int) -> None:
        for column in self.scores:
            name = identifier(column)
            if self.schema.kind(column) not in {"float", "integer", "decimal"}:
                raise WorldError(f"{self.shown}: `{column}` is {self.schema.columns[column]}, not a number", _REMAKE)
            broken = self._one(f"SELECT count(*) FILTER ({name} IS NULL OR NOT ({name} >= 0 AND {name} <= 1))")[0]
            if broken:
                raise WorldError(
                    f"{self.shown}: {broken:,} of {rows:,} values of `{column}` are missing, NaN or outside [0, 1]",
                    "write probabilities; a row that the model cannot score needs a score all the same",
                )
        if "prediction" in self.schema.columns:
            finite = " OR NOT isfinite(value)" if self.model.task == "regression" else ""
            broken = self._one(
                f"SELECT count(*) FILTER (value IS NULL{finite}) FROM (SELECT {self.decision_sql()} AS value",
                ")",
            )[0]
            if broken:
                raise WorldError(
                    f"{self.shown}: {broken:,} of {rows:,} values of `prediction` are missing or cannot be read as the "
                    f"decision of a {self.model.task} model",
                    "write true/false or 0/1, or name the positive value in `mlci.model.positive`",
                )
        self._check_label(rows)

    def _check_label(self, rows: int) -> None:
        if self.model.task != "binary" or self.model.positive is not None:
            return
        broken = self._one(
            f"SELECT count(*) FILTER (value IS NULL AND raw IS NOT NULL) FROM "
            f"(SELECT {self.label_sql()} AS value, {identifier(self.label)} AS raw",
            ")",
        )[0]
        if broken:
            raise WorldError(
                f"{self.shown}: {broken:,} of {rows:,} labels are neither true/false nor 0/1",
                "name the positive value in `mlci.model.positive`",
            )

    def _one(self, select: str, rest: str = "", of: str = "") -> tuple[Any, ...]:
        try:
            found = self.connection.execute(f"{select} FROM {of or self.view} {rest}").fetchall()
        except duckdb.Error as error:
            raise world_error(error, self.shown) from error
        return found[0] if found else (None,)


def repeats(view: str, column: str) -> str:
    """A subquery for the values of a column that come more than once, as texts, and how often each does.

    Grouping spills what memory does not hold; `count(DISTINCT ...)` does not.
    """
    name = identifier(column)
    return f"(SELECT CAST({name} AS VARCHAR) AS id, count(*) AS n FROM {view} GROUP BY {name} HAVING count(*) > 1)"


def check_cover(
    connection: duckdb.DuckDBPyConnection, test: TableSchema, new: PredictionTable, shown: str, model: Model
) -> None:
    """A candidate answers every test row, or it could leave out the ones it finds hard; and it brings no labels."""
    if model.id not in test.columns:
        raise WorldError(
            f"{shown} has no column `{model.id}`", "write the ids that `mlci.model.id` names into the table"
        )
    labelled = model.label in test.columns
    differ = differing(model, "test.label", "new.label") if labelled else "FALSE"
    try:
        (again,) = connection.execute(
            f"SELECT coalesce(sum(n - 1), 0) FROM {repeats(identifier(test.view), model.id)}"
        ).fetchall()[0]
        rows, lacking, mislabelled, where = connection.execute(
            f"SELECT count(*), count(*) FILTER (new.id IS NULL), "
            f"count(*) FILTER (new.id IS NOT NULL AND {differ}), "
            f"min(test.id) FILTER (new.id IS NOT NULL AND {differ}) "
            f"FROM {beside(new.aligned, _truth(test, model, new.aligned, labelled=labelled), new.truth)}"
        ).fetchall()[0]
    except duckdb.Error as error:
        raise world_error(error, shown) from error
    if again:
        raise WorldError(
            f"{shown}: the ids are not unique: {rows:,} rows have {rows - again:,} different `{model.id}`",
            "one row for each id; see what doubled the rows",
        )
    if lacking:
        raise WorldError(
            f"{new.shown} has no prediction for {lacking:,} of the {rows:,} rows of {shown}",
            f"the ids must match; {_REMAKE}",
        )
    if mislabelled:
        raise WorldError(
            f"{new.shown}: {mislabelled:,} of {rows:,} labels are not those of {shown}, such as that of {where!r}",
            f"a model is judged by the labels of the test table; {_REMAKE}",
        )


class Changed(NamedTuple):
    """How the rows of today differ from those that an earlier model was judged by."""

    relabelled: int = 0
    """Rows of both whose label, known then, is another now."""
    gone: int = 0
    """Rows of then that are none of today's."""


def changed_rows(
    connection: duckdb.DuckDBPyConnection,
    old: PredictionTable,
    new: PredictionTable,
    test: TableSchema | None,
    model: Model,
) -> Changed:
    """Set the rows and labels of then beside today's, which are the test table's or the candidate's.

    Equal tables are told by a sum over the hashes of their rows, so that nothing is joined for them.
    """
    known = test is not None and model.label in test.columns
    today = _truth(test, model, new.aligned, labelled=True) if known and test is not None else new.truth
    today = replace(today, name="today")
    try:
        then, now = (connection.execute(_summed(new.aligned, each)).fetchall() for each in (old.truth, today))
        if then == now:
            return Changed()
        counts = connection.execute(
            f"SELECT count(*) FILTER (today.id IS NOT NULL AND {differing(model, 'old.label', 'today.label')}), "
            f"count(*) FILTER (today.id IS NULL) "
            f"FROM {beside(new.aligned, old.truth, today)}"
        ).fetchall()[0]
    except duckdb.Error as error:
        raise world_error(error, old.shown) from error
    return Changed(*counts)


def differing(model: Model, one: str, other: str) -> str:
    """SQL for whether a label that is known is another one there; numbers may have lost digits in 32 bits."""
    if model.task != "regression":
        return f"({one} IS NOT NULL AND {one} IS DISTINCT FROM {other})"
    apart = f"abs({one} - {other}) > {_DIGITS} * greatest(abs({one}), abs({other}))"
    return f"(isfinite({one}) AND coalesce({apart}, TRUE))"


def _summed(aligned: Aligned | None, rows: Rows) -> str:
    summed = f"SELECT count(*), sum(hash({rows.name}.id, {rows.name}.label)::HUGEINT)"
    return f"{summed} FROM {beside(aligned, rows)}"


def _truth(test: TableSchema, model: Model, aligned: Aligned | None, *, labelled: bool) -> Rows:
    sql = aligned.sql("test") if aligned is not None else identifier
    label = value_sql(model, test, model.label, sql) if labelled else "NULL"
    return Rows("test", "test", {"id": f"CAST({sql(model.id)} AS VARCHAR)", "label": label}, identifier(test.view))
