"""What two models answered, out of the log: the same rows, with the answers of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mlci.edges.files import replaced
from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from pathlib import Path

    from mlci.nouns.signature import Signature

_SHADOW = r"\.shadow$"


class Who(NamedTuple):
    """A model as the log names it."""

    model: str
    version: str
    commit: str


class Pair(NamedTuple):
    """The same rows, answered by two models.

    Attributes:
        rows: `id`, the inputs side by side, and `label`.
        new: Prediction and scores of the model on trial.
        old: Of the current one.
        tried: The model on trial.
        current: The current one.
        answered: Rows of the model on trial, with and without a label.
    """

    rows: pa.Table
    new: pa.Table
    old: pa.Table
    tried: Who
    current: Who
    answered: int


class Labelled(NamedTuple):
    """A window's rows that have a label, and how many there were of every role and version."""

    table: pa.Table
    answered: dict[tuple[str, str], int]


def labelled(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Labelled:
    """The rows that can be judged, in the order of time."""
    kept: list[pa.RecordBatch] = []
    answered: dict[tuple[str, str], int] = {}
    for batch in batches:
        counts = pa.Table.from_batches([batch]).group_by(["role", "version"]).aggregate([([], "count_all")])
        for each in counts.to_pylist():
            key = each["role"], each["version"]
            answered[key] = answered.get(key, 0) + each["count_all"]
        kept.append(batch.filter(batch["label"].is_valid()))
    return Labelled(pa.Table.from_batches(kept, schema), answered)


def shadowed(found: Labelled, signature: Signature) -> Pair:
    """Rows that the newest shadow answered behind the current model.

    Raises:
        WorldError: There are none.
    """
    tried, version = _newest(found, "shadow")
    tried = tried.set_column(0, "id", pc.replace_substring_regex(tried["id"], _SHADOW, ""))
    seen = found.table.filter(pc.equal(found.table["role"], "current"))
    seen = seen.filter(pc.is_in(seen["id"], tried["id"]))
    if not seen.num_rows:
        raise _unlabelled("shadow", version, found)
    # It may have stood behind several; the newest is what it would take the place of.
    seen = seen.filter(pc.equal(seen["version"], seen["version"][-1]))
    tried = tried.take(pc.index_in(seen["id"], tried["id"]))
    answered = found.answered["shadow", version]
    return Pair(_rows(seen), _answers(tried, signature), _answers(seen, signature), _who(tried), _who(seen), answered)


def split(found: Labelled, signature: Signature, again: Callable[[Who, pa.Table], pa.Table]) -> Pair:
    """Rows that the newest canary or the current model answered since that canary began.

    Args:
        found: The rows.
        signature: Of the models.
        again: What a model says of rows that the other one answered: its prediction and scores.

    Raises:
        WorldError: There are none.
    """
    tried, version = _newest(found, "canary")
    if not tried.num_rows:
        raise _unlabelled("canary", version, found)
    seen = found.table.filter(
        pc.and_(
            pc.equal(found.table["role"], "current"),
            pc.greater_equal(found.table["predicted_at"], tried["predicted_at"][0]),
        )
    )
    if not seen.num_rows:
        raise WorldError(
            f"the current model has answered no row with a label since the canary {version} began",
            "wait for labels of its rows: `POST /feedback`",
        )
    seen = seen.filter(pc.equal(seen["version"], seen["version"][-1]))
    new, old = _who(tried), _who(seen)
    both = pa.concat_tables([tried, seen])
    return Pair(
        _rows(both),
        pa.concat_tables([_answers(tried, signature), again(new, seen)]),
        pa.concat_tables([again(old, tried), _answers(seen, signature)]),
        new,
        old,
        found.answered["canary", version],
    )


def write_pair(pair: Pair, folder: Path, id_: str, label: str) -> None:
    """Write `test.parquet`, `new.parquet` and `old.parquet`, as `mlci compare` takes them.

    Args:
        pair: The rows.
        folder: Where to.
        id_: What the policy calls the column of ids.
        label: And that of labels.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ids, labels = pair.rows["id"], pair.rows["label"]
    inputs = pair.rows["inputs"].combine_chunks()
    struct = inputs if isinstance(inputs, pa.StructArray) else pa.concat_arrays(inputs.chunks)
    names = [field.name for field in struct.type if field.name not in {id_, label}]
    columns = {id_: ids} | {name: struct.field(name) for name in names} | {label: labels}
    tables = {"test": pa.table(columns)}
    for name, answers in (("new", pair.new), ("old", pair.old)):
        tables[name] = pa.table(
            {id_: ids, label: labels} | dict(zip(answers.column_names, answers.columns, strict=True))
        )
    for name, table in tables.items():
        with replaced(folder / f"{name}.parquet") as temporary:
            pq.write_table(table, temporary)


def stored_inputs(table: pa.Table, private: Collection[str]) -> pa.Table:
    """The inputs of rows, as a model takes them.

    Raises:
        WorldError: Some were not stored, so no other model can be asked.
    """
    if private:
        raise WorldError(
            f"the log doesn't hold {', '.join(sorted(private))}, so no model can be asked again what a client asked",
            "try the model as a shadow: it is asked at once, and nothing has to be stored for it",
        )
    return pa.Table.from_struct_array(table["inputs"])


def _newest(found: Labelled, role: str) -> tuple[pa.Table, str]:
    """The labelled rows of the version that was in a role last; maybe none."""
    versions = [version for known, version in found.answered if known == role]
    if not versions:
        raise WorldError(
            f"the log has no answer of a {role} in that time",
            f"serve one: `mlci.serve.{role}` in params.yaml, and look at the time that you ask for",
        )
    of_role = found.table.filter(pc.equal(found.table["role"], role))
    version = of_role["version"][-1].as_py() if of_role.num_rows else versions[-1]
    return of_role.filter(pc.equal(of_role["version"], version)), version


def _unlabelled(role: str, version: str, found: Labelled) -> WorldError:
    rows = found.answered[role, version]
    return WorldError(
        f"of the {rows:,} rows that the {role} {version} answered, none has a label yet",
        "wait for labels, or send them: `POST /feedback`",
    )


def _rows(table: pa.Table) -> pa.Table:
    return table.select(["id", "inputs", "label"])


def _answers(table: pa.Table, signature: Signature) -> pa.Table:
    return table.select(["prediction", *signature.score_columns])


def _who(table: pa.Table) -> Who:
    last = table.slice(table.num_rows - 1)
    return Who(*(last[name][0].as_py() or "" for name in ("model", "version", "commit")))
