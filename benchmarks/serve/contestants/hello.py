"""The floor: an ASGI application that reads the body and answers a constant, on the server that mlci has."""

from __future__ import annotations

import sys

import uvicorn

BODY = b'{"hello": "world"}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]


async def app(scope, receive, send):  # noqa: ANN001, ANN201, ARG001
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False, lifespan="off")
