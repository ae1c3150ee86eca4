"""The embedded engine: a DuckDB session within a memory limit that reads only the files it was given."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from mlci.edges.scratch import scratch
from mlci.errors import MemoryLimitError, MlciError, WorldError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import FrameType

    from mlci.nouns.engine import Engine

_UNLOCKED: dict[str, str | bool | int | float | list[str]] = {
    # Nothing is fetched from the network because a query seems to need it.
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    # No answer of ours depends on the order of rows, and keeping it costs memory.
    "preserve_insertion_order": False,
}

_asking: list[duckdb.DuckDBPyConnection] = []
"""Connections and cursors of this process that may have a query."""


@contextmanager
def session(
    engine: Engine, *, reads: Sequence[Path | str] | None = None, writes: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory database that spills to a temporary folder, which is removed at the end.

    Args:
        engine: Memory limit and threads.
        reads: Absolute paths of the only files that queries may read, so that SQL written in a policy can't read
            others; None for no such lock.
        writes: Folder that queries may write to, where there is a lock.

    Raises:
        WorldError: The engine can't start, for example because no temporary folder can be made.
    """
    with scratch("duckdb") as spill:
        config = {**_UNLOCKED, "memory_limit": f"{engine.memory}B", "temp_directory": str(spill)}
        if engine.threads is not None:
            config["threads"] = engine.threads
        with duckdb.connect(config=config) as connection, interrupted_by_signals(connection):
            # Of other cursors of this database too.
            connection.execute("SET GLOBAL TimeZone = 'UTC'")
            # It would write into the report that goes to the terminal.
            connection.execute("SET enable_progress_bar = false")
            if reads is not None:
                _lock(connection, reads, writes)
            yield connection


@contextmanager
def interrupted_by_signals(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let a signal that unwinds the process end the queries first, which would go on in their own threads."""
    _asking.append(connection)
    try:
        if threading.current_thread() is threading.main_thread():
            with _unwinding():
                yield
        else:
            yield
    finally:
        _asking.remove(connection)


@contextmanager
def _unwinding() -> Iterator[None]:
    told: list[BaseException] = []
    found = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    before = {each: handler for each, handler in found.items() if callable(handler)}

    def end(number: int, frame: FrameType | None) -> None:
        for each in tuple(_asking):
            each.interrupt()
        try:
            before[signal.Signals(number)](number, frame)
        except BaseException as ending:
            told.append(ending)
            raise

    for each in before:
        signal.signal(each, end)
    try:
        yield
    except BaseException:
        # The engine only says that its query was interrupted.
        if told:
            raise told[0] from None
        raise
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _lock(connection: duckdb.DuckDBPyConnection, reads: Sequence[Path | str], writes: Path | None) -> None:
    connection.execute(
        "SET allowed_paths = ?", [sorted({glob_escaped(path) for path in reads} | {str(path) for path in reads})]
    )
    if writes is not None:
        connection.execute("SET allowed_directories = ?", [[f"{writes}/"]])
    # Examples are read in the order of the file; everything else is quicker without.
    connection.execute("SET allowed_configs = ['preserve_insertion_order']")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def glob_escaped(path: Path | str) -> str:
    """The path, so that the engine takes it for a name even where it holds `*`, `?` or `[`."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in str(path))


def first_line(error: Exception) -> str:
    """The engine's message without its kind, its stack and its copy of the query."""
    text = str(error).strip().splitlines()
    line = text[0] if text else type(error).__name__
    return line.partition(": ")[2] or line


_PLAINER = (
    ("No magic bytes", "it is no whole Parquet file, and may be cut off"),
    ("too small to be a Parquet", "it is no whole Parquet file, and may be cut off"),
    ("Invalid data", "its content is corrupt"),
    ("Error when sniffing", "its rows do not have the same number of fields, or a quote is left open"),
    ("Unexpected end of GZIP", "it is cut off"),
)
"""What the engine says of a broken file, and what that means."""


def world_error(error: duckdb.Error, what: str) -> MlciError:
    """What the engine's complaint about a file means to a user.

    Args:
        error: The engine's exception.
        what: The table and its path, to begin the message with.
    """
    line = first_line(error)
    line = next((plain for said, plain in _PLAINER if said in line), line)
    if isinstance(error, duckdb.OutOfMemoryException):
        return MemoryLimitError(
            f"{what} needs more memory than the limit allows: {line}",
            "Raise `mlci.engine.memory` in the policy, or free disk space for spilling (TMPDIR).",
        )
    if isinstance(error, duckdb.IOException | duckdb.HTTPException):
        return WorldError(f"{what} can't be read: {line}", "Write the file again, or fetch it again with `dvc pull`.")
    return WorldError(
        f"{what} can't be read: {line}", "Repair the file, or write it as Parquet, which carries its types."
    )
