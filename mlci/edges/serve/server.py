"""The process that listens: until it is told to end, and then until it has answered."""

from __future__ import annotations

import signal
import socket
from typing import TYPE_CHECKING

import uvicorn

from mlci.edges.serve.app import App
from mlci.edges.serve.counts import Counts
from mlci.edges.serve.log import PredictionLog
from mlci.edges.serve.service import Service
from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlci.edges.onnx.session import OnnxModel
    from mlci.nouns.serve import Served, ServePolicy

_BACKLOG = 2048


def listen(
    model: OnnxModel,
    served: Served,
    policy: ServePolicy,
    log: Path | None,
    pages: tuple[bytes, bytes],
    say: Callable[[str], None],
) -> None:
    """Serve a model until SIGTERM or SIGINT; requests that are under way get their answers.

    Args:
        model: The model.
        served: What the server says of it.
        policy: Where to listen, limits, and what to keep.
        log: The file to keep predictions in; None: nowhere.
        pages: The description of the interface for machines, and as a page.
        say: Told where it listens.

    Raises:
        WorldError: The address is taken, or the log can't be opened.
    """
    bound = _bind(policy.host, policy.port)
    with bound:
        service = Service(model, served, policy, PredictionLog(log) if log is not None else None, Counts(served))
        try:
            config = uvicorn.Config(
                App(service, *pages),
                lifespan="off",
                log_level="warning",
                access_log=False,
                server_header=False,
                backlog=_BACKLOG,
                timeout_graceful_shutdown=max(int(policy.time.total_seconds()), 1),
            )
            server = uvicorn.Server(config)

            def end(*_: object) -> None:
                server.should_exit = True

            # uvicorn raises the signal again once it has ended: by then it must not kill us, the log is still open.
            for each in (signal.SIGTERM, signal.SIGINT):
                signal.signal(each, end)
            host, port = bound.getsockname()[:2]
            say(f"serving {served.name} {served.version} on http://{f'[{host}]' if ':' in host else host}:{port}")
            if served.fault:
                say(f"not ready: {served.fault}")
            server.run([bound])
        finally:
            service.close()
    say("stopped; everything is answered and written")


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        # Whoever is told the address may connect at once.
        bound.listen(_BACKLOG)
    except OSError as error:
        raise WorldError(
            f"{host}:{port} can't be listened on: {error.strerror}", "name another --host or --port"
        ) from error
    return bound
