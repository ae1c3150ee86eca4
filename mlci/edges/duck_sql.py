"""SQL that somebody wrote into a policy: one boolean expression over one row, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import duckdb

from mlci.edges.duck import first_line
from mlci.errors import PolicyError
from mlci.nouns.sql import identifier, literal

if TYPE_CHECKING:
    from mlci.nouns.base import Place
    from mlci.nouns.table_schema import TableSchema

_TABLE = "the_table"
_REFUSED = {
    "SUBQUERY": "a query inside it",
    "WINDOW": "a window function",
    "PARAMETER": "a parameter",
    "STAR": "a star",
}
_EMPTY = ("modifiers", "where_clause", "group_expressions", "group_sets", "having", "sample", "qualify")


def empty_table(connection: duckdb.DuckDBPyConnection, schema: TableSchema) -> None:
    """Make a table of these columns without rows, so that conditions on another engine's table can be looked at."""
    columns = ", ".join(f"{identifier(name)} {kind}" for name, kind in schema.columns.items())
    connection.execute(f"CREATE TABLE {identifier(schema.view)} ({columns})")


def check_condition(connection: duckdb.DuckDBPyConnection, sql: str, schema: TableSchema, place: Place) -> None:
    """Refuse what is no condition on the rows of this table.

    Raises:
        PolicyError: It is no SQL, more than one expression, reads something else, names a column that the table has
            not, or is neither true nor false.
    """
    shown = " ".join(sql.split())
    _only_a_condition(connection, sql, shown, place)
    # Line breaks around it, so that a comment at its end does not swallow what follows.
    bound = f"DESCRIBE SELECT (\n{sql}\n) AS holds FROM {identifier(schema.view)} WHERE (\n{sql}\n)"
    try:
        described = connection.execute(bound).fetchall()
    except duckdb.Error as error:
        candidates = next((line for line in str(error).splitlines() if line.startswith("Candidate")), "")
        hint = f" {candidates.replace('Candidate bindings', 'did you mean')}?" if candidates else ""
        raise PolicyError(
            f"{place}: `{shown}` does not fit {schema.path}: {first_line(error)}{hint}",
            f"Use the table's columns: {_some(schema)}; quote unusual names with double quotes.",
        ) from error
    kind = described[0][1]
    if kind != "BOOLEAN":
        raise PolicyError(
            f"{place}: `{shown}` is of type {kind}, and a condition is true or false",
            "Write a comparison, such as `age > 50`.",
        )


def _only_a_condition(connection: duckdb.DuckDBPyConnection, sql: str, shown: str, place: Place) -> None:
    mend = "Write one condition on a row, such as `scheduled_arrival > scheduled`."
    try:
        parsed = connection.execute("SELECT json_serialize_sql(?)", [f"SELECT (\n{sql}\n) FROM {_TABLE}"]).fetchone()
    except duckdb.Error as error:
        raise PolicyError(f"{place}: `{shown}` is no SQL condition: {first_line(error)}", mend) from error
    tree: dict[str, Any] = json.loads(parsed[0]) if parsed else {"error": True}
    if tree.get("error"):
        why = str(tree.get("error_message", "")).strip().partition("\n")[0]
        raise PolicyError(f"{place}: `{shown}` is no SQL condition: {why}", mend)
    if not _is_plain(tree["statements"]):
        raise PolicyError(f"{place}: `{shown}` is more than one condition", mend)
    refused = _refused(tree["statements"][0]["node"]["select_list"])
    if refused is not None:
        raise PolicyError(f"{place}: `{shown}` holds {refused}, which a condition on a row can't have", mend)


def _is_plain(statements: list[dict[str, Any]]) -> bool:
    """Whether this is nothing but SELECT (…) FROM the_table."""
    if len(statements) != 1:
        return False
    node = statements[0]["node"]
    source = node.get("from_table", {})
    return (
        node.get("type") == "SELECT_NODE"
        and len(node.get("select_list", ())) == 1
        and not any(node.get(key) for key in _EMPTY)
        and not node.get("cte_map", {}).get("map")
        and source.get("type") == "BASE_TABLE"
        and source.get("table_name") == _TABLE
    )


def _refused(tree: object) -> str | None:
    """The first thing in an expression's tree that is no matter of one row."""
    if isinstance(tree, list):
        return next((found for item in tree if (found := _refused(item))), None)
    if isinstance(tree, dict):
        return _REFUSED.get(str(tree.get("class"))) or _refused(list(tree.values()))
    return None


def check_pattern(connection: duckdb.DuckDBPyConnection, pattern: str, place: Place) -> None:
    """Refuse a regular expression that the engine does not know.

    Raises:
        PolicyError: It is none in RE2's syntax.
    """
    try:
        connection.execute(f"SELECT regexp_full_match('', {literal(pattern)})").fetchall()
    except duckdb.Error as error:
        raise PolicyError(
            f"{place}: the pattern `{pattern}` can't be used: {first_line(error)}",
            "Write it in RE2's syntax, which has no look-ahead and no back-references.",
        ) from error


def _some(schema: TableSchema, most: int = 12) -> str:
    names = list(schema.columns)
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")
