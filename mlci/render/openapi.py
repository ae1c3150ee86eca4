"""What the server takes and gives: OpenAPI for machines, and a page for people."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlci.nouns.serve import Served, ServePolicy
    from mlci.nouns.signature import Input

Schema = dict[str, Any]

_TYPES = {"float": "number", "integer": "integer", "string": "string", "boolean": "boolean"}
_SAMPLE: dict[str, Any] = {"float": 1.5, "integer": 1, "string": "text", "boolean": True}


def openapi(served: Served, policy: ServePolicy) -> Schema:
    """The description of a server's interface, by OpenAPI 3.1."""
    model = f"/v2/models/{served.name}"
    row = {"$ref": "#/components/schemas/Row"}
    label = {"$ref": "#/components/schemas/Label"}
    paths: Schema = {
        "/predict": {"post": _post("Predict one row, or many", _one_or_many(row, policy.rows))},
        "/feedback": {"post": _post("Tell the true value of a prediction", _one_or_many(label, policy.rows))},
        f"{model}/infer": {"post": _post("Predict, by the protocol", {"$ref": "#/components/schemas/Infer"})},
        f"{model}/versions/{served.version}/infer": {
            "post": _post("The same, of this version", {"$ref": "#/components/schemas/Infer"})
        },
    }
    for path, what in (
        ("/v2", "What this server is"),
        ("/v2/health/live", "Whether it runs"),
        ("/v2/health/ready", "Whether it may answer"),
        (model, "What the model wants and gives"),
        (f"{model}/ready", "Whether the model may answer"),
    ):
        paths[path] = {"get": _get(what, "application/json", {"type": "object"})}
    paths["/metrics"] = {"get": _get("Counts for Prometheus", "text/plain", {"type": "string"})}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": served.name,
            "version": served.version,
            "description": f"commit: {served.commit or 'unknown'}",
        },
        "paths": paths,
        "components": {"schemas": {"Row": _row(served), "Label": _label(served), "Infer": _infer(), "Error": _ERROR}},
    }


_ERROR: Schema = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}


def _one_or_many(one: Schema, most: int) -> Schema:
    return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": most}]}


def _row(served: Served) -> Schema:
    inputs = served.signature.inputs
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [each.name for each in inputs],
        "properties": {each.name: _field(each) for each in inputs},
    }


def _field(wanted: Input) -> Schema:
    kind = _TYPES[wanted.type]
    return {"type": [kind, "null"] if wanted.nullable else kind}


def _label(served: Served) -> Schema:
    classes = list(served.signature.classes)
    label: Schema = {"enum": classes} if classes else {"type": "number"}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["id", "label"],
        "properties": {
            "id": {"type": "string", "minLength": 1, "maxLength": 100},
            "label": label,
            "source": {"type": "string", "maxLength": 100},
        },
    }


def _infer() -> Schema:
    tensor = {
        "type": "object",
        "required": ["name", "shape", "datatype", "data"],
        "properties": {
            "name": {"type": "string"},
            "shape": {"type": "array", "items": {"type": "integer"}},
            "datatype": {"type": "string"},
            "data": {"type": "array"},
        },
    }
    return {
        "type": "object",
        "required": ["inputs"],
        "properties": {"id": {"type": "string"}, "inputs": {"type": "array", "items": tensor}},
    }


def _post(what: str, body: Schema) -> Schema:
    return {
        "summary": what,
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": _responses("application/json", {"type": "object"}),
    }


def _get(what: str, kind: str, schema: Schema) -> Schema:
    return {"summary": what, "responses": _responses(kind, schema)}


def _responses(kind: str, schema: Schema) -> Schema:
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {
        "200": {"description": "The answer", "content": {kind: {"schema": schema}}},
        "4XX": {"description": "What is wrong with the request, by field, value and expectation", "content": error},
        "503": {"description": "Not ready, or the log takes nothing", "content": error},
    }


def openapi_page(served: Served, described: Schema) -> str:
    """A page that needs no other host: routes, fields, and a request to copy."""
    esc = html.escape
    routes = "".join(
        f"<tr><td><code>{method.upper()} {esc(path)}</code><td>{esc(about['summary'])}"
        for path, methods in described["paths"].items()
        for method, about in methods.items()
    )
    fields = "".join(
        f"<tr><td><code>{esc(each.name)}</code><td>{each.type}<td>{'may be null' if each.nullable else 'required'}"
        for each in served.signature.inputs
    )
    sample = json.dumps({each.name: _SAMPLE[each.type] for each in served.signature.inputs}, ensure_ascii=False)
    quoted = sample.replace("'", "'\\''")
    call = f"curl -H 'Content-Type: application/json' -d '{quoted}' http://HOST:PORT/predict"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{esc(served.name)}</title>'
        "<style>body{font:16px system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "td,th{text-align:left;padding:.2rem 1rem .2rem 0}pre{overflow:auto;background:#8882;padding:1rem}</style>"
        f"<h1>{esc(served.name)}</h1><p>Version {esc(served.version)}, commit {esc(served.commit or 'unknown')}."
        ' <a href="/openapi.json">openapi.json</a></p>'
        f"<h2>Routes</h2><table>{routes}</table><h2>Fields</h2><table>{fields}</table>"
        f"<h2>Try it</h2><pre>{esc(call)}</pre></html>\n"
    )
