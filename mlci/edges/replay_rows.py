"""Rows of the past as a window of predictions: when each was predicted, and when its label came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from mlci.edges.duck import session, world_error
from mlci.edges.reference_rows import read_reference_rows
from mlci.edges.tables import find_table, open_table
from mlci.errors import WorldError
from mlci.nouns.sql import identifier

if TYPE_CHECKING:
    from pathlib import Path

    from mlci.nouns.policy import PolicyFile
    from mlci.nouns.replay_policy import Replay
    from mlci.nouns.signature import Signature

_TIME = pa.timestamp("us", "UTC")


def read_past_rows(
    root: Path, policy: PolicyFile, table: str, predictions: str, signature: Signature, replay: Replay
) -> pa.Table:
    """Labelled rows with a model's answers, as `window_schema(signature)` says, in the order of time.

    Args:
        root: Folder that the paths begin at.
        policy: Its model.
        table: The rows.
        predictions: The answers by id.
        signature: Of the model.
        replay: Which columns tell the times.

    Raises:
        WorldError: A table is not there or lacks a column, or a moment is missing.
    """
    model = policy.policy.model
    assert model is not None  # noqa: S101 - the flow asks for it
    window, _ = read_reference_rows(root, policy, table, predictions, signature)
    labelled = replay.labelled or replay.time
    with session(policy.policy.engine) as connection:
        schema = open_table(connection, find_table(root, table), "past")
        for column in (model.id, replay.time, labelled):
            if column not in schema.columns:
                raise WorldError(f"{table} has no column {column!r}", "correct `time` and `labelled` in `mlci.replay`")
        moment = "epoch_us(CAST(CAST({} AS TIMESTAMP) AS TIMESTAMP))"
        notice = round(replay.notice.total_seconds() * 1e6)
        chosen = (
            f"CAST({identifier(model.id)} AS VARCHAR) AS id",
            f"{moment.format(identifier(replay.time))} - {notice} AS predicted",
            f"{moment.format(identifier(labelled))} AS labelled",
        )
        query = f"SELECT {', '.join(chosen)} FROM past ORDER BY id"
        try:
            found = connection.sql(query).to_arrow_table().combine_chunks()
        except duckdb.Error as error:
            raise world_error(error, table) from error
    if found.column("predicted").null_count or found.column("labelled").null_count:
        raise WorldError(f"{table} has rows without a moment", "`mlci.replay` names columns that are never empty")
    if found.column("id").to_pylist() != window.column("id").to_pylist():
        raise WorldError(f"{predictions} does not answer every row of {table} once", "look for ids that come twice")
    return _timed(window, found)


def _timed(window: pa.Table, found: pa.Table) -> pa.Table:
    for ours, theirs in (("predicted_at", "predicted"), ("labelled_at", "labelled")):
        place = window.schema.get_field_index(ours)
        window = window.set_column(place, window.schema.field(place), found.column(theirs).cast(pa.int64()).cast(_TIME))
    return window.sort_by([("predicted_at", "ascending"), ("id", "ascending")])
