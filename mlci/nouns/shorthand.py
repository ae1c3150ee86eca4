"""What the short forms of a policy look like to an editor: JSON Schema for what validators read first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

_DIGITS = r"[+-]?(\d[\d_]*)?(\.\d+)?([eE][+-]?\d+)?\s*(%|pt)?"
_NUMBER_TEXT = {"type": "string", "pattern": rf"^\s*{_DIGITS}\s*$", "examples": ["10_000", "5%"]}
_BOUND_TEXT = {
    "type": "string",
    "pattern": rf"^\s*(<=|>=|<|>|==|=)?\s*{_DIGITS}\s*$",
    "examples": [">= 10_000", "<= 5%"],
}

NUMBER: dict[str, Any] = {"anyOf": [{"type": "number"}, _NUMBER_TEXT]}
SHARE: dict[str, Any] = {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, _NUMBER_TEXT]}
DURATION: dict[str, Any] = {
    "type": "string",
    "pattern": r"^\s*\d+(\.\d+)?\s*(s|min|m|h|d|w)\s*$",
    "examples": ["45d", "12h"],
}
SIZE: dict[str, Any] = {
    "anyOf": [
        {"type": "integer"},
        {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*(B|kB|KB|MB|GB|TB)\s*$", "examples": ["400MB"]},
    ]
}
BOUND: tuple[dict[str, Any], ...] = (
    {"type": "number"},
    _BOUND_TEXT,
    {"type": "array", "prefixItems": [NUMBER, NUMBER], "minItems": 2, "maxItems": 2, "examples": [[10, 6000]]},
)
AMOUNT: tuple[dict[str, Any], ...] = ({"type": "number", "minimum": 0}, _NUMBER_TEXT)
TEXT: tuple[dict[str, Any], ...] = ({"type": "string"},)
TEXTS: tuple[dict[str, Any], ...] = ({"type": "string"}, {"type": "array", "items": {"type": "string"}})


class Shorthand:
    """A noun that a policy may write shorter than as a mapping of its fields."""

    shorthand: ClassVar[tuple[dict[str, Any], ...]] = ()

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The short forms beside the long one, where a policy is read; what is written has the long form only."""
        schema = handler(core_schema)
        if handler.mode == "validation":
            cls._describe(handler.resolve_ref_schema(schema))
        return schema

    @classmethod
    def _describe(cls, schema: JsonSchemaValue) -> None:
        """Change the schema of the long form in place into that of all forms."""
        either(schema, *cls.shorthand)


def either(schema: JsonSchemaValue, *short: dict[str, Any]) -> None:
    """Let a schema accept short forms beside what it accepts, in place; its words stay outside."""
    said: JsonSchemaValue = {key: schema.pop(key) for key in ("title", "description", "default") if key in schema}
    long = dict(schema)
    schema.clear()
    schema.update(said)
    schema["anyOf"] = [*short, long]


def one_or_many(schema: JsonSchemaValue) -> None:
    """Where a list is read, let one item alone do, in place."""
    either(schema, schema["items"])
