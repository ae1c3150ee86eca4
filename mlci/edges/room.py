"""Room for arrays that memory may not hold: small ones in memory, long ones in files that vanish with them."""

from __future__ import annotations

import mmap
import os
import tempfile
from math import prod
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import numpy as np

from mlci.errors import WorldError

if TYPE_CHECKING:
    import numpy.typing as npt

_SMALL = 1 << 25
"""Bytes that memory always holds."""


class Room:
    """Makes arrays; the pages of the long ones are the system's to keep or to write out.

    Whenever another long array is made, the pages of the earlier ones stop counting as this process's memory. The
    system still has them as long as nobody needs the memory more.
    """

    def __init__(self) -> None:
        self._long: WeakSet[mmap.mmap] = WeakSet()

    def __call__(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """An array with any content.

        Raises:
            WorldError: The disk is full, or there is no temporary folder.
        """
        size = prod(shape) * np.dtype(dtype).itemsize
        if size <= _SMALL:
            return np.empty(shape, dtype)
        self.rest()
        pages = _pages(size)
        self._long.add(pages)
        return np.ndarray(shape, dtype, buffer=pages)

    def rest(self) -> None:
        """Let go of the pages of all long arrays; what is asked of them comes back."""
        for pages in self._long:
            _let_go(pages)


def _pages(size: int) -> mmap.mmap:
    try:
        with tempfile.TemporaryFile(prefix="mlci-") as file:
            # Without it, a disk that is full would kill the process at some later write.
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.truncate(size)
            return mmap.mmap(file.fileno(), size)
    except OSError as error:
        raise WorldError(
            f"there is no room for {size:,} bytes in {tempfile.gettempdir()}: {error.strerror or error}",
            "free some disk space, or set TMPDIR to a folder that has it",
        ) from error


def _let_go(pages: mmap.mmap) -> None:
    if hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED)
