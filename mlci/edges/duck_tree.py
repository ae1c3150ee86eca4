"""From the tree that DuckDB's parser makes of a condition to one that other engines can be told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

import duckdb

from mlci.errors import PolicyError
from mlci.nouns.expression import (
    Among,
    Between,
    Call,
    Case,
    Cast,
    ColumnOf,
    Compare,
    Comparing,
    Constant,
    Expression,
    Interval,
    IsNull,
    Logic,
    Not,
    Unit,
)

if TYPE_CHECKING:
    from mlci.nouns.base import Place

_COMPARE: dict[str, Comparing] = {
    "COMPARE_EQUAL": "=",
    "COMPARE_NOTEQUAL": "<>",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_LESSTHANOREQUALTO": "<=",
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
    "COMPARE_DISTINCT_FROM": "distinct",
    "COMPARE_NOT_DISTINCT_FROM": "same",
}
_SPANS: dict[str, Unit] = {f"to_{unit}s": unit for unit in get_args(Unit)}


class _Unknown(Exception):  # noqa: N818 - never leaves this file
    """A part of the tree that has no counterpart."""


def condition_tree(connection: duckdb.DuckDBPyConnection, sql: str, place: Place, engine: str) -> Expression:
    """The tree of a condition that `check_condition` has let pass.

    Args:
        connection: Any session of DuckDB, whose parser is used.
        sql: The condition.
        place: Where it stands in the policy.
        engine: The engine that it is meant for, for the message.

    Raises:
        PolicyError: It holds something that is not translated for other engines.
    """
    found = connection.execute("SELECT json_serialize_sql(?)", [f"SELECT (\n{sql}\n)"]).fetchone()
    tree = json.loads(found[0])["statements"][0]["node"]["select_list"][0] if found else {}
    try:
        return _node(tree)
    except (_Unknown, KeyError, TypeError) as error:
        raise PolicyError(
            f"{place}: `{' '.join(sql.split())}` holds {error}, which is not translated for {engine}",
            "Use comparisons, AND, OR, NOT, IN, BETWEEN, LIKE, CASE, arithmetic and plain functions, "
            "or measure this table with DuckDB.",
        ) from error


def columns_named(sql: str) -> set[str]:
    """Every name in a condition that may be one of a column; none where it is no SQL.

    >>> sorted(columns_named("distance > 2000 AND lower(rows.carrier) <> 'ua'"))
    ['carrier', 'distance', 'rows']
    """
    with duckdb.connect() as connection:
        try:
            found = connection.execute("SELECT json_serialize_sql(?)", [f"SELECT (\n{sql}\n)"]).fetchone()
        except duckdb.Error:
            return set()
    return _names(json.loads(found[0])) if found else set()


def _names(tree: object) -> set[str]:
    if isinstance(tree, list):
        return {name for item in tree for name in _names(item)}
    if not isinstance(tree, dict):
        return set()
    own = tree.get("column_names")
    here = {str(name) for name in own} if isinstance(own, list) else set()
    return here | _names(list(tree.values()))


def _node(tree: Any) -> Expression:  # noqa: ANN401, C901, PLR0911 - the parser's JSON; one case a kind of node
    kind = tree["type"]
    match tree["class"]:
        case "COLUMN_REF":
            return ColumnOf(name=tree["column_names"][-1])
        case "CONSTANT":
            return _constant(tree)
        case "COMPARISON":
            return Compare(op=_COMPARE[kind], left=_node(tree["left"]), right=_node(tree["right"]))
        case "CONJUNCTION":
            return Logic(op="OR" if kind == "CONJUNCTION_OR" else "AND", parts=_nodes(tree["children"]))
        case "BETWEEN":
            between = Between(of=_node(tree["input"]), low=_node(tree["lower"]), high=_node(tree["upper"]))
            return between if kind == "COMPARE_BETWEEN" else Not(of=between)
        case "OPERATOR":
            return _operator(kind, _nodes(tree["children"]))
        case "FUNCTION":
            return _call(tree)
        case "CASE":
            checks = tuple((_node(each["when_expr"]), _node(each["then_expr"])) for each in tree["case_checks"])
            return Case(checks=checks, otherwise=_node(tree["else_expr"]))
        case "CAST":
            if tree.get("try_cast"):
                raise _Unknown("TRY_CAST")
            return Cast(of=_node(tree["child"]), type=tree["type_expr"]["type_name"].upper())
        case other:
            raise _Unknown(f"`{other.lower()}`")


def _nodes(trees: Any) -> tuple[Expression, ...]:  # noqa: ANN401 - the parser's JSON
    return tuple(_node(tree) for tree in trees)


def _constant(tree: Any) -> Constant:  # noqa: ANN401 - the parser's JSON
    literal = tree["literal"]
    match literal["kind"]:
        case "INTEGER" | "NUMERIC":
            return Constant(kind="number", text=literal["text"].replace("_", ""))
        case "STRING":
            return Constant(kind="text", text=literal["text"])
        case "BOOLEAN":
            return Constant(kind="boolean", text=literal["text"].upper())
        case "NULL":
            return Constant(kind="null")
        case other:
            raise _Unknown(f"a constant of the kind {other}")


def _operator(kind: str, parts: tuple[Expression, ...]) -> Expression:
    match kind:
        case "OPERATOR_NOT":
            return Not(of=parts[0])
        case "OPERATOR_IS_NULL":
            return IsNull(of=parts[0])
        case "OPERATOR_IS_NOT_NULL":
            return Not(of=IsNull(of=parts[0]))
        case "COMPARE_IN":
            return Among(of=parts[0], values=parts[1:])
        case "COMPARE_NOT_IN":
            return Not(of=Among(of=parts[0], values=parts[1:]))
        case "OPERATOR_COALESCE":
            return Call(name="coalesce", arguments=parts)
        case other:
            raise _Unknown(f"`{other.lower()}`")


def _call(tree: Any) -> Expression:  # noqa: ANN401 - the parser's JSON
    name = tree["function_name"].lower()
    if tree.get("distinct") or tree.get("filter") or tree["order_bys"].get("orders"):
        raise _Unknown(f"`{name}` of many rows")
    arguments = [each["expression"] for each in tree["arguments"]]
    if name in _SPANS:
        return Interval(number=_whole(arguments[0]), unit=_SPANS[name])
    return Call(name=name, arguments=_nodes(arguments))


def _whole(tree: Any) -> str:  # noqa: ANN401 - the parser's JSON
    """The number behind the casts that the parser puts around it."""
    while tree["class"] != "CONSTANT":
        tree = tree["child"] if tree["class"] == "CAST" else tree["arguments"][0]["expression"]
    text: str = tree["literal"]["text"]
    if not text.isdigit():
        raise _Unknown("an interval that is no whole number")
    return text
