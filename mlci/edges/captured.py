"""What programs write while they run: passed on to stderr as it comes, and its end kept."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEPT = 64_000
_LONGEST = 300
_ESCAPE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)")
_WAIT = 2.0
_STDOUT, _STDERR = 1, 2


class Tail:
    """The last bytes of an output."""

    def __init__(self) -> None:
        self._kept = bytearray()

    def add(self, chunk: bytes) -> None:
        """Keep what came, and forget what is too long ago."""
        self._kept += chunk
        del self._kept[:-_KEPT]

    def lines(self, most: int) -> tuple[str, ...]:
        """The last lines that say something, without colours, control characters and what is too long to read."""
        text = _ESCAPE.sub("", self._kept.decode("utf-8", "replace")).replace("\r", "\n").expandtabs()
        lines = ["".join(char for char in line if char.isprintable()).rstrip() for line in text.split("\n")]
        return tuple(line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…" for line in lines if line)[-most:]


@contextlib.contextmanager
def captured(tail: Tail) -> Iterator[None]:
    """Send stdout and stderr of this process, and of those that it starts, to stderr, and keep their end.

    stdout is for the outcome alone, so that `--json` stays JSON whatever a stage prints.

    Args:
        tail: Told all of it; good to read once the block has ended, however it did.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    reader, writer = os.pipe()
    saved = os.dup(_STDOUT), os.dup(_STDERR)
    for stream in (_STDOUT, _STDERR):
        os.dup2(writer, stream)
    os.close(writer)
    pump = threading.Thread(target=_pump, args=(reader, os.dup(saved[1]), tail), daemon=True)
    pump.start()
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for stream, original in zip((_STDOUT, _STDERR), saved, strict=True):
            os.dup2(original, stream)
            os.close(original)
        # A program left behind in the background may hold the pipe open for ever.
        pump.join(_WAIT)


@contextlib.contextmanager
def quiet_stdout() -> Iterator[None]:
    """Send what libraries print, and what programs that they start print, to stderr: stdout is for the outcome."""
    sys.stdout.flush()
    saved = os.dup(_STDOUT)
    os.dup2(_STDERR, _STDOUT)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(saved, _STDOUT)
        os.close(saved)


def _pump(reader: int, out: int, tail: Tail) -> None:
    try:
        while chunk := os.read(reader, 65_536):
            tail.add(chunk)
            with contextlib.suppress(OSError):
                os.write(out, chunk)
    finally:
        os.close(reader)
        os.close(out)
