"""The process that listens: until it is told to end, and then until it has answered."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import uvicorn

from mlci.edges.serve.app import App
from mlci.edges.serve.connection import limited
from mlci.edges.serve.counts import Counts
from mlci.edges.serve.lane import Lane
from mlci.edges.serve.log import open_log
from mlci.edges.serve.service import Service
from mlci.errors import MlciError, WorldError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from pathlib import Path

    from mlci.edges.serve.reloads import Reloads
    from mlci.edges.serve.side import Cast
    from mlci.nouns.serve import Lineup, ServePolicy

    Load = Callable[[Lineup, Executor], Cast]

_BACKLOG = 2048
_LOOK_SECONDS = 1.0


class Worker:
    """One process that answers.

    Args:
        wanted: What to serve.
        load: Makes it ready.
        policy: Limits, and what to keep.
        root: Folder that the log's file begins at.

    Raises:
        WorldError: A model can't be loaded, or the log can't be opened.
    """

    def __init__(self, wanted: Lineup, load: Load, policy: ServePolicy, root: Path) -> None:
        self._load = load
        self._aside = ThreadPoolExecutor(1, "mlci-model")
        cast = load(wanted, self._aside)
        self.service = Service(cast, policy, open_log(policy, root), Counts())
        self._loop: asyncio.AbstractEventLoop | None = None
        self._next: Cast | None = None
        config = uvicorn.Config(
            App(self.service),
            http=limited(
                policy.header_time.total_seconds(), lambda: self.service.cast.current.about, Lane(self.service)
            ),
            ws="none",
            lifespan="off",
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=_BACKLOG,
            timeout_graceful_shutdown=max(int(policy.time.total_seconds()), 1),
        )
        self._server = uvicorn.Server(config)
        self._factory = config.get_loop_factory()

    def run(self, bound: socket.socket) -> None:
        """Answer until `stop`, and then until all is answered."""
        with asyncio.Runner(loop_factory=self._factory) as runner:
            runner.run(self._run(bound))

    async def _run(self, bound: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        looking = asyncio.create_task(self._look())
        await self._server.serve([bound])
        await self.service.settle()
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking

    async def _look(self) -> None:
        while True:
            self.service.look()
            await asyncio.sleep(_LOOK_SECONDS)

    def stop(self) -> None:
        """End, from any thread or a signal's handler."""
        self._server.should_exit = True

    def prepare(self, wanted: Lineup) -> str:
        """Make other models ready beside those that answer; gives what is wrong with them, or nothing."""
        self._next = None
        try:
            cast = self._load(wanted, self._aside)
        except MlciError as error:
            return error.problem
        if cast.current.served.fault:
            return f"{cast.current.served.name} {cast.current.served.version}: {cast.current.served.fault}"
        self._next = cast
        return ""

    def play(self) -> None:
        """Answer by what was prepared: every request that begins from now on."""
        cast, self._next = self._next, None
        if cast is not None and self._loop is not None:
            asyncio.run_coroutine_threadsafe(self._play(cast), self._loop).result()

    async def _play(self, cast: Cast) -> None:
        self.service.play(cast)

    def swap(self, wanted: Lineup) -> str:
        """Both: gives what is wrong with the new models, which then are not served."""
        problem = self.prepare(wanted)
        if not problem:
            self.play()
        return problem

    def note(self, outcome: str, problem: str, *, once: bool = True) -> None:
        """Keep what became of a reload, for whoever asks."""
        self.service.reloaded(outcome, problem, once=once)

    def close(self) -> int:
        """Write what waits, and let go of the threads; gives how many rows the log did not take."""
        self._aside.shutdown()
        return self.service.close()


def listen_alone(
    found: Lineup, load: Load, reloads: Reloads, policy: ServePolicy, root: Path, say: Callable[[str], None]
) -> None:
    """Serve models until SIGTERM or SIGINT; requests that are under way get their answers.

    Args:
        found: What to serve at first.
        load: Makes it ready.
        reloads: Puts other models in their place.
        policy: Where to listen, limits, and what to keep.
        root: Folder that the log's file begins at.
        say: Told where it listens, and what is reloaded.

    Raises:
        PolicyError: The log's URL can't be read.
        WorldError: The address is taken, a model can't be loaded, or the log can't be opened.
    """
    with bind(policy.host, policy.port) as bound:
        worker = Worker(found, load, policy, root)
        lost = 0
        try:
            ending(worker.stop)
            served = worker.service.cast.current.served
            say(f"serving {served.name} {served.version} on {address(bound)}")
            if served.fault:
                say(f"not ready: {served.fault}")
            with reloads.running(worker):
                worker.run(bound)
        finally:
            lost = worker.close()
    say("stopped; everything is answered" + (f", and {lost:,} rows are not written" if lost else " and written"))


def ending(end: Callable[[], None], on: tuple[signal.Signals, ...] = (signal.SIGTERM, signal.SIGINT)) -> None:
    """Have something done at a signal that ends the process.

    uvicorn raises the signal again once it has ended: by then it must not kill us, the log is still open.
    """
    for each in on:
        signal.signal(each, lambda *_: end())


def address(bound: socket.socket) -> str:
    """Where a socket listens, as an address of HTTP."""
    host, port = bound.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises WorldError where the address is taken."""
    try:
        family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(where)
        # Whoever is told the address may connect at once.
        bound.listen(_BACKLOG)
    except OSError as error:
        raise WorldError(
            f"{host}:{port} can't be listened on: {error.strerror}", "name another --host or --port"
        ) from error
    return bound
