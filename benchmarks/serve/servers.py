"""Servers that are started for the benchmark, asked, and ended with all that they have started."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from contestants import Contestant, filled, surroundings
from rows import rows

from mlci.edges.software.load import drive, request
from mlci.edges.software.machine import cpu_seconds

HOST = "127.0.0.1"
ROWS = rows(64)
PATIENCE = 300.0
WRONG = {400, 415, 422, 500}
"""Statuses that waiting doesn't mend; a server that is not ready has others."""


@dataclass(frozen=True)
class Turn:
    """One turn of one server at one concurrency.

    Attributes:
        rate: Requests answered per second.
        p50: Seconds of the median request.
        p99: Seconds that 99 % of the requests stayed below.
        cpu: CPU seconds of all its processes per request.
    """

    rate: float
    p50: float
    p99: float
    cpu: float


class Server:
    """One contestant, running."""

    def __init__(self, contestant: Contestant, python: Path, folder: Path) -> None:
        self.contestant = contestant
        self._folder = folder
        self._port = _free()
        folder.mkdir(parents=True, exist_ok=True)
        self._said = (folder / "said").open("w+")
        self._process = subprocess.Popen(
            filled(contestant, python, self._port, folder),
            cwd=folder,
            env={**os.environ, **surroundings(python)},
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=self._said,
        )
        self._requests = [request(HOST, self._port, contestant.path, contestant.body(row)) for row in ROWS]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        started = self._processes()
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        for pid in started:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._said.close()

    def scores(self) -> list[float]:
        """Its answers to the rows, once it is up. Raises RuntimeError where it does not come up or refuses."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return [self._score(row) for row in ROWS]
            except urllib.error.HTTPError as error:
                with error:
                    problem = f"it answers {error.code}: {error.read()[:200]!r}"
                if error.code in WRONG:
                    raise RuntimeError(problem) from error
            except OSError as error:
                problem = f"it doesn't answer: {error}"
            if time.monotonic() > end or self._process.poll() is not None:
                self._said.seek(0)
                raise RuntimeError(f"{problem}; it said: {self._said.read()[-300:]}")
            time.sleep(0.2)

    def _score(self, row: dict) -> float:
        asked = self.contestant
        address = f"http://{HOST}:{self._port}{asked.path}"
        sent = urllib.request.Request(address, asked.body(row), {"Content-Type": "application/json"})
        with urllib.request.urlopen(sent, timeout=30) as answer:  # noqa: S310 - our own server
            told = json.load(answer)
        return asked.read(told) if asked.read else 0.0

    def turn(self, concurrency: int, seconds: float) -> Turn:
        """Warm it up for a tenth of the time, and then load it."""
        drive(HOST, self._port, self._requests, concurrency=concurrency, seconds=seconds / 10)
        before = self._cpu()
        driven = drive(HOST, self._port, self._requests, concurrency=concurrency, seconds=seconds)
        count, ranked = len(driven.latencies), sorted(driven.latencies)
        return Turn(driven.rate, ranked[count // 2], ranked[int(count * 0.99)], (self._cpu() - before) / count)

    def _cpu(self) -> float:
        return sum(cpu_seconds(pid) or 0.0 for pid in self._processes())

    def _processes(self) -> list[int]:
        """It, and everything that it has started."""
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                with contextlib.suppress(OSError):
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    children.setdefault(parent, []).append(int(entry.name))
        found = [self._process.pid]
        for pid in found:
            found += children.get(pid, [])
        return found


def _free() -> int:
    """A port that nobody listens on, and the next one neither: MLServer takes two."""
    while True:
        with socket.socket() as one, socket.socket() as next_one:
            one.bind((HOST, 0))
            port = one.getsockname()[1]
            with contextlib.suppress(OSError):
                next_one.bind((HOST, port + 1))
                return port
