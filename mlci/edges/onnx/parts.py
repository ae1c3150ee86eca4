"""A large Parquet table in parts, each of them whole, and work on its batches side by side."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from mlci.edges.files import replaced, unwritable
from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

_T = TypeVar("_T")
_R = TypeVar("_R")
_LOCK = "in-use"


def in_order(work: Callable[[_T], _R], items: Iterable[_T], workers: int) -> Iterator[_R]:
    """The results in the order of the items, of which no more are under way than keep the workers busy."""
    if workers <= 1:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(workers) as pool:
        futures = deque[Future[_R]]()
        try:
            for item in items:
                futures.append(pool.submit(work, item))
                if len(futures) > workers:
                    yield futures.popleft().result()
            while futures:
                yield futures.popleft().result()
        finally:
            for future in futures:
                future.cancel()


@contextlib.contextmanager
def parts_folder(place: Path, *, kept: bool) -> Iterator[Path]:
    """A folder for parts: `place` itself, which no other process uses meanwhile, or a new one in it that vanishes.

    Raises:
        WorldError: Another process works there, or the folder cannot be written.
    """
    with contextlib.ExitStack() as ends:
        try:
            place.mkdir(parents=True, exist_ok=True)
            if not kept:
                yield Path(ends.enter_context(tempfile.TemporaryDirectory(dir=place, prefix=".parts-")))
                return
            fcntl.flock(ends.enter_context((place / _LOCK).open("w")), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WorldError("the same rows are being scored by another process", "wait for its end") from error
        except OSError as error:
            raise unwritable(place, error) from error
        yield place


class Parts:
    """Parts of a table in a folder: `00000.parquet`, `00001.parquet`, …; only whole ones are ever there.

    To be used in a `with`, whose end finishes the part that is open, or drops it where an error ended it.

    Args:
        folder: Where they are; what is there already counts.
        rows: Rows of each but the last.
    """

    def __init__(self, folder: Path, rows: int) -> None:
        self._folder = folder
        self._part_rows = rows
        self._open: tuple[pq.ParquetWriter, contextlib.ExitStack] | None = None
        self._written = 0
        self.files: list[Path] = []
        while (file := folder / f"{len(self.files):05}.parquet").exists() and self._whole(file):
            self.files.append(file)
        self.rows = rows * len(self.files)
        """Rows so far."""

    def write(self, table: pa.Table) -> None:
        """Add rows, which must not reach across the end of a part."""
        if self._open is None:
            ends = contextlib.ExitStack()
            temporary = ends.enter_context(replaced(self._folder / f"{len(self.files):05}.parquet"))
            self._open = pq.ParquetWriter(temporary, table.schema, compression="zstd"), ends
        self._open[0].write_table(table)
        self._written += table.num_rows
        self.rows += table.num_rows
        if self._written >= self._part_rows:
            self.close()

    def close(self) -> None:
        """Finish the part that is open."""
        self.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open is None:
            return
        writer, ends = self._open
        self._open, self._written = None, 0
        writer.close()
        ends.__exit__(kind, error, trace)
        if error is None:
            self.files.append(self._folder / f"{len(self.files):05}.parquet")

    def join(self, path: Path) -> tuple[str, ...]:
        """Make one file of the parts, or move them into the folder `path` if it has no ending; gives the columns.

        Raises:
            WorldError: It can't be written.
        """
        columns = tuple(pq.read_schema(self.files[0]).names)
        if path.suffix:
            with replaced(path) as temporary:
                self._append_all(temporary)
            return columns
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as beside:
                new, old = Path(beside) / "new", Path(beside) / "old"
                new.mkdir()
                for file in self.files:
                    shutil.move(file, new / file.name)
                if path.exists():
                    path.rename(old)
                new.rename(path)
        except OSError as error:
            raise unwritable(path, error) from error
        return columns

    def _append_all(self, target: Path) -> None:
        if len(self.files) == 1:
            shutil.move(self.files[0], target)
            return
        with pq.ParquetWriter(target, pq.read_schema(self.files[0]), compression="zstd") as writer:
            for part in self.files:
                with pq.ParquetFile(part) as file:
                    for group in range(file.num_row_groups):
                        writer.write_table(file.read_row_group(group))

    def _whole(self, file: Path) -> bool:
        """Whether it is a whole part; the last one may be shorter and is made again."""
        try:
            return int(pq.read_metadata(file).num_rows) == self._part_rows
        except (OSError, pa.ArrowException):
            return False
