"""Check an exchange with GitHub's API against GitHub's own description of it."""

import json
import re
from functools import cache
from urllib.parse import quote

from forge_npm import modules
from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

HOST = "https://api.github.com"
_MANY_SEGMENTS = re.compile(
    r"(/git/(?:ref|refs|matching-refs)/|/contents/|/releases/tags/|/branches/)(.+?)(/protection)?$"
)


@cache
def description():
    """GitHub's description; loading takes a second, so once a process."""
    text = (modules() / "@octokit/openapi/generated/api.github.com.json").read_text(encoding="utf-8")
    return OpenAPI.from_dict(json.loads(text), config=Config(spec_validator_cls=None))


def problems(method, path, query, body, status, answer):
    """What GitHub's description says against a request and its answer, in words; nothing where both conform.

    Args:
        method: Such as `GET`.
        path: Without the host and the query.
        query: A dict of lists, as `urllib.parse.parse_qs` gives it.
        body: The request's bytes.
        status: Of the answer.
        answer: The answer's bytes.
    """
    path = _MANY_SEGMENTS.sub(lambda found: found[1] + quote(found[2], safe="") + (found[3] or ""), path)
    kind = "application/json"
    asked = MockRequest(HOST, method.lower(), path, args=query, data=body or None, content_type=kind)
    answered = MockResponse(answer, status_code=status, content_type=kind)
    # Of labels, a list of names is described in two ways of which only one may fit.
    labels = method == "POST" and path.endswith("/labels")
    said = [] if labels else list(_said("request", description().validate_request, asked))
    # What an error looks like is described for some calls only.
    if status < 400:
        said += _said("answer", description().validate_response, asked, answered)
    return [f"{method} {path} ({status}): {words}" for words in said]


def _said(what, validate, *given):
    try:
        validate(*given)
    except OpenAPIError as error:
        found = getattr(error.__cause__, "schema_errors", None) or [error]
        for inner in found:
            if _nullable(inner):
                continue
            where = getattr(inner, "json_path", "")
            yield f"{what} {where} {getattr(inner, 'message', repr(inner))[:300]}"


def _nullable(error):
    """A null where the description says `nullable` beside an `enum` without it: it means that null is fine."""
    schema = getattr(error, "schema", None)
    return isinstance(schema, dict) and error.instance is None and schema.get("nullable", False)
