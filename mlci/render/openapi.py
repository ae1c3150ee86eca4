"""What the server takes and gives: OpenAPI for machines, and a page for people."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.nouns.serve import Served, ServePolicy, Taken

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_PRINTABLE = "^[^\\x00-\\x1f\\x7f-\\x9f]*$"
_SHAPE: Schema = {"type": "array", "items": {"type": "integer"}}
_TYPES = {"float": "number", "integer": "integer", "string": "string", "boolean": "boolean"}
_SAMPLE: dict[str, Any] = {"float": 1.5, "integer": 1, "string": "text", "boolean": True}


def openapi(served: Served, policy: ServePolicy, taken: tuple[Taken, ...]) -> Schema:
    """The description of a server's interface, by OpenAPI 3.1.

    Args:
        served: What is served.
        policy: Its limits.
        taken: What may stand in every input.
    """
    model = f"/v2/models/{quote(served.name, safe='')}"
    version = f"{model}/versions/{quote(served.version, safe='')}"
    rows = _one_or_many(_ref("Row"), policy.rows)
    paths: Schema = {
        "/predict": {"post": _post("Predict one row, or many", rows, _either("Answer", "Answers"))},
        "/feedback": {
            "post": _post(
                "Tell the true value of a prediction",
                _one_or_many(_ref("Label"), policy.rows),
                _either("Labelled", "AllLabelled"),
            )
        },
    }
    for path, what in ((model, "Predict, by the protocol"), (version, "The same, of this version")):
        paths[f"{path}/infer"] = {"post": _post(what, _ref("Infer"), _ref("Inferred"))}
    for path, what, answer in (
        ("/v2", "What this server is", "Server"),
        ("/v2/health/live", "Whether it runs", "Live"),
        ("/v2/health/ready", "Whether it may answer", "Ready"),
        (model, "What the model wants and gives", "Metadata"),
        (f"{model}/ready", "Whether the model may answer", "Ready"),
    ):
        paths[path] = {"get": _get(what, "application/json", _ref(answer))}
    paths["/metrics"] = {"get": _get("Counts for Prometheus", "text/plain", {"type": "string"})}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": served.name,
            "version": served.version,
            "description": f"commit: {served.commit or 'unknown'}",
        },
        "paths": paths,
        "components": {"schemas": {"Row": _row(taken), "Label": _label(served), "Infer": _infer(), **_answers(served)}},
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _either(*names: str) -> Schema:
    return {"anyOf": [_ref(name) for name in names]}


def _object(properties: Schema, optional: Schema | None = None) -> Schema:
    return {"type": "object", "required": list(properties), "properties": {**properties, **(optional or {})}}


def _one_or_many(one: Schema, most: int) -> Schema:
    return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": most}]}


def _row(taken: tuple[Taken, ...]) -> Schema:
    return {**_object({each.name: _field(each) for each in taken}), "additionalProperties": False}


def _field(taken: Taken) -> Schema:
    kind = _TYPES[taken.type]
    field: Schema = {"type": [kind, "null"] if taken.missing else kind}
    if taken.low is not None:
        field |= {"minimum": taken.low, "maximum": taken.high}
    return field if taken.empty else {**field, "minLength": 1}


def _class(served: Served) -> Schema:
    classes = list(served.signature.classes)
    return {"enum": classes} if classes else {"type": "number"}


def _label(served: Served) -> Schema:
    name = {"type": "string", "minLength": 1, "maxLength": 100}
    source = {"source": {"type": "string", "maxLength": 100, "pattern": _PRINTABLE}}
    return {**_object({"id": name, "label": _class(served)}, source), "additionalProperties": False}


def _answers(served: Served) -> Schema:
    about = {"model": _TEXT, "version": _TEXT, "commit": _TEXT}
    scores = _object({name: {"type": "number"} for name in served.signature.score_columns})
    one = {"id": _TEXT, "prediction": _class(served), "scores": scores}
    outcome = {"enum": ["stored", "duplicate", "contradiction"]}
    label = _object(
        {"id": _TEXT, "outcome": outcome, "seconds_after": {"type": "number"}, **about}, {"contradicts": _class(served)}
    )
    output = _object({"name": _TEXT, "datatype": _TEXT, "shape": _SHAPE, "data": {"type": "array"}})
    tensor = _object({"name": _TEXT, "datatype": _TEXT, "shape": _SHAPE})
    parameters = {"type": "object"}
    logged = {"logged": {"type": "boolean"}}
    return {
        "Answer": _object({**one, **about}, logged),
        "Answers": _object({**about, "predictions": {"type": "array", "items": _object(one)}}, logged),
        "Labelled": label,
        "AllLabelled": _object({"labels": {"type": "array", "items": label}}),
        "Inferred": _object(
            {
                "model_name": _TEXT,
                "model_version": _TEXT,
                "id": _TEXT,
                "parameters": parameters,
                "outputs": {"type": "array", "items": output},
            }
        ),
        "Metadata": _object(
            {
                "name": _TEXT,
                "versions": {"type": "array", "items": _TEXT},
                "platform": _TEXT,
                "inputs": {"type": "array", "items": tensor},
                "outputs": {"type": "array", "items": tensor},
                "parameters": parameters,
            }
        ),
        "Server": _object({"name": _TEXT, "version": _TEXT, "extensions": {"type": "array", "items": _TEXT}}),
        "Live": _object({"live": {"type": "boolean"}}),
        "Ready": _object({"ready": {"type": "boolean"}, **about}, {"refused": _TEXT}),
        "Error": _object(
            {"error": _TEXT, "id": _TEXT, **about},
            {"problems": {"type": "array"}, "unknown": {"type": "array", "items": _TEXT}},
        ),
    }


def _infer() -> Schema:
    tensor = _object(
        {"name": _TEXT, "shape": _SHAPE, "datatype": _TEXT, "data": {"type": "array"}},
        {"parameters": {"type": "object"}},
    )
    output = _object({"name": _TEXT}, {"parameters": {"type": "object"}})
    asked = _object(
        {"inputs": {"type": "array", "items": tensor}},
        {"id": _TEXT, "parameters": {"type": "object"}, "outputs": {"type": "array", "items": output}},
    )
    return {**asked, "additionalProperties": False}


def _post(what: str, body: Schema, answer: Schema) -> Schema:
    return {
        "summary": what,
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": _responses("application/json", answer),
    }


def _get(what: str, kind: str, schema: Schema) -> Schema:
    return {"summary": what, "responses": _responses(kind, schema)}


def _responses(kind: str, schema: Schema) -> Schema:
    error = {"application/json": {"schema": _ref("Error")}}
    return {
        "200": {"description": "The answer", "content": {kind: {"schema": schema}}},
        "4XX": {"description": "What is wrong with the request, by field, value and expectation", "content": error},
        "503": {"description": "Not ready, or the log takes nothing", "content": error},
    }


_LABEL = '{"id": "…", "label": …}'
_STYLE = (
    ":root{color-scheme:light dark}body{font:16px system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "td{padding:.2rem 1rem .2rem 0;vertical-align:top}code{overflow-wrap:anywhere}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#8882;padding:1rem;border-radius:.4rem}"
)


def openapi_page(served: Served, described: Schema, taken: Sequence[Taken]) -> str:
    """A page that needs no other host: routes, fields, and requests to copy."""
    esc = html.escape
    routes = "".join(
        f"<tr><td><code>{method.upper()} {esc(path)}</code><td>{esc(about['summary'])}"
        for path, methods in described["paths"].items()
        for method, about in methods.items()
    )
    fields = "".join(f"<tr><td><code>{esc(each.name)}</code><td>{each.expected}" for each in taken)
    row = json.dumps({each.name: _SAMPLE[each.type] for each in taken}, ensure_ascii=False)
    scores = dict.fromkeys(served.signature.score_columns, 0.5)
    about = {"model": served.name, "version": served.version, "commit": served.commit}
    answer = {"id": "…", "prediction": next(iter(served.signature.classes), 0.5), "scores": scores, **about}
    commit = f", commit <code>{esc(served.commit)}</code>" if served.commit else ""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{esc(served.name)}</title><style>{_STYLE}</style>"
        f"<h1>{esc(served.name)}</h1><p>Version <code>{esc(served.version)}</code>{commit}. "
        'The same for machines: <a href="/openapi.json">openapi.json</a></p>'
        f"<h2>Routes</h2><table>{routes}</table>"
        f"<h2>Fields of a row</h2><p>All of them in every row; one row as an object, many as a list.</p>"
        f"<table>{fields}</table><h2>Try it</h2><pre>{esc(_curl('/predict', row))}</pre>"
        f"<p>answers</p><pre>{esc(json.dumps(answer, ensure_ascii=False))}</pre>"
        f"<p>and where the true value becomes known, the id says what it is of:</p>"
        f"<pre>{esc(_curl('/feedback', _LABEL))}</pre></html>\n"
    )


def _curl(path: str, body: str) -> str:
    quoted = body.replace("'", "'\\''")
    return f"curl -H 'Content-Type: application/json' -d '{quoted}' http://HOST:PORT{path}"
