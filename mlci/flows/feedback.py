"""Turn labels into data: what came is settled, joined with what was predicted, and written with its provenance."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.dvc_add import add_file
from mlci.edges.dvc_pull import pull_files
from mlci.edges.feedback_table import (
    conflict_file,
    kept_labels,
    merged,
    read_decisions,
    read_table,
    table_schema,
    write_table,
)
from mlci.edges.files import write_text
from mlci.edges.log.labels import read_label_file, read_labels, read_predictions
from mlci.errors import PolicyError, WorldError
from mlci.judge.feedback import changes, settle
from mlci.nouns.feedback import Collected, Missed
from mlci.nouns.feedback_policy import FeedbackPolicy
from mlci.nouns.log_url import NO_LOG
from mlci.nouns.monitor_policy import MonitorPolicy
from mlci.nouns.serve import ServePolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    import pyarrow as pa

    from mlci.nouns.feedback import Answer, Outcome, Said
    from mlci.nouns.policy import Model, PolicyFile
    from mlci.nouns.signature import Signature

_SHOWN = 20
"""Ids that are told at most."""


class Collecting(NamedTuple):
    """What is collected, and how.

    Attributes:
        root: Folder of the project.
        policy: Its policy.
        now: The moment.
        log: Where predictions and labels are; empty: what the policy says.
        file: Labels of a file besides those of the log; empty: none.
        version: Only predictions of this version of the model.
        dry: Whether to write nothing.
        say: Told what is being done.
    """

    root: Path
    policy: PolicyFile
    now: datetime
    log: str = ""
    file: str = ""
    version: str | None = None
    dry: bool = False
    say: Callable[[str], None] = lambda _: None

    @property
    def feedback(self) -> FeedbackPolicy:
        """How labels become data."""
        return self.policy.policy.feedback or FeedbackPolicy()

    @property
    def model(self) -> Model:
        """The model whose predictions are labelled.

        Raises:
            PolicyError: The policy names none.
        """
        if self.policy.policy.model is None:
            raise PolicyError(
                f"{self.policy.file}: feedback needs `mlci.model`", "add `model: {name, label, id}` under `mlci`"
            )
        return self.policy.policy.model

    @property
    def place(self) -> str:
        """Where predictions and labels are."""
        policy = self.policy.policy
        watch = policy.monitor or MonitorPolicy()
        return self.log or self.feedback.log or watch.log or (policy.serve or ServePolicy()).log

    @property
    def private(self) -> tuple[str, ...]:
        """Inputs that the table must not hold."""
        served = self.policy.policy.serve.private if self.policy.policy.serve is not None else ()
        return tuple(dict.fromkeys((*served, *self.feedback.private)))


class Before(NamedTuple):
    """What an open pull request holds that is not in the data yet.

    Attributes:
        table: Its rows.
        base: What the branch has that it is merged into, which the new rows are told against; None: the work tree's.
        decisions: What people decided there.
    """

    table: pa.Table | None = None
    base: pa.Table | None = None
    decisions: dict[str, Answer] = {}  # noqa: RUF012 - nobody writes to it


def collect(asked: Collecting, before: Before = Before()) -> Collected:  # noqa: B008 - it is never written to
    """Collect labels into the table of the work tree.

    What the table holds stays, also what the log has forgotten since; so a second call changes nothing.

    Args:
        asked: What is collected.
        before: Rows and decisions to go on from, besides the work tree's.

    Raises:
        PolicyError: The policy names no model, or a table of somebody else's.
        WorldError: The log, the model or the table can't be read, or nothing can be written.
    """
    table = asked.feedback.table
    pull_known(asked)
    signature = signature_of(asked)
    schema = table_schema(asked.model, signature, asked.private)
    here = read_table(asked.root / table, table, schema)
    held = with_rows(here, before.table, asked.model)
    decisions = read_decisions(asked.root / conflicts_path(table), conflicts_path(table), answers_by_text(signature))
    decisions |= before.decisions
    said, unknown, window = _labels(asked, signature)
    kept = kept_labels(held, asked.model)
    outcome = settle(said, asked.feedback, decisions, kept, asked.now)
    new, changed = changes(outcome.settled, kept)
    whole = merged(held, new, changed, window, asked.model)
    written = () if asked.dry else _write(asked, whole, outcome, decisions)
    return _told(asked, whole, outcome, here if before.base is None else before.base).model_copy(
        update={
            "written": written,
            "unknown": tuple(sorted(unknown)[:_SHOWN]),
            "unknown_count": len(unknown),
            "private": tuple(each.name for each in signature.inputs if each.name in asked.private),
        }
    )


def pull_known(asked: Collecting) -> None:
    """Pull the table and the model where DVC keeps them and they are not at hand. Raises WorldError as `pull_files`."""
    lock = asked.root / "dvc.lock"
    made = lock.read_text(encoding="utf-8") if lock.is_file() else ""
    paths = (asked.model.path, asked.feedback.table)
    kept = [path for path in paths if path in made or (asked.root / f"{path}.dvc").is_file()]
    pull_files(asked.root, kept, asked.say)


def signature_of(asked: Collecting) -> Signature:
    """Of the model that is served.

    Raises:
        WorldError: The model is not at hand.
    """
    from mlci.edges.onnx.session import OnnxModel  # noqa: PLC0415 - the runtime takes half a second to load

    if not (asked.root / asked.model.path).is_file():
        raise WorldError(f"{asked.model.path} is not there, which tells the inputs", "`dvc pull`, or `dvc repro`")
    return OnnxModel.load(asked.root / asked.model.path).signature


def conflicts_path(table: str) -> str:
    """The file in which people decide, beside the table."""
    return f"{table.removesuffix('.parquet')}-conflicts.csv"


def answers_by_text(signature: Signature) -> dict[str, Answer]:
    """The model's labels by how people write them; empty for numbers."""
    found: dict[str, Answer] = {}
    for each in signature.classes:
        found[str(each).lower()] = each
        found.setdefault(json.dumps(each).lower().strip('"'), each)
    return found


def with_rows(table: pa.Table, more: pa.Table | None, model: Model) -> pa.Table:
    """A table with the rows of another one that it lacks."""
    import pyarrow as pa  # noqa: PLC0415

    if more is None or not more.num_rows:
        return table
    known = set(table.column(model.id).to_pylist())
    mask = [name not in known for name in more.column(model.id).to_pylist()]
    return pa.concat_tables([table, more.filter(mask)])


def _labels(asked: Collecting, signature: Signature) -> tuple[dict[str, list[Said]], set[str], pa.Table]:
    """All labels of predictions that are known, the ids of those that are not, and the predictions."""
    log, since = asked.place, asked.now - asked.feedback.within
    names: Mapping[str, str] = (asked.policy.policy.monitor or MonitorPolicy()).names
    if log == NO_LOG:
        raise PolicyError("the policy keeps no log of predictions", "name one in `mlci.feedback.log`")
    asked.say(f"reading the labels of {Path(log).name}")
    root, version = asked.root, asked.version
    said = read_labels(log, since, asked.now, signature, root=root, version=version, names=names)
    if asked.file:
        for name, more in read_label_file(asked.root, asked.file, signature, asked.now).items():
            said.setdefault(name, []).extend(more)
    asked.say(f"reading what was predicted for {len(said):,} labelled rows")
    window = read_predictions(
        log,
        since,
        asked.now,
        signature,
        set(said),
        root=root,
        version=version,
        names=names,
        private=asked.private,
    )
    found = set(window.column("id").to_pylist())
    return {name: each for name, each in said.items() if name in found}, set(said) - found, window


def _write(asked: Collecting, table: pa.Table, outcome: Outcome, decisions: Mapping[str, Answer]) -> tuple[str, ...]:
    policy = asked.feedback
    written: list[str] = []
    if table.num_rows or not (asked.root / policy.table).is_file():
        write_table(asked.root / policy.table, table)
        written.append(policy.table)
        if policy.store == "dvc":
            add_file(asked.root, policy.table)
            written.append(f"{policy.table}.dvc")
    contested = [each for each in outcome.conflicts if each.settled is None or each.settled.rule == "hand"]
    file = asked.root / conflicts_path(policy.table)
    if contested or file.is_file():
        write_text(file, conflict_file(contested, decisions))
        written.append(conflicts_path(policy.table))
    return tuple(written)


def _told(asked: Collecting, table: pa.Table, outcome: Outcome, base: pa.Table) -> Collected:
    """What a table has that another one has not, and what became of the labels."""
    model = asked.model
    before = {row[model.id]: row[model.label] for row in base.select([model.id, model.label]).to_pylist()}
    columns = [model.id, model.label, "label_source", "predicted"]
    rows = [row for row in table.select(columns).to_pylist() if before.get(row[model.id]) != row[model.label]]
    new = [row for row in rows if row[model.id] not in before]
    return Collected(
        model=model.name,
        table=asked.feedback.table,
        rows=table.num_rows,
        new=len(new),
        changed=len(rows) - len(new),
        open=tuple(each for each in outcome.conflicts if each.settled is None),
        decided=tuple(each for each in outcome.conflicts if each.settled is not None),
        waiting=outcome.waiting,
        sources=dict(sorted(Counter(row["label_source"] or "nobody named" for row in rows).items())),
        classes=dict(sorted(Counter(str(row[model.label]) for row in rows).items())),
        wrong=_wrong(model, [(row[model.label], row["predicted"]) for row in new if row["predicted"] is not None]),
    )


def _wrong(model: Model, answers: list[tuple[Answer, Answer]]) -> Missed:
    """What new labels, each with the answer that was given, say of the model."""
    off = [label for label, said in answers if label != said]
    if model.task != "binary":
        return Missed(wrong=len(off) if model.task == "multiclass" else 0)
    positive = model.positive if model.positive is not None else True
    missed = sum(label == positive for label in off)
    return Missed(false_negatives=missed, false_positives=len(off) - missed, wrong=len(off))
