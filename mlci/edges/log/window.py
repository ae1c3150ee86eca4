"""Predictions of a span of time as Arrow batches: from the server's log, or from files that something else wrote."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from mlci.edges.log.pages import read_pages
from mlci.edges.log.table_window import read_tables
from mlci.edges.log.window_schema import BATCH_ROWS, SEEN, Asked, window_schema

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    import pyarrow as pa

    from mlci.nouns.signature import Signature

__all__ = ["SEEN", "read_window", "window_schema"]

_URLS = ("sqlite:", "postgresql:", "postgres:")


def read_window(  # noqa: PLR0913 - what is rarely asked for is asked for by keyword
    log: str,
    since: datetime,
    until: datetime,
    signature: Signature,
    *,
    root: Path,
    version: str | None = None,
    roles: Collection[str] = SEEN,
    private: Collection[str] = (),
    batch_rows: int = BATCH_ROWS,
    names: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[pa.RecordBatch]:
    """Yield the predictions made in [since, until), each with its label where there is one, in the order of time.

    Memory is bounded by a batch. A log that is being written is read in short steps that hold up no writer; labels are
    those that count at the moment of reading.

    Args:
        log: `sqlite:///FILE` or `postgresql://…` as the server's policy names it, or a path or glob of Parquet, CSV or
            JSON lines files that have `predicted_at`, the inputs as columns (or in one struct `inputs`), `prediction`
            or scores, and any of the other columns of `window_schema`.
        since: First moment; with a time zone.
        until: The moment behind the last; with a time zone.
        signature: Types of the inputs, scores, predictions and labels.
        root: Folder that a relative FILE or path begins at.
        version: Only predictions of this version of the model; None: of all.
        roles: Only predictions in these roles; default: those that a client got, so no shadow's.
        private: Inputs that a table of files may lack. In a log they are null without being named here.
        batch_rows: Most rows of a batch.
        names: How a table of files names our columns, by our name; those that it does not name are as here.

    Yields:
        Batches of at least one row, of the schema `window_schema(signature)`. An input that was not stored is null.

    Raises:
        ValueError: A moment has no time zone.
        WorldError: There is no such log or table, it can't be read, or its values don't fit the signature.
    """
    if since.tzinfo is None or until.tzinfo is None:
        raise ValueError("a window is asked for with a time zone")
    asked = Asked(since, until, signature, root, version, tuple(roles), tuple(private), batch_rows, names)
    return read_pages(log, asked) if log.startswith(_URLS) else read_tables(log, asked)
