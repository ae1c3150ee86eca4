"""Run the commands of stages, quietly, and end them with us."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

from mlci.errors import WorldError

if TYPE_CHECKING:
    from pathlib import Path

    from mlci.edges.dvc_pipeline import Step

_LAST_LINES = 15
_PATIENCE = 5.0


class Stopped(Exception):  # noqa: N818 - it is no error
    """The run was asked to end."""


class Runner:
    """Runs commands in process groups of their own, from any thread, until it is told to stop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[Any]] = set()
        self._stopped = False

    def run(self, step: Step, root: Path, log: Path) -> None:
        """Run a stage's commands in its folder; what they print goes to a file.

        Args:
            step: The stage; nothing that it writes is there yet.
            root: Of the DVC repository that it runs in.
            log: File for what they print.

        Raises:
            WorldError: A command failed; with the last lines that it printed.
            Stopped: `stop` was called.
        """
        for out in step.outs:
            out.parent.mkdir(parents=True, exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DVC_EXP_")}
        environment |= {"DVC_ROOT": str(root), "DVC_STAGE": step.name}
        # The shell that DVC would take.
        shell = os.environ.get("SHELL") or "/bin/sh"
        for command in step.commands:
            with log.open("wb") as printed:
                code = self._one([shell, "-c", command], cwd=step.folder, env=environment, stdout=printed)
            if code != 0:
                raise WorldError(f"stage `{step.name}` failed with exit code {code}:\n{_end_of(log)}")

    def _one(self, words: list[str], **how: Any) -> int:  # noqa: ANN401 - arguments of Popen
        with self._lock:
            if self._stopped:
                raise Stopped
            process = subprocess.Popen(  # noqa: S603 - the user's own command, as DVC runs it
                words, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, start_new_session=True, **how
            )
            self._running.add(process)
        try:
            code = process.wait()
        finally:
            with self._lock:
                self._running.discard(process)
        if self._stopped:
            raise Stopped
        return code

    def stop(self) -> None:
        """End everything that runs, and start nothing more."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for process in running:
            _signal(process, signal.SIGTERM)
        end = time.monotonic() + _PATIENCE
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, end - time.monotonic()))
            # Whatever the command started is of its group, and may have outlived it.
            _signal(process, signal.SIGKILL)


def _signal(process: subprocess.Popen[Any], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _end_of(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(f"    {line}" for line in lines[-_LAST_LINES:])
