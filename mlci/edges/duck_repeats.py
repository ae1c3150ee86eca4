"""Values that come more than once in a column of files of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

from mlci.edges.duck import glob_escaped, session, world_error
from mlci.nouns.engine import Engine
from mlci.nouns.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


_MEMORY = 150_000_000
"""Bytes to group the values in; what does not fit is spilled."""


class Repeated(NamedTuple):
    """How many values come more than once, and the first few of them."""

    values: int
    some: tuple[Any, ...]


def repeated_values(files: Sequence[Path], column: str, *, most: int = 3) -> Repeated:
    """Find the values that come more than once in Parquet files, within the engine's memory.

    Raises:
        WorldError: A file cannot be read, or the disk does not suffice for what does not fit into memory.
    """
    listed = ", ".join(literal(glob_escaped(file.absolute())) for file in files)
    name = identifier(column)
    again = f"SELECT {name} AS again FROM read_parquet([{listed}]) GROUP BY 1 HAVING count(*) > 1"
    with session(Engine(memory=_MEMORY)) as connection:
        try:
            found = connection.execute(
                f"SELECT count(*), list(again ORDER BY again::VARCHAR)[:{most}] FROM ({again})"
            ).fetchall()
        except duckdb.Error as error:
            raise world_error(error, str(files[0])) from error
    values, some = found[0]
    return Repeated(values, tuple(some or ()))
