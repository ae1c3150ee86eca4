"""The routes of the server, as an ASGI application."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from mlci import __version__
from mlci.edges.serve import protocol
from mlci.edges.serve.http import HTML, JSON, TEXT, GoneError, RefusedError, read_body, read_json, reply, shown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mlci.edges.serve.fields import Columns
    from mlci.edges.serve.http import Receive, Scope, Send
    from mlci.edges.serve.service import Predicted, Service
    from mlci.edges.serve.side import Cast, Role, Side

_LOGGER = logging.getLogger("mlci.serve")
_ENCODE = msgspec.json.Encoder().encode
_SERVER_FAULT = 500
REQUESTER = b"mlci-requester"
"""Header that tells whom an answer is for, so that one asker is always answered by the same model."""


class Told(NamedTuple):
    """An answer: its status, its body, what kind of text that is, whose it is, and what is done once it is sent."""

    status: int
    body: bytes
    kind: bytes = JSON
    side: Side | None = None
    behind: Callable[[], None] | None = None


class Request(NamedTuple):
    """What a handler needs of a request: who has sent what, its id, and the models that are served as it begins."""

    scope: Scope
    receive: Receive
    id: str
    cast: Cast
    model: str = ""
    version: str = ""


class Route(NamedTuple):
    """A path's methods, and the name that it is counted by."""

    name: str
    methods: dict[str, Callable[[Request], Awaitable[Told]]]


class App:
    """Answers for the models that are served."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._seconds = service.policy.time.total_seconds()
        self._fixed = {
            "/": Route("/", {"GET": self._docs}),
            "/docs": Route("/docs", {"GET": self._docs}),
            "/openapi.json": Route("/openapi.json", {"GET": self._describe}),
            "/metrics": Route("/metrics", {"GET": self._metrics}),
            "/predict": Route("/predict", {"POST": self._predict}),
            "/feedback": Route("/feedback", {"POST": self._feedback}),
            "/v2": Route("/v2", {"GET": self._server}),
            "/v2/health/live": Route("/v2/health/live", {"GET": self._live}),
            "/v2/health/ready": Route("/v2/health/ready", {"GET": self._ready}),
        }
        self._of_model = {
            "": Route("/v2/models/{name}", {"GET": self._metadata}),
            "ready": Route("/v2/models/{name}/ready", {"GET": self._model_ready}),
            "infer": Route("/v2/models/{name}/infer", {"POST": self._infer}),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        begin = time.perf_counter()
        name = f"{int(time.time() * 1000):011x}{secrets.token_hex(10)}"
        route, asked = self._route(scope["path"])
        cast = self._service.cast
        headers: tuple[tuple[bytes, bytes], ...] = ()
        try:
            async with asyncio.timeout(self._seconds):
                told = await self._answer(route, Request(scope, receive, name, cast, *asked))
        except GoneError:
            return
        except RefusedError as error:
            told, headers = refusal(error, cast.current, name), error.headers
        except TimeoutError:
            over = late(self._seconds)
            told, headers = refusal(over, cast.current, name), over.headers
        except Exception:
            _LOGGER.exception("request %s failed", name)
            told = refusal(mistake(), cast.current, name)
        self._service.counts.answered(route.name if route else "unknown", told.status, time.perf_counter() - begin)
        about = (told.side or cast.current).headers
        await reply(send, told.status, told.body, told.kind, (*about, (b"mlci-request", name.encode()), *headers))
        if told.behind is not None:
            told.behind()

    async def _answer(self, route: Route | None, request: Request) -> Told:
        if route is None:
            raise RefusedError(404, f"there is no {shown(request.scope['path'])}; see /openapi.json")
        method = request.scope["method"]
        handler = route.methods.get("GET" if method == "HEAD" else method)
        if handler is None:
            allowed = ", ".join(route.methods)
            raise RefusedError(405, f"{route.name} takes {allowed}", headers=((b"allow", allowed.encode()),))
        return await handler(request)

    def _route(self, path: str) -> tuple[Route | None, tuple[str, ...]]:
        if path in self._fixed:
            return self._fixed[path], ()
        parts = path.split("/")
        if parts[:3] != ["", "v2", "models"] or len(parts) < 4:  # noqa: PLR2004 - /v2/models/NAME
            return None, ()
        name, rest = parts[3], parts[4:]
        version = ""
        if rest[:1] == ["versions"] and len(rest) > 1:
            version, rest = rest[1], rest[2:]
        route = self._of_model.get("/".join(rest))
        return route, (name, version) if route else ()

    def _known(self, request: Request) -> Side:
        """The model that a path names. Raises RefusedError where there is none such."""
        current, canary = request.cast.current, request.cast.canary
        for side in (current, canary):
            if side is None or request.model != side.served.name:
                continue
            if request.version in {"", side.served.version}:
                return side
        served = current.served
        if request.model != served.name:
            raise RefusedError(404, f"there is no model {shown(request.model)}; this is {served.name!r}")
        raise RefusedError(404, f"there is no version {shown(request.version)}; this is {served.version!r}")

    async def _body(self, request: Request) -> bytes:
        return await read_body(request.scope, request.receive, self._service.policy.body)

    async def _docs(self, request: Request) -> Told:
        return Told(200, request.cast.page, HTML)

    async def _describe(self, request: Request) -> Told:
        return Told(200, request.cast.openapi)

    async def _metrics(self, _: Request) -> Told:
        self._service.look()
        return Told(200, self._service.counts.text(), TEXT)

    async def _server(self, _: Request) -> Told:
        return Told(200, _ENCODE({"name": "mlci", "version": __version__, "extensions": []}))

    async def _live(self, _: Request) -> Told:
        return Told(200, _ENCODE({"live": True}))

    async def _ready(self, request: Request) -> Told:
        refused = self._service.refused
        return _readiness(
            {"ready": True, "id": request.id, **({"refused": refused} if refused else {})}, request.cast.current
        )

    async def _model_ready(self, request: Request) -> Told:
        side = self._known(request)
        return _readiness({"name": request.model, "ready": True, "id": request.id}, side)

    async def _metadata(self, request: Request) -> Told:
        side = self._known(request)
        versions = [each.served.version for each in (request.cast.current, request.cast.canary) if each is not None]
        return Told(200, _ENCODE(protocol.metadata(side.served, versions)), side=side)

    async def _infer(self, request: Request) -> Told:
        named = self._known(request)
        asked = read_json(await self._body(request))
        columns, wanted = protocol.columns_of(named, asked)
        asked_for = named if request.version or named is not request.cast.current else None
        predicted = await self._ask(request, columns, asked_for)
        behind = self._behind(request, columns, predicted)
        told = protocol.answer(predicted, wanted, asked.get("id"))
        return Told(200, _ENCODE(told), side=predicted.side, behind=behind)

    async def _predict(self, request: Request) -> Told:
        columns, many = request.cast.current.fields.of_body(await self._body(request))
        predicted = await self._ask(request, columns, None)
        about, told = _about(predicted), [_row(predicted, place) for place in range(len(predicted.ids))]
        body = {**about, "predictions": told} if many else {**told[0], **about}
        behind = self._behind(request, columns, predicted)
        return Told(200, _ENCODE(body), side=predicted.side, behind=behind)

    async def _ask(self, request: Request, columns: Columns, named: Side | None) -> Predicted:
        """The answer of the model that was named, else of the current one or the canary."""
        cast = request.cast
        side = cast.current
        role: Role = "current"
        if cast.canary is not None:
            if named is not None:
                side, role = named, "named"
            elif cast.falls_to_canary(_requester(request.scope, columns)):
                side, role = cast.canary, "canary"
        return await self._service.predict(side, role, columns, request.id)

    def _behind(self, request: Request, columns: Columns, predicted: Predicted) -> Callable[[], None] | None:
        """What is to be done once the answer is sent."""
        shadow = request.cast.shadow
        if shadow is None or predicted.side is not request.cast.current:
            return None
        return partial(self._service.follow, predicted, columns, shadow)

    async def _feedback(self, request: Request) -> Told:
        asked = read_json(await self._body(request))
        told = await self._service.feedback(asked)
        return Told(200, _ENCODE({"labels": told} if isinstance(asked, list) else told[0]))


def _about(predicted: Predicted) -> dict[str, Any]:
    return predicted.side.about if predicted.logged else {**predicted.side.about, "logged": False}


def _row(predicted: Predicted, place: int) -> dict[str, Any]:
    scores = dict(zip(predicted.side.score_columns, predicted.scores[place], strict=True))
    return {"id": predicted.ids[place], "prediction": predicted.predictions[place], "scores": scores}


def _requester(scope: Scope, columns: Columns) -> bytes:
    """Whom an answer is for; where nobody says it, equal rows are one."""
    said = next((value for name, value in scope["headers"] if name == REQUESTER), b"")
    return bytes(said) or _ENCODE(columns)


def _readiness(told: dict[str, Any], side: Side) -> Told:
    told |= side.about
    if not side.served.fault:
        return Told(200, _ENCODE(told), side=side)
    # The protocol asks for a status of 4xx where something isn't ready.
    return Told(400, _ENCODE({**told, "ready": False, "error": side.served.fault}), side=side)


def late(seconds: float) -> RefusedError:
    """What whoever waited too long is told."""
    said = f"the request took longer than the {seconds:g} s that are allowed"
    return RefusedError(408, said, headers=((b"connection", b"close"),))


def mistake() -> RefusedError:
    """What is told of a fault of ours."""
    return RefusedError(_SERVER_FAULT, "the server made a mistake; its log tells more")


def refusal(error: RefusedError, side: Side, request: str) -> Told:
    """The answer that a request gets instead of a prediction."""
    return Told(error.status, _ENCODE({"error": error.problem, **error.more, "id": request, **side.about}))
