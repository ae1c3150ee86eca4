"""Models behind servers that were started for it, in turns."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import time
from typing import IO, TYPE_CHECKING, Self

from mlci.edges.scratch import scratch
from mlci.edges.software.load import drive, request
from mlci.edges.software.machine import cpu_seconds, peak_memory
from mlci.errors import WorldError
from mlci.nouns.software import Numbers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlci.edges.software.rows import Row

_HOST = "127.0.0.1"
_WARM, _BLOCK, _BLOCKS = 0.05, 0.15, 4
_PATIENCE = 30.0


def serving_of(models: Sequence[Path], rows: Sequence[Sequence[Row]], concurrency: int) -> list[Numbers]:
    """Start a server for each model, one after the other, and let them answer in turns.

    Args:
        models: One or two; the one named first begins.
        rows: Of each.
        concurrency: Requests under way at once.

    Raises:
        WorldError: A server does not start or answer.
    """
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(_Server(*each)) for each in zip(models, rows, strict=True)]
        for server in servers:
            server.drive(concurrency, _WARM, count=False)
        for block in range(_BLOCKS):
            for server in servers if block % 2 == 0 else reversed(servers):
                server.drive(concurrency, _BLOCK)
        return [server.numbers() for server in servers]


class _Server:
    """`mlci serve` of one model, without a log."""

    def __init__(self, model: Path, rows: Sequence[Row]) -> None:
        self._model = model
        self._bodies = [json.dumps(row).encode() for row in rows]
        self._requests: list[bytes] = []
        self._answered, self._seconds, self._cpu = 0, 0.0, 0.0
        self._told = True

    def __enter__(self) -> Self:
        self._ends = contextlib.ExitStack()
        folder = self._ends.enter_context(scratch("budgets"))
        command = [sys.executable, "-m", "mlci", "serve", str(self._model.resolve()), "-C", str(folder)]
        begin = time.perf_counter()
        self._process = subprocess.Popen(  # noqa: S603 - ourselves
            [*command, "--host", _HOST, "--port", "0", "--log", "none"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            self._port = self._address()
            self._requests = [request(_HOST, self._port, "/predict", body) for body in self._bodies]
            drive(_HOST, self._port, self._requests[:1], concurrency=1, seconds=0)
            self._start = time.perf_counter() - begin
            self._start_cpu = cpu_seconds(self._process.pid)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._stderr.close()
        self._ends.close()

    @property
    def _stderr(self) -> IO[str]:
        assert self._process.stderr is not None  # noqa: S101 - it is a pipe
        return self._process.stderr

    def _address(self) -> int:
        said = []
        for line in self._stderr:
            if found := re.search(r" on http://\S+:(\d+)", line):
                return int(found[1])
            said.append(line.strip())
        raise WorldError(f"the server of {self._model} did not start: {' '.join(said)[-300:]}")

    def drive(self, concurrency: int, seconds: float, *, count: bool = True) -> None:
        """Send requests for some time."""
        before = cpu_seconds(self._process.pid)
        driven = drive(_HOST, self._port, self._requests, concurrency=concurrency, seconds=seconds)
        after = cpu_seconds(self._process.pid)
        if not count:
            return
        self._answered += len(driven.latencies)
        self._seconds += driven.seconds
        if before is None or after is None:
            self._told = False
        else:
            self._cpu += after - before

    def numbers(self) -> Numbers:
        """What was measured so far."""
        return Numbers(
            throughput=self._answered / self._seconds,
            cold_start=self._start,
            memory=peak_memory(self._process.pid),
            # A hundredth second is the least that is told: none at all would be no price.
            cpu=max(self._cpu, 0.01) / self._answered if self._told else None,
            cpu_start=self._start_cpu,
        )
