"""Ask an engine that only answers SQL the queries of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

from mlci.nouns.aggregate import Aggregate, Answers, SliceKey, Value
from mlci.nouns.query import MOST_SLICES, Plan, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlci.nouns.table_schema import TableSchema

    Ask = Callable[[str], Sequence[tuple[Any, ...]]]


def measure_portable(plan: Plan, schema: TableSchema, ask: Ask, of_the_data: tuple[type[Exception], ...]) -> Answers:
    """The answers to a plan's queries.

    Args:
        plan: The queries.
        schema: The table.
        ask: Gives the rows of a statement.
        of_the_data: Errors that values or types cause: the one check that meets them is not measured.
    """
    answers = Answers()
    for query in plan.queries:
        answers = answers.joined(_merged(query, schema, ask, of_the_data))
    return answers


def _merged(query: Query, schema: TableSchema, ask: Ask, of_the_data: tuple[type[Exception], ...]) -> Answers:
    try:
        return _answers(query, schema, ask)
    except of_the_data as error:
        if not query.alone:
            return Answers(failures=dict.fromkeys(query.aggregates, first_line(error)))
    answers = Answers()
    for aggregate, sql in zip(query.aggregates, query.alone, strict=True):
        alone = Query(sql=sql, aggregates=(aggregate,), keys=query.keys)
        answers = answers.joined(_merged(alone, schema, ask, of_the_data))
    return answers


def _answers(query: Query, schema: TableSchema, ask: Ask) -> Answers:
    found = ask(query.sql)
    if len(found) > MOST_SLICES:
        why = f"its `by` has more than {MOST_SLICES:,} values"
        return Answers(failures=dict.fromkeys(query.aggregates, why))
    by = query.aggregates[0].part.by
    values: dict[Aggregate, dict[SliceKey, Value]] = {aggregate: {} for aggregate in query.aggregates}
    for row in found:
        key = tuple(as_text(value, schema.columns[name]) for name, value in zip(by, row, strict=False))
        for aggregate, value in zip(query.aggregates, row[query.keys :], strict=True):
            values[aggregate][key] = value
    return Answers(values)


def first_line(error: Exception) -> str:
    """The message without its class, its query and its stack."""
    text = str(error).strip().splitlines()
    line = text[0] if text else type(error).__name__
    return line.partition(" SQLSTATE")[0].strip()


def as_text(value: Any, type_name: str) -> str | None:  # noqa: ANN401 - whatever a column holds
    """A value as DuckDB writes it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool) or type_name == "BOOLEAN":
        return str(bool(value)).lower()
    if isinstance(value, int):
        return str(value)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute(f"SELECT CAST(CAST(? AS {type_name}) AS VARCHAR)", [value]).fetchone()
    return str(found[0]) if found else None
