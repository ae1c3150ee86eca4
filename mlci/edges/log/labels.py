"""Labels with all that was said: those of a log, and those of a file that somebody else wrote."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from mlci.edges.duck import session, world_error
from mlci.edges.log.reader import open_reader
from mlci.edges.log.window import SEEN, read_window, window_schema
from mlci.edges.log.window_schema import Asked
from mlci.edges.tables import find_table, open_table
from mlci.errors import WorldError
from mlci.nouns.engine import Engine
from mlci.nouns.feedback import Said
from mlci.nouns.log_url import is_log
from mlci.nouns.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from mlci.nouns.feedback import Answer
    from mlci.nouns.signature import Signature

Sayings = dict[str, list[Said]]
_MOST = 256
"""Letters of a source that are kept."""


def read_labels(
    log: str, since: datetime, until: datetime, signature: Signature, *, root: Path, version: str | None,
    names: Mapping[str, str],
) -> Sayings:  # fmt: skip
    """All labels of the predictions of a window, by prediction.

    Files hold one label a row; where a prediction comes more than once, each of its rows is a label.

    Raises:
        WorldError: There is no such log, it can't be read, or its values don't fit the signature.
    """
    found: Sayings = {}
    # Not the address: the data is read by more people than the log.
    origin = "log" if is_log(log) else Path(log).name
    if is_log(log):
        asked = Asked(since, until, signature, root, version, tuple(SEEN), (), 8_192)
        with open_reader(log, root) as reader:
            for page in reader.labels(asked):
                for name, _, label, source, at in page:
                    said = Said(label=json.loads(label), source=source, at=_moment(at), origin=origin)
                    found.setdefault(name, []).append(said)
        return found
    for batch in read_window(
        log, since, until, signature, root=root, version=version, private=tuple(each.name for each in signature.inputs),
        names=names,
    ):  # fmt: skip
        wanted = batch.select(["id", "label", "label_source", "labelled_at", "predicted_at"]).to_pylist()
        for row in wanted:
            if row["label"] is not None:
                at = row["labelled_at"] or row["predicted_at"]
                said = Said(label=row["label"], source=(row["label_source"] or "")[:_MOST], at=at, origin=origin)
                found.setdefault(row["id"], []).append(said)
    return found


def read_label_file(root: Path, path: str, signature: Signature, now: datetime) -> Sayings:
    """Labels of a file with `id` and `label`, and perhaps `source` and `at`.

    Args:
        root: Folder that a relative path begins at.
        path: Parquet, CSV or JSON lines.
        signature: Tells the classes.
        now: When a label was given whose file does not say it.

    Raises:
        WorldError: It can't be read, lacks a column, or a label is none of the model.
    """
    found: Sayings = {}
    with session(Engine()) as connection:
        columns = open_table(connection, find_table(root, path), "labels").columns
        for name in ("id", "label"):
            if name not in columns:
                raise WorldError(
                    f"{path} has no column `{name}`", "it needs `id` and `label`, and perhaps `source`, `at`"
                )
        source = f"CAST({identifier('source')} AS VARCHAR)" if "source" in columns else "''"
        at = f"epoch(CAST({identifier('at')} AS TIMESTAMPTZ))" if "at" in columns else "NULL"
        try:
            rows = connection.sql(f"SELECT CAST(id AS VARCHAR), label, {source}, {at} FROM labels").fetchall()
        except duckdb.Error as error:
            raise world_error(error, path) from error
    for place, (name, label, said_by, moment) in enumerate(rows, 1):
        if name is None or label is None:
            raise WorldError(f"{path}: row {place} has no id or no label", "remove it, or fill it in")
        said = Said(
            label=_answer(label, signature, f"{path}: row {place}"),
            source=(said_by or "")[:_MOST],
            at=_moment(moment) if moment is not None else now,
            origin=Path(path).name,
        )
        found.setdefault(name, []).append(said)
    return found


def _answer(value: Any, signature: Signature, place: str) -> Answer:  # noqa: ANN401 - what a file holds
    """A value of a file as a label of the model, whose classes tell `1`, `true` and `"1"` apart."""
    if not signature.classes:
        try:
            return float(value)
        except (TypeError, ValueError) as error:
            raise WorldError(f"{place}: {value!r} is no number", "correct the file") from error
    shown = json.dumps(value) if isinstance(value, bool) else str(value)
    for known in signature.classes:
        if shown.lower() in {str(known).lower(), json.dumps(known).lower()}:
            return known
    if signature.task == "binary" and isinstance(value, bool | int) and value in (0, 1):
        place_of = signature.positive_index
        return signature.classes[place_of if value else 1 - place_of]
    raise WorldError(f"{place}: {value!r} is no label of the model: {list(signature.classes)}", "correct the file")


def labelled_rows(window: pa.Table, ids: set[str]) -> pa.Table:
    """The first row of each of some predictions."""
    seen: set[str] = set()
    mask = []
    for name in window.column("id").to_pylist():
        mask.append(name in ids and name not in seen)
        seen.add(name)
    return window.filter(mask)


def read_predictions(  # noqa: PLR0913 - what a window is asked by
    log: str,
    since: datetime,
    until: datetime,
    signature: Signature,
    ids: set[str],
    *,
    root: Path,
    version: str | None,
    names: Mapping[str, str],
    private: tuple[str, ...],
) -> pa.Table:
    """Some predictions of a window, each once; memory is bounded by these and a batch. Raises as `read_window`."""
    import pyarrow as pa  # noqa: PLC0415

    schema = window_schema(signature)
    kept = []
    for batch in read_window(
        log, since, until, signature, root=root, version=version, private=private, names=names
    ):  # fmt: skip
        part = labelled_rows(pa.Table.from_batches([batch]), ids)
        if part.num_rows:
            kept.append(part)
    return labelled_rows(pa.concat_tables(kept), ids) if kept else schema.empty_table()


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
