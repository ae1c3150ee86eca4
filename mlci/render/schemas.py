"""The published JSON Schemas of what is written and read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlci.nouns.challenger import Retraining
from mlci.nouns.diagnosis import Diagnosis
from mlci.nouns.feedback import Collected
from mlci.nouns.finding import Verdict
from mlci.nouns.monitoring import Monitoring
from mlci.nouns.policy import Policy
from mlci.nouns.rubric import TestScore
from mlci.nouns.software import Software
from mlci.nouns.training import Seeds
from mlci.render.json import dumps, settled

if TYPE_CHECKING:
    from pydantic import BaseModel

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


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
        "monitor": (Monitoring, "mlci monitor"),
        "feedback": (Collected, "mlci feedback collect"),
        "retrain": (Retraining, "mlci retrain"),
    }
    named = {"verdict": verdict, "params": params}
    for name, (noun, title) in written.items():
        named[name] = noun.model_json_schema(mode="serialization") | {"$schema": _DIALECT, "title": title}
    return {f"{name}.schema.json": dumps(_finite(schema)) for name, schema in named.items()}


def _finite(schema: Any) -> Any:  # noqa: ANN401 - any part of a schema
    """A schema without defaults that JSON cannot write."""
    if isinstance(schema, dict):
        return {key: _finite(item) for key, item in schema.items() if key != "default" or item == settled(item)}
    return [_finite(item) for item in schema] if isinstance(schema, list | tuple) else schema
