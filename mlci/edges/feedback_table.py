"""The table of collected labels, with where each came from, and the file in which people decide contradictions."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from mlci.edges.files import read_text, replaced
from mlci.edges.log.window_schema import answer_type, window_schema
from mlci.errors import PolicyError, WorldError
from mlci.nouns.feedback import Conflict, Kept

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mlci.nouns.feedback import Answer, Settled
    from mlci.nouns.policy import Model
    from mlci.nouns.signature import Signature

_TIME = pa.timestamp("us", "UTC")
PROVENANCE = (
    ("label_source", pa.string()),
    ("labelled_at", _TIME),
    ("label_rule", pa.string()),
    ("label_origin", pa.string()),
    ("label_sayings", pa.int64()),
    ("prediction_id", pa.string()),
    ("predicted_at", _TIME),
    ("predicted_by", pa.string()),
    ("model_version", pa.string()),
    ("model_commit", pa.string()),
    ("predicted", None),
)
"""Where a row's label came from, when, what decided, and which model had predicted what."""
_COLUMNS = ("id", "said", "decision")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""How a cell begins that a spreadsheet calculates (OWASP, CSV injection), and the mark that keeps it from it."""


def table_schema(model: Model, signature: Signature, private: Sequence[str]) -> pa.Schema:
    """Columns of the table: the id, the inputs that may be kept, the label, and provenance."""
    fields = [pa.field(model.id, pa.string())]
    inputs = window_schema(signature).field("inputs").type
    fields += [pa.field(each.name, each.type) for each in inputs if each.name not in private and each.name != model.id]
    fields.append(pa.field(model.label, answer_type(signature)))
    taken = {field.name for field in fields}
    fields += [pa.field(name, kind or answer_type(signature)) for name, kind in PROVENANCE if name not in taken]
    return pa.schema(fields)


def read_table(path: Path, shown: str, schema: pa.Schema) -> pa.Table:
    """What the table holds; empty where it is not there.

    Raises:
        PolicyError: It is a table of somebody else's.
        WorldError: It can't be read, or its columns have other types now.
    """
    if not path.is_file():
        return schema.empty_table()
    try:
        found = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise WorldError(f"{shown} can't be read: {error}", "`dvc pull` it again") from error
    if not found.num_rows:
        # So that a stage could depend on it from the beginning.
        return schema.empty_table()
    lacking = [name for name, _ in PROVENANCE if name in schema.names and name not in found.column_names]
    if lacking:
        raise PolicyError(
            f"{shown} is no table that `mlci feedback collect` made: it has no column `{lacking[0]}`",
            "name one of its own in `mlci.feedback.table`, and let the pipeline read both",
        )
    columns = [
        found.column(field.name) if field.name in found.column_names else pa.nulls(found.num_rows, field.type)
        for field in schema
    ]
    try:
        return pa.table(columns, names=schema.names).cast(schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise WorldError(
            f"{shown} doesn't fit the model: {error}", "move it away where the model has other inputs now"
        ) from error


def kept_labels(table: pa.Table, model: Model) -> dict[str, Kept]:
    """The labels that a table holds, by prediction."""
    columns = [table.column(name).to_pylist() for name in (model.id, model.label, "labelled_at", "label_rule")]
    return {
        name: Kept.model_validate({"label": label, "at": at or datetime.fromtimestamp(0, UTC), "rule": rule or "said"})
        for name, label, at, rule in zip(*columns, strict=True)
    }


def merged(
    table: pa.Table, new: Sequence[Settled], changed: Sequence[Settled], rows: pa.Table, model: Model
) -> pa.Table:
    """The table with new rows, and with labels that were corrected, in the order of predictions.

    Args:
        table: As it was.
        new: Labels to add.
        changed: Labels to correct.
        rows: The predictions of the new ones, as a window; those that are not there are left out.
        model: Names id and label.
    """
    schema = table.schema
    held = {row[model.id]: row for row in table.to_pylist()}
    for each in changed:
        held[each.id] = held[each.id] | _label(each, model)
    wanted = {each.id: each for each in new}
    for row in rows.to_pylist():
        label = wanted.get(row["id"])
        if label is not None:
            inputs = {name: value for name, value in row["inputs"].items() if name in schema.names}
            about = {
                "prediction_id": row["id"],
                "predicted_at": row["predicted_at"],
                "predicted_by": row["model"],
                "model_version": row["version"],
                "model_commit": row["commit"],
                "predicted": row["prediction"],
            }
            held[label.id] = inputs | about | {model.id: row["id"]} | _label(label, model)
    first = datetime.fromtimestamp(0, UTC)
    ordered = sorted(held.values(), key=lambda row: (row.get("predicted_at") or first, row[model.id]))
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in ordered], schema=schema)


def _label(settled: Settled, model: Model) -> dict[str, object]:
    return {
        model.label: settled.label,
        "label_source": settled.source,
        "labelled_at": settled.at,
        "label_rule": settled.rule,
        "label_origin": settled.origin,
        "label_sayings": settled.sayings,
    }


def write_table(path: Path, table: pa.Table) -> None:
    """Write the table; the same rows give the same bytes. Raises WorldError as `replaced` does."""
    with replaced(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_decisions(path: Path, shown: str, known: Mapping[str, Answer]) -> dict[str, Answer]:
    """What people decided in the file of contradictions, by prediction.

    Args:
        path: The file; nothing is decided where it is not there.
        shown: Its name for messages.
        known: Labels of the model by how they are written, in small letters; none: numbers.

    Raises:
        WorldError: It can't be read, or a decision is no label.
    """
    if not path.is_file():
        return {}
    found: dict[str, Answer] = {}
    reader = csv.DictReader(io.StringIO(read_text(path, shown)))
    if not set(_COLUMNS) <= set(reader.fieldnames or ()):
        raise WorldError(f"{shown} has lost a column; it has {', '.join(_COLUMNS)}", "take it back from Git")
    for place, row in enumerate(reader, 2):
        text = (row["decision"] or "").strip()
        if text:
            found[_unguarded(row["id"])] = _decision(_unguarded(text), known, f"{shown}:{place}")
    return found


def _decision(text: str, known: Mapping[str, Answer], place: str) -> Answer:
    if known:
        if text.lower() not in known:
            raise WorldError(
                f"{place}: {text!r} is no label of the model; it has {', '.join(known)}", "write one of them"
            )
        return known[text.lower()]
    try:
        return float(text)
    except ValueError as error:
        raise WorldError(f"{place}: {text!r} is no number", "write one") from error


def _guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula: whoever calls the service chooses it."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _unguarded(text: str) -> str:
    return text.removeprefix("'")


def conflict_file(conflicts: Sequence[Conflict], decisions: Mapping[str, Answer]) -> str:
    """The file in which people decide: a row for each contradiction, with all that was said."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for each in sorted(conflicts, key=lambda one: one.id):
        said = [
            {"label": one.label, "source": one.source, "at": f"{one.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
            for one in each.said
        ]
        decided = decisions.get(each.id)
        shown = "" if decided is None else json.dumps(decided) if isinstance(decided, bool) else str(decided)
        shown = _guarded(shown) if isinstance(decided, str) else shown
        writer.writerow([_guarded(each.id), json.dumps(said, ensure_ascii=False), shown])
    return text.getvalue()
