"""A noun as canonical JSON, and the published schemas of what is written and read."""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlci.nouns.diagnosis import Diagnosis
from mlci.nouns.finding import Verdict
from mlci.nouns.policy import Policy
from mlci.nouns.rubric import TestScore
from mlci.nouns.software import Software
from mlci.nouns.training import Seeds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import BaseModel

_DIGITS = 12
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def to_json(noun: BaseModel) -> str:
    """The same value gives the same bytes: sorted keys, two spaces, floats to 12 significant digits, a last newline.

    What is not finite is null, because JSON has no word for it.
    """
    return dumps(_settled(noun.model_dump(mode="python")))


def to_json_list(nouns: Iterable[BaseModel]) -> str:
    """The same for several values, as a list."""
    return dumps([_settled(noun.model_dump(mode="python")) for noun in nouns])


def _settled(value: Any) -> Any:  # noqa: ANN401 - whatever a noun dumps to
    if isinstance(value, dict):
        return {str(key): _settled(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_settled(item) for item in value]
    if isinstance(value, float):
        # Adding 0.0 turns -0.0, which equals 0.0 as a value, into the same bytes.
        return float(f"{value:.{_DIGITS}g}") + 0.0 if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def dumps(value: object) -> str:
    """Any JSON value in the same form."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def schemas() -> dict[str, str]:
    """The published JSON Schemas by file name: of what is written, and of the key `mlci` in `params.yaml`."""
    verdict = Verdict.model_json_schema(mode="serialization") | {"$schema": _DIALECT, "title": "mlci verdict"}
    policy = Policy.model_json_schema(mode="validation")
    params = {
        "$schema": _DIALECT,
        "title": "params.yaml with an mlci policy",
        "type": "object",
        "properties": {"mlci": {key: item for key, item in policy.items() if key != "$defs"}},
        "$defs": policy["$defs"],
    }
    written: dict[str, tuple[type[BaseModel], str]] = {
        "score": (TestScore, "mlci doctor --score"),
        "diagnosis": (Diagnosis, "mlci doctor"),
        "seeds": (Seeds, "mlci model seeds"),
        "budgets": (Software, "mlci model measure"),
    }
    named = {"verdict": verdict, "params": params}
    for name, (noun, title) in written.items():
        named[name] = noun.model_json_schema(mode="serialization") | {"$schema": _DIALECT, "title": title}
    return {f"{name}.schema.json": dumps(_finite(schema)) for name, schema in named.items()}


def _finite(schema: Any) -> Any:  # noqa: ANN401 - any part of a schema
    """A schema without defaults that JSON cannot write."""
    if isinstance(schema, dict):
        return {key: _finite(item) for key, item in schema.items() if key != "default" or item == _settled(item)}
    return [_finite(item) for item in schema] if isinstance(schema, list | tuple) else schema
