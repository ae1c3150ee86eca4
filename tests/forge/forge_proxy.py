"""A proxy before the emulator: it records, checks, breaks what it is told to, and adds what the emulator lacks."""

import http.client
import json
import re
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import forge_releases
from forge_openapi import problems

ACTIONS = "github-actions[bot]"
BODY_LIMIT = 65_536
_WRITES = (
    (re.compile(r"/check-(runs|suites)"), ("checks",)),
    (re.compile(r"/statuses/"), ("statuses",)),
    (re.compile(r"/pulls(/|$)"), ("pull_requests",)),
    (re.compile(r"/issues(/|$)|/labels(/|$)"), ("issues", "pull_requests")),
    (re.compile(r"/releases|/git/|/contents/"), ("contents",)),
    (re.compile(r"/deployments"), ("deployments",)),
)


@dataclass(frozen=True)
class Token:
    """Who a token is and what it may do.

    Attributes:
        login: Whose comments are written with it.
        secret: The token.
        permissions: Of a workflow's own token: such as `{"checks": "write"}`; None for a person's (a classic one, which
            may do all that the person may, except that checks are for apps).
    """

    login: str
    secret: str
    permissions: dict[str, str] | None = None

    def refuses(self, method, path):
        """Why GitHub would answer 403, in its words; None where it would not."""
        if self.permissions is None:
            wanted = method != "GET" and re.search(r"/check-(runs|suites)", path)
            return "You must authenticate via a GitHub App." if wanted else None
        if path == "/user" or path.startswith("/user/"):
            return "Resource not accessible by integration"
        if method == "GET":
            return None
        for pattern, names in _WRITES:
            if pattern.search(path):
                able = any(self.permissions.get(name) == "write" for name in names)
                return None if able else "Resource not accessible by integration"
        return "Resource not accessible by integration"


class Request(NamedTuple):
    """What a client asks."""

    method: str
    path: str
    query: str
    body: bytes
    accept: str


@dataclass(frozen=True)
class Exchange:
    """One request and its answer. `injected`: the emulator was not asked; `lost`: nobody saw the answer."""

    method: str
    path: str
    query: dict[str, list[str]]
    login: str
    status: int
    asked: object
    answered: object
    headers: dict[str, str]
    injected: bool = False
    lost: bool = False


@dataclass
class Shown:
    """State that the emulator does not keep, or keeps otherwise than GitHub does."""

    tokens: dict[str, Token] = field(default_factory=dict)
    shas: dict[str, str] = field(default_factory=dict)  # real commit → the emulator's
    heads: dict[tuple[str, int], str] = field(default_factory=dict)
    bare: Path | None = None  # repository whose branches are the heads of pull requests that clients open
    statuses: dict[tuple[str, str], list[dict[str, object]]] = field(default_factory=dict)
    annotations: dict[int, list[dict[str, object]]] = field(default_factory=dict)
    assets: dict[int, bytes] = field(default_factory=dict)  # content by id; of an upload that was cut off, a part
    digests: bool = True  # whether files of releases have digests
    cut: set[int] = field(default_factory=set)  # assets whose upload was cut off
    deployments: list[dict[str, object]] = field(default_factory=list)
    settings: dict[str, object] = field(default_factory=dict)  # path → answer
    exchanges: list[Exchange] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    faults: list[object] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def fault(self, method, path):
        with self.lock:
            for fault in self.faults:
                if fault.matches(method, path):
                    fault.times -= 1
                    return fault
        return None

    def tip(self, branch):
        """The newest commit of a branch of the bare repository; empty where there is none."""
        if self.bare is None:
            return ""
        command = ["git", "-C", self.bare, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    def swap(self, data, *, back=False):
        """The same bytes with the emulator's commits instead of the real ones, or the other way round."""
        for real, inner in self.shas.items():
            old, new = (inner, real) if back else (real, inner)
            data = data.replace(old.encode(), new.encode())
        return data


class Proxy(ThreadingHTTPServer):
    """Listens on a free port of the loopback interface; `shown` is what tests look at and change."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.shown = Shown()
        self.inner = 0
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A client that goes away is no news."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def ask(self, method, path, body=b"", secret=""):
        """The emulator's own answer: status, headers, bytes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.inner, timeout=30)
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json", "Host": self.url[7:]}
        try:
            connection.request(method, path, body=body or None, headers=headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self._serve()

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815

    def log_message(self, *_):
        """Tests read exchanges, not a log."""

    def _serve(self):
        shown = self.server.shown
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        token = shown.tokens.get(re.sub(r"^(Bearer|token)\s+", "", self.headers.get("Authorization", "")))
        fault = shown.fault(self.command, parts.path)
        lost = False
        if fault is not None:
            fault.hold()
            if fault.drop == "before":
                self.close_connection = True
                return
            lost = fault.drop in {"after", "half"}
            body = body[: len(body) // 2] if fault.drop == "half" else body
        if fault is not None and fault.status:
            status, headers, words = fault.answer()
            answer = fault.body if fault.body is not None else _error(words)
            injected = True
        else:
            status, headers, answer = self._answer(token, parts, body)
            injected = False
        query = parse_qs(parts.query, keep_blank_values=True)
        sent = {name: value for name, value in self.headers.items() if name.lower() != "authorization"}
        exchange = Exchange(
            self.command,
            parts.path,
            query,
            token.login if token else "",
            status,
            _read(body),
            _read(answer),
            sent,
            injected,
            lost,
        )
        if fault is not None and fault.drop == "half":
            forge_releases.cut_off(self.server, json.loads(answer))
        kinds = self.headers.get("Content-Type"), headers.get("Content-Type", "application/json")
        octets = any(kind and "octet-stream" in kind for kind in kinds)
        wrong = [] if injected or octets else problems(self.command, parts.path, query, body, status, answer)
        with shown.lock:
            shown.exchanges.append(exchange)
            shown.problems += wrong
        if lost:
            self.close_connection = True
            return
        self._send(status, headers, answer)

    def _send(self, status, headers, answer):
        self.send_response(status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _answer(self, token, parts, body):
        """What GitHub would answer: from here where the emulator can't, else from the emulator."""
        path, shown = parts.path, self.server.shown
        if token is None:
            return 401, {}, _error("Bad credentials")
        refused = token.refuses(self.command, path)
        if refused is not None:
            return 403, {}, _error(refused)
        if path in shown.settings:
            return 200, {}, json.dumps(shown.settings[path]).encode()
        self._learn(f"{path} {body!r}")
        given = _read(body)
        if isinstance(given, dict) and len(given.get("body") or "") > BODY_LIMIT:
            return 422, {}, _error(f"Body is too long (maximum is {BODY_LIMIT} characters)")
        with shown.lock:
            if found := re.fullmatch(r"/repos/([^/]+/[^/]+)/(?:statuses/(\w+)|commits/(\w+)/status(es)?)", path):
                return self._statuses(found, given)
            if found := re.fullmatch(r"/repos/[^/]+/[^/]+/check-runs/(\d+)/annotations", path):
                return 200, {}, json.dumps(self._annotations(int(found[1]))).encode()
            if forge_releases.takes(path):
                accept = self.headers.get("Accept", "")
                request = Request(self.command, path, parts.query, shown.swap(body), accept)
                status, headers, answer = forge_releases.answer(self.server, token, request)
                if "Content-Type" not in headers and answer:
                    told = _read(shown.swap(answer, back=True))
                    _amend_bots(told)
                    answer = json.dumps(told).encode()
                return status, headers, answer
        return self._ask(token, path, given, body)

    def _ask(self, token, path, given, body):
        """The emulator's answer, with what it leaves out."""
        shown = self.server.shown
        if shown.bare is not None and (found := re.fullmatch(r"/repos/([^/]+/[^/]+)/pulls/(\d+)/merge", path)):
            if given.get("sha") != shown.heads.get((found[1], int(found[2]))):
                return 409, {}, _error("Head branch was modified. Review and try the merge again.")
            body = b"{}"  # the emulator has no such commit on that branch
        status, headers, answer = self.server.ask(
            self.command, shown.swap(self.path.encode()).decode(), shown.swap(body), token.secret
        )
        kept = {name: value for name, value in headers.items() if name.lower() in {"link", "location"}}
        with shown.lock:
            answer = shown.swap(answer, back=True)
            return status, kept, self._amended(path, status, given, answer)

    def _learn(self, text):
        """Make commits of the bare repository known to the emulator, which has none of them."""
        shown = self.server.shown
        for sha in re.findall(r"\b[0-9a-f]{40}\b", text) if shown.bare is not None else ():
            with shown.lock:
                known = ["git", "-C", shown.bare, "cat-file", "-e", f"{sha}^{{commit}}"]
                if sha not in shown.shas and subprocess.run(known, capture_output=True, check=False).returncode == 0:
                    repository = re.match(r"/repos/[^/]+/[^/]+", self.path)[0]
                    tip = _read(self.server.ask("GET", f"{repository}/commits/main", b"", "inner-acme")[2])
                    given = {"message": sha, "tree": tip["commit"]["tree"]["sha"], "parents": [tip["sha"]]}
                    answer = self.server.ask(
                        "POST", f"{repository}/git/commits", json.dumps(given).encode(), "inner-acme"
                    )
                    shown.shas[sha] = _read(answer[2])["sha"]

    def _amended(self, path, status, given, answer):
        """The emulator's answer, as GitHub gives it."""
        told = _read(answer)
        if status >= 400 or not isinstance(told, dict | list):
            return answer
        if "/pulls" in path:
            for pull in told if isinstance(told, list) else [told]:
                self._amend_pull(pull)
        if "/check-runs" in path:
            runs = told.get("check_runs", [told])
            if self.command != "GET" and isinstance(given, dict):
                new = (given.get("output") or {}).get("annotations") or []
                self.server.shown.annotations.setdefault(told["id"], []).extend(new)
            for run in runs:
                run["output"]["annotations_url"] = f"{run['url']}/annotations"
                run["output"]["annotations_count"] = len(self.server.shown.annotations.get(run["id"], []))
        told = self._completed(path, told)
        _amend_bots(told)
        return json.dumps(told).encode()

    def _amend_pull(self, pull):
        if isinstance(pull, dict) and "head" in pull:
            key = pull["base"]["repo"]["full_name"], pull["number"]
            for label in pull.get("labels", []):
                label["description"] = label["description"] or ""
            shown = self.server.shown
            if pull["state"] == "open" and (tip := shown.tip(pull["head"]["ref"])):
                shown.heads[key] = tip
            pull["head"]["sha"] = shown.heads.get(key, pull["head"]["sha"])

    def _completed(self, path, told):
        """A repository or a branch with what the emulator leaves out; of a branch it names the commit alone."""
        if re.fullmatch(r"/repos/[^/]+/[^/]+", path):
            return {"network_count": 0, "subscribers_count": 0, **told}
        if not re.fullmatch(r"/repos/[^/]+/[^/]+/branches/[^/]+", path):
            return told
        owner = path.rpartition("/branches/")[0]
        commit = _read(self.server.ask("GET", f"{owner}/commits/{told['commit']['sha']}", b"", "inner-acme")[2])
        url = f"{self.server.url}{path}"
        return {"protection": {}, "_links": {"self": url, "html": url}, **told, "commit": commit}

    def _annotations(self, run):
        return [
            {"start_column": None, "end_column": None, "title": None, "raw_details": None, "blob_href": "", **item}
            for item in self.server.shown.annotations.get(run, [])
        ]

    def _statuses(self, found, given):
        """Commit statuses, which the emulator does not have."""
        repository, sha = found[1], found[2] or found[3]
        kept = self.server.shown.statuses.setdefault((repository, sha), [])
        url = f"{self.server.url}/repos/{repository}"
        if self.command == "POST":
            if given.get("state") not in {"error", "failure", "pending", "success"}:
                return 422, {}, _error("Validation Failed")
            if len(given.get("description") or "") > 140:
                return 422, {}, _error("description is too long (maximum is 140 characters)")
            number = 1 + sum(map(len, self.server.shown.statuses.values()))
            moment = "2026-01-01T00:00:00Z"
            made = {
                "url": f"{url}/statuses/{sha}",
                "avatar_url": None,
                "id": number,
                "node_id": str(number),
                "state": given["state"],
                "description": given.get("description"),
                "target_url": given.get("target_url"),
                "context": given.get("context", "default"),
                "created_at": moment,
                "updated_at": moment,
                "creator": None,
            }
            kept.insert(0, made)
            return 201, {}, json.dumps(made).encode()
        if found[4]:
            return 200, {}, json.dumps(kept).encode()
        return 404, {}, _error("Not Found")


def _amend_bots(told):
    for user in _users(told):
        if str(user.get("login", "")).endswith("[bot]"):
            user["type"] = "Bot"
            # An address with brackets is none.
            addresses = [name for name in user if name.endswith("url")]
            user |= {name: user[name].replace("[", "%5B").replace("]", "%5D") for name in addresses}


def _users(told):
    """Every user in an answer."""
    if isinstance(told, dict):
        if "login" in told and "type" in told:
            yield told
        for value in told.values():
            yield from _users(value)
    elif isinstance(told, list):
        for value in told:
            yield from _users(value)


def _error(words):
    return json.dumps({"message": words, "documentation_url": "https://docs.github.com/rest"}).encode()


def _read(data):
    try:
        return json.loads(data) if data else None
    except ValueError:
        return data
