"""Fetch what the statistics of a reference are made of, and keep them in files."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import duckdb
from pydantic import ValidationError

from mlci.edges.duck import world_error
from mlci.edges.files import replaced
from mlci.errors import WorldError
from mlci.nouns.reference import ReferenceStatistics

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from mlci.edges.tables import TableFiles

_FORM = "1"
"""Raised when the statistics are computed in another way, so that none of the old ones is taken from the cache."""


def fetch_numbers(connection: duckdb.DuckDBPyConnection, sql: str, path: str) -> NDArray[np.float64]:
    """The values of a statement's only column.

    Raises:
        WorldError: The table cannot be read.
    """
    from numpy.ma import getdata  # noqa: PLC0415 - a table without drift does without NumPy

    try:
        columns = connection.execute(sql).fetchnumpy()
    except duckdb.Error as error:
        raise world_error(error, path) from error
    return getdata(next(iter(columns.values()))).astype("float64", copy=False)


def fetch_rows(connection: duckdb.DuckDBPyConnection, sql: str, path: str) -> Sequence[tuple[Any, ...]]:
    """The rows of a statement.

    Raises:
        WorldError: The table cannot be read.
    """
    try:
        return connection.execute(sql).fetchall()
    except duckdb.Error as error:
        raise world_error(error, path) from error


def read_reference(file: Path, path: str) -> ReferenceStatistics:
    """Statistics from a file that `write_reference` wrote.

    Raises:
        WorldError: It cannot be read, or holds something else.
    """
    mend = "Write it again with `mlci data infer --reference`."
    try:
        return ReferenceStatistics.model_validate_json(file.read_bytes())
    except FileNotFoundError as error:
        raise WorldError(f"{path} does not exist", mend) from error
    except OSError as error:
        raise WorldError(f"{path} can't be read: {error.strerror}", mend) from error
    except ValidationError as error:
        raise WorldError(f"{path} holds no statistics of a reference", mend) from error


def write_reference(statistics: ReferenceStatistics, file: Path) -> None:
    """Keep statistics in a file.

    Raises:
        WorldError: The file cannot be written.
    """
    with replaced(file) as temporary:
        temporary.write_text(statistics.model_dump_json() + "\n", encoding="utf-8")


def cached_reference(cache: Path, table: TableFiles) -> tuple[Path, ReferenceStatistics | None]:
    """The cache's file for a table as it is now, and the statistics if they are there."""
    digest = hashlib.sha256("\n".join([_FORM, *table.stamps]).encode()).hexdigest()[:32]
    file = cache / f"reference-{digest}.json"
    with suppress(WorldError):
        if not table.stamps:  # nobody can say whether it is still the same table
            return file, None
        return file, read_reference(file, str(file))
    return file, None
