"""Releases and deployments where the emulator differs from GitHub: contents of files, drafts, deployments."""

import hashlib
import json
import re
from urllib.parse import parse_qs, quote, unquote

_RELEASES = re.compile(r"/repos/([^/]+/[^/]+)/releases(/.*)?")
_DEPLOYMENTS = re.compile(r"/repos/([^/]+/[^/]+)/deployments(?:/(\d+)(/statuses)?)?")
_MOMENT = "2026-01-01T00:00:00Z"


def takes(path):
    """Whether this module answers."""
    return _RELEASES.fullmatch(path) is not None or _DEPLOYMENTS.fullmatch(path) is not None


def answer(proxy, token, request):
    """Status, headers and bytes for a request with `method`, `path`, `query`, `body` and `accept`."""
    if found := _DEPLOYMENTS.fullmatch(request.path):
        return _deployments(proxy, request, found)
    return _releases(proxy, token, request, _RELEASES.fullmatch(request.path)[2] or "")


def cut_off(proxy, told):
    """The upload that made this asset was cut off: GitHub keeps an empty one that stands in the way."""
    proxy.shown.cut.add(told["id"])


def _releases(proxy, token, request, rest):
    shown, writer = proxy.shown, token.permissions is None or token.permissions.get("contents") == "write"
    asset = re.fullmatch(r"/assets/(\d+)", rest)
    if asset and request.method == "GET" and "octet-stream" in request.accept:
        content = shown.assets.get(int(asset[1]))
        if content is None or int(asset[1]) in shown.cut:
            return 404, {}, _error("Not Found")
        return 200, {"Content-Type": "application/octet-stream"}, content
    upload = request.method == "POST" and re.fullmatch(r"/(\d+)/assets", rest)
    if upload:
        name = parse_qs(request.query)["name"][0]
        there = json.loads(proxy.ask("GET", request.path, b"", token.secret)[2])
        if any(one["name"] == name for one in there):
            return 422, {}, _error("Validation Failed", resource="ReleaseAsset", code="already_exists", field="name")
    target = request.path + (f"?{request.query}" if request.query else "")
    status, headers, told = proxy.ask(request.method, target, request.body, token.secret)
    if status >= 400 or not told:
        return status, {}, told
    told = json.loads(told)
    if upload:
        shown.assets[told["id"]] = request.body
    if rest.startswith("/tags/") and told.get("draft"):
        return 404, {}, _error("Not Found")
    if isinstance(told, list):
        told = [one for one in told if writer or not one.get("draft")]
    for one in told if isinstance(told, list) else [told]:
        _amend(shown, one)
    return status, {name: value for name, value in headers.items() if name.lower() == "link"}, json.dumps(told).encode()


def _amend(shown, told):
    for asset in [*told.get("assets", ()), *([told] if "content_type" in told else ())]:
        cut = asset["id"] in shown.cut
        asset["state"] = "open" if cut else "uploaded"
        asset["size"] = 0 if cut else asset["size"]
        digest = hashlib.sha256(shown.assets.get(asset["id"], b"")).hexdigest()
        asset["digest"] = f"sha256:{digest}" if shown.digests and not cut else None
    if "tag_name" in told:
        told["html_url"] = quote(unquote(told["html_url"]), safe=":/")


def _deployments(proxy, request, found):
    repository, number, statuses = found.groups()
    kept = proxy.shown.deployments
    url = f"{proxy.url}/repos/{repository}"
    given = json.loads(request.body) if request.body else {}
    if number is None and request.method == "POST":
        payload = given.get("payload", {})
        environment = given.get("environment", "production")
        made = _deployment(url, len(kept) + 1, given, payload, environment)
        kept.append(made)
        return 201, {}, _json(made)
    if number is None:
        asked = {name: values[0] for name, values in parse_qs(request.query).items() if name in {"environment", "task"}}
        fitting = [one for one in reversed(kept) if all(one[name] == value for name, value in asked.items())]
        return 200, {}, json.dumps([_plain(one) for one in fitting]).encode()
    one = next((one for one in kept if one["id"] == int(number)), None)
    if one is None:
        return 404, {}, _error("Not Found")
    if not statuses:
        return 200, {}, _json(one)
    if request.method == "POST":
        if len(given.get("description") or "") > 140:
            return 422, {}, _error("description is too long (maximum is 140 characters)")
        one["statuses"].insert(0, _status(url, one, given))
        return 201, {}, json.dumps(one["statuses"][0]).encode()
    return 200, {}, json.dumps(one["statuses"]).encode()


def _deployment(url, number, given, payload, environment):
    return {
        "url": f"{url}/deployments/{number}",
        "id": number,
        "node_id": str(number),
        "sha": "0" * 40,
        "ref": given["ref"],
        "task": given.get("task", "deploy"),
        "payload": payload,
        "original_environment": environment,
        "environment": environment,
        "description": given.get("description"),
        "creator": None,
        "created_at": _MOMENT,
        "updated_at": _MOMENT,
        "statuses_url": f"{url}/deployments/{number}/statuses",
        "repository_url": url,
        "statuses": [],
    }


def _status(url, deployment, given):
    number = 1_000 * deployment["id"] + len(deployment["statuses"])
    return {
        "url": f"{url}/deployments/{deployment['id']}/statuses/{number}",
        "id": number,
        "node_id": str(number),
        "state": given["state"],
        "creator": None,
        "description": given.get("description", ""),
        "environment": deployment["environment"],
        "target_url": given.get("target_url") or "https://github.com",
        "created_at": _MOMENT,
        "updated_at": _MOMENT,
        "deployment_url": deployment["url"],
        "repository_url": url,
    }


def _plain(deployment):
    return {name: value for name, value in deployment.items() if name != "statuses"}


def _json(deployment):
    return json.dumps(_plain(deployment)).encode()


def _error(words, **field):
    told = {"message": words, "documentation_url": "https://docs.github.com/rest"}
    return json.dumps({**told, "errors": [field]} if field else told).encode()
