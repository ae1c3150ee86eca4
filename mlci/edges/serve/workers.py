"""Several processes that answer on one port, looked after by the one that was started.

They share one listening socket rather than one port each: a connection that waits in it when a worker dies is taken by
another one.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from multiprocessing import connection, get_context
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client.multiprocess import mark_process_dead

from mlci.edges.scratch import scratch
from mlci.edges.serve.counts import FOLDER
from mlci.edges.serve.server import Worker, address, bind, ending
from mlci.errors import MlciError, WorldError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from mlci.edges.serve.reloads import Reloads
    from mlci.edges.serve.server import Load
    from mlci.nouns.serve import Lineup, ServePolicy

_LOOK_SECONDS = 0.2
_ANSWER_SECONDS = 120.0
_LONGEST_PAUSE = 10.0
_SPAWN = get_context("spawn")


class Member:
    """A worker process, and the pipe that it is told by."""

    def __init__(self, process: SpawnProcess, pipe: Connection) -> None:
        self.process = process
        self._pipe = pipe
        self._lock = threading.Lock()

    def tell(self, what: str, *more: object) -> str:
        """Have something done; gives what is wrong with it: nothing, if it is gone."""
        with self._lock:
            try:
                self._pipe.send((what, *more))
                return self.answer()
            except (EOFError, OSError):
                return ""

    def answer(self) -> str:
        """What it says next. Raises EOFError or OSError where it is gone."""
        if not self._pipe.poll(_ANSWER_SECONDS):
            return f"a worker did not answer for {_ANSWER_SECONDS:g} s"
        return str(self._pipe.recv())

    def says_something(self) -> bool:
        """Whether there is an answer, or it is gone."""
        return self._pipe.poll(_LOOK_SECONDS)

    def close(self) -> None:
        """Let go of the pipe, at which the worker ends."""
        self._pipe.close()


class Crew:
    """The workers: as many as the policy says, whichever of them die."""

    def __init__(
        self,
        bound: socket.socket,
        wanted: Lineup,
        load: Load,
        policy: ServePolicy,
        root: Path,
        say: Callable[[str], None],
    ) -> None:
        self._bound = bound
        self._wanted = wanted
        self._begin = (load, policy, root)
        self._policy = policy
        self._say = say
        self._members: list[Member] = []
        self._changing = threading.Lock()
        self.ending = False

    def start(self) -> None:
        """Start them all. Raises WorldError where one can't begin."""
        with self._changing:
            self._members = [self._started() for _ in range(self._policy.workers)]
            problem = next((said for member in self._members if (said := self._ready(member))), "")
        if problem and not self.ending:
            raise WorldError(problem)

    def watch(self) -> None:
        """Put another worker in the place of one that died, until `ending`."""
        pause = 0.0
        while not self.ending:
            connection.wait([member.process.sentinel for member in self._members], _LOOK_SECONDS)
            dead = [member for member in self._members if not member.process.is_alive()]
            if not dead or self.ending:
                continue
            time.sleep(pause)
            with self._changing:
                healthy = all([self._replace(member) for member in dead])  # noqa: C419 - every one, not until the first fails
            pause = 0.0 if healthy else min(2 * pause + _LOOK_SECONDS, _LONGEST_PAUSE)

    def _replace(self, member: Member) -> bool:
        code = member.process.exitcode
        self._forget(member)
        new = self._started()
        self._members[self._members.index(member)] = new
        problem = self._ready(new)
        self._say(f"a worker ended by itself ({code}), and another one {f'fails: {problem}' if problem else 'began'}")
        return not problem

    def _started(self) -> Member:
        ours, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(target=_work, args=(theirs, self._bound, self._wanted, *self._begin))
        process.start()
        theirs.close()
        return Member(process, ours)

    def _ready(self, member: Member) -> str:
        """What is wrong with a worker that was started, once it has said so."""
        while not self.ending:
            if member.says_something():
                try:
                    return member.answer()
                except (EOFError, OSError):
                    return "a worker ended before it could answer"
        return "it is to end"

    def _forget(self, member: Member) -> None:
        member.close()
        member.process.join()
        if member.process.pid is not None:
            mark_process_dead(member.process.pid, os.environ[FOLDER])  # type: ignore[no-untyped-call] # has no types

    def swap(self, wanted: Lineup) -> str:
        """Answer by other models, once all workers have them ready; gives what is wrong with them."""
        with self._changing:
            for member in self._members:
                problem = member.tell("prepare", wanted)
                if problem:
                    return problem
            self._wanted = wanted
            for member in self._members:
                member.tell("play")
        return ""

    def note(self, outcome: str, problem: str) -> None:
        """Keep what became of a reload, for whoever asks any of the workers."""
        with self._changing:
            alive = [member for member in self._members if member.process.is_alive()]
            for place, member in enumerate(alive):
                member.tell("note", outcome, problem, place == 0)

    def stop(self) -> None:
        """End all of them, when they have answered what they were asked."""
        self.ending = True
        with self._changing:
            for member in self._members:
                if member.process.is_alive():
                    member.process.terminate()
            limit = time.monotonic() + self._policy.time.total_seconds() + _LONGEST_PAUSE
            for member in self._members:
                member.process.join(max(limit - time.monotonic(), 0))
                if member.process.is_alive():
                    member.process.kill()
                self._forget(member)


def listen_together(
    found: Lineup, load: Load, reloads: Reloads, policy: ServePolicy, root: Path, say: Callable[[str], None]
) -> None:
    """Serve with several workers until SIGTERM or SIGINT; arguments and errors as for `listen`."""
    with scratch("counts") as counts, bind(policy.host, policy.port) as bound:
        os.environ[FOLDER] = str(counts)
        crew = Crew(bound, found, load, policy, root, say)
        ending(lambda: setattr(crew, "ending", True))
        try:
            crew.start()
            say(f"serving {_name(found)} with {policy.workers} workers on {address(bound)}")
            with reloads.running(crew):
                crew.watch()
        finally:
            crew.stop()
    say("stopped; everything is answered and written")


def _name(found: Lineup) -> str:
    return f"{found.current.name} {found.current.version}".strip() or Path(found.current.path).name


def _work(pipe: Connection, bound: socket.socket, wanted: Lineup, load: Load, policy: ServePolicy, root: Path) -> None:
    """A worker process, from its start to its end."""
    # The one that was started hears these signals, and tells.
    for each in (signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    try:
        worker = Worker(wanted, load, policy, root)
    except MlciError as error:
        pipe.send(error.problem)
        return
    try:
        ending(worker.stop, (signal.SIGTERM,))
        pipe.send("")
        threading.Thread(target=_obey, args=(pipe, worker), name="mlci-told", daemon=True).start()
        worker.run(bound)
    finally:
        worker.close()


def _obey(pipe: Connection, worker: Worker) -> None:
    with suppress(EOFError, OSError):
        while True:
            what, *more = pipe.recv()
            if what == "prepare":
                pipe.send(worker.prepare(*more))
            elif what == "play":
                worker.play()
                pipe.send("")
            else:
                outcome, problem, once = more
                worker.note(outcome, problem, once=once)
                pipe.send("")
    # Whoever started it is gone: without it nobody could end or reload this worker.
    worker.stop()
