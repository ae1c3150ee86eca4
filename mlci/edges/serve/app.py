"""The routes of the server, as an ASGI application."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from mlci import __version__
from mlci.edges.serve import protocol
from mlci.edges.serve.http import HTML, JSON, TEXT, GoneError, RefusedError, read_json, reply, shown
from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mlci.edges.serve.http import Receive, Scope, Send
    from mlci.edges.serve.service import Predicted, Service

_LOGGER = logging.getLogger("mlci.serve")
_ENCODE = msgspec.json.Encoder().encode


class Told(NamedTuple):
    """An answer: its status, its body and what kind of text that is."""

    status: int
    body: bytes
    kind: bytes = JSON


class Request(NamedTuple):
    """What a handler needs of a request."""

    scope: Scope
    receive: Receive
    model: str = ""
    version: str = ""


class Route(NamedTuple):
    """A path's methods, and the name that it is counted by."""

    name: str
    methods: dict[str, Callable[[Request], Awaitable[Told]]]


class App:
    """Answers for one model.

    Args:
        service: The model, its log and its counts.
        openapi: The description of this interface.
        page: The same as a page.
    """

    def __init__(self, service: Service, openapi: bytes, page: bytes) -> None:
        self._service = service
        self._openapi = openapi
        self._page = page
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
        route, asked = self._route(scope["path"])
        name = route.name if route else "unknown"
        headers: tuple[tuple[bytes, bytes], ...] = ()
        try:
            async with asyncio.timeout(self._seconds):
                told = await self._answer(route, Request(scope, receive, *asked))
        except GoneError:
            return
        except RefusedError as error:
            told, headers = Told(error.status, _ENCODE({"error": error.problem, **error.more})), error.headers
        except TimeoutError:
            told = Told(408, _ENCODE({"error": f"the request took longer than {self._seconds:g} s"}))
            headers = ((b"connection", b"close"),)
        except WorldError as error:
            told = Told(500, _ENCODE({"error": error.problem}))
        except Exception:
            _LOGGER.exception("a request failed")
            told = Told(500, _ENCODE({"error": "the server made a mistake; its log tells more"}))
        self._service.counts.answered(name, told.status, time.perf_counter() - begin)
        await reply(send, told.status, told.body, told.kind, headers)

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

    def _known(self, request: Request) -> None:
        served = self._service.served
        if request.model != served.name:
            raise RefusedError(404, f"there is no model {shown(request.model)}; this is {served.name!r}")
        if request.version not in {"", served.version}:
            raise RefusedError(404, f"there is no version {shown(request.version)}; this is {served.version!r}")

    async def _body(self, request: Request) -> Any:  # noqa: ANN401 - JSON can be anything
        return await read_json(request.scope, request.receive, self._service.policy.body)

    async def _docs(self, _: Request) -> Told:
        return Told(200, self._page, HTML)

    async def _describe(self, _: Request) -> Told:
        return Told(200, self._openapi)

    async def _metrics(self, _: Request) -> Told:
        return Told(200, self._service.counts.text(), TEXT)

    async def _server(self, _: Request) -> Told:
        return Told(200, _ENCODE({"name": "mlci", "version": __version__, "extensions": []}))

    async def _live(self, _: Request) -> Told:
        return Told(200, _ENCODE({"live": True}))

    async def _ready(self, _: Request) -> Told:
        fault = self._service.served.fault
        # The protocol asks for a status of 4xx where something isn't ready.
        return Told(400, _ENCODE({"ready": False, "error": fault})) if fault else Told(200, _ENCODE({"ready": True}))

    async def _model_ready(self, request: Request) -> Told:
        self._known(request)
        fault = self._service.served.fault
        told = {"name": request.model, "ready": not fault}
        return Told(400, _ENCODE({**told, "error": fault})) if fault else Told(200, _ENCODE(told))

    async def _metadata(self, request: Request) -> Told:
        self._known(request)
        return Told(200, _ENCODE(protocol.metadata(self._service.served)))

    async def _infer(self, request: Request) -> Told:
        self._known(request)
        asked = await self._body(request)
        columns, wanted = protocol.columns_of(self._service, asked)
        predicted = await self._service.predict(columns)
        return Told(200, _ENCODE(protocol.answer(self._service, predicted, wanted, asked.get("id"))))

    async def _predict(self, request: Request) -> Told:
        asked = await self._body(request)
        rows = asked if isinstance(asked, list) else [asked]
        predicted = await self._service.predict(self._service.fields.of_rows(rows))
        served = self._service.served
        about = {"model": served.name, "version": served.version, "commit": served.commit}
        told = [self._row(predicted, place) for place in range(len(rows))]
        return Told(200, _ENCODE({**about, "predictions": told} if isinstance(asked, list) else {**told[0], **about}))

    def _row(self, predicted: Predicted, place: int) -> dict[str, Any]:
        scores = dict(zip(self._service.score_columns, predicted.scores[place], strict=True))
        return {"id": predicted.ids[place], "prediction": predicted.predictions[place], "scores": scores}

    async def _feedback(self, request: Request) -> Told:
        asked = await self._body(request)
        told = await self._service.feedback(asked)
        return Told(200, _ENCODE({"labels": told} if isinstance(asked, list) else told[0]))
