"""Read predictions tables, join them by id with each other and with the test rows, and refuse what cannot be judged."""

from __future__ import annotations

import difflib
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa

from mlci.edges.duck import world_error
from mlci.edges.own_metrics import own_metrics
from mlci.edges.prediction_join import Ids, id_ranges, joined
from mlci.edges.prediction_rows import BATCH, group_codes, read_rows
from mlci.edges.prediction_sources import open_sources
from mlci.edges.prediction_table import Changed, PredictionTable, changed_rows, check_cover
from mlci.edges.slices import Cut, Cutter
from mlci.errors import PolicyError, WorldError
from mlci.nouns.metric import class_metric
from mlci.nouns.sample import Answers, Feature, Part, Sample, spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from mlci.edges.prediction_rows import PredictionRows
    from mlci.nouns.policy import Gate, Model, PolicyFile
    from mlci.nouns.table_schema import TableSchema


@dataclass(frozen=True)
class Loaded:
    """What was read.

    Attributes:
        sample: Rows that are judged.
        leaked: Test rows left out because a model was trained on them.
        unlabelled: Test rows left out because their label is not known.
        unmatched: Rows of the candidate that the baseline's predictions do not have.
        changed: How today's rows differ from those of the baseline's predictions.
    """

    sample: Sample
    leaked: int = 0
    unlabelled: int = 0
    unmatched: int = 0
    changed: Changed = field(default_factory=Changed)


class PredictionFiles:
    """The candidate's predictions and the test table, open for reading in one session."""

    def __init__(self, root: Path, policy: PolicyFile, say: Callable[[str], None] = lambda _: None) -> None:
        if policy.policy.model is None or policy.policy.gate is None:
            raise PolicyError(
                f"{policy.file}: comparing needs `mlci.model` and `mlci.gate`",
                "add `model: {name, label, id}` and `gate: {metrics}`; see docs/reference/policy.md",
            )
        self.root = root
        self.policy = policy
        self.model: Model = policy.policy.model
        self.gate: Gate = policy.policy.gate
        self.say = say
        self._checked = False
        self._whole: tuple[Loaded, Sequence[npt.NDArray[np.uint64]]] | None = None

    def check(self) -> None:
        """Refuse predictions of the candidate that cannot be judged, without reading them. Raises as `load` does."""
        with self._open() as (connection, new, test, _):
            self._check(connection, new, test)

    def load(self, old: Path | None = None, trained_on: Sequence[npt.NDArray[np.uint64]] = ()) -> Loaded:
        """Read and join; rows in the order of their ids.

        Args:
            old: The baseline's predictions; None for the candidate alone.
            trained_on: Digests of rows that a model was trained on: those test rows are left out.

        Raises:
            WorldError: A table is missing, broken or inconsistent: duplicate ids, scores that are no probabilities,
                test rows without a prediction.
            PolicyError: The policy names columns or conditions that the test table does not have.
        """
        if old is None and (known := self._known(trained_on)) is not None:
            return known
        with self._open(old) as (connection, new, test, earlier):
            self._check(connection, new, test)
            if earlier is not None:
                earlier.check()
            changed = changed_rows(connection, earlier, new, test, self.model) if earlier is not None else Changed()
            loaded = replace(_join(connection, self, new, earlier, test, trained_on), changed=changed)
        if earlier is not None and not loaded.unmatched and not loaded.leaked:
            # The candidate alone is the same rows: they are not read again.
            self._whole = replace(loaded, sample=replace(loaded.sample, old=None), changed=Changed()), trained_on
        return loaded

    def _known(self, trained_on: Sequence[npt.NDArray[np.uint64]]) -> Loaded | None:
        """All rows as they were read beside a baseline, where no row was left out for what a model was trained on."""
        if self._whole is None:
            return None
        loaded, asked = self._whole
        return loaded if all(any(one is other for other in asked) for one in trained_on) else None

    @contextmanager
    def _open(
        self, old: Path | None = None
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, PredictionTable, TableSchema | None, PredictionTable | None]]:
        """A session with the candidate's predictions, the test table and the baseline's predictions."""
        with open_sources(self.root, self.policy, self.gate, self.model, old) as opened:
            connection, aligned = opened.connection, opened.aligned
            new = PredictionTable(connection, opened.new, self.gate.predictions, self.model, aligned=aligned)
            earlier = None
            if opened.old is not None:
                shown = "the baseline's predictions"
                earlier = PredictionTable(connection, opened.old, shown, self.model, side="old", aligned=aligned)
            yield connection, new, opened.test, earlier

    def _check(self, connection: duckdb.DuckDBPyConnection, new: PredictionTable, test: TableSchema | None) -> None:
        if self._checked:
            return
        new.check()
        if test is not None:
            check_cover(connection, test, new, self.gate.test, self.model)
        self._checked = True


def _join(
    connection: duckdb.DuckDBPyConnection,
    files: PredictionFiles,
    new: PredictionTable,
    old: PredictionTable | None,
    test: TableSchema | None,
    trained_on: Sequence[npt.NDArray[np.uint64]],
) -> Loaded:
    def batches(ranges: Sequence[Ids]) -> Iterator[pa.RecordBatch]:
        for i, ids in enumerate(ranges, 1):
            if len(ranges) > 1:
                files.say(f"joining predictions, part {i} of {len(ranges)}")
            query = joined(new, old, test, cuts.all, digests=bool(trained_on), within=ids)
            yield from connection.sql(query).to_arrow_reader(BATCH)

    try:
        cuts = _cuts(connection, files, test)
        rows, letters = new.size()
        ranges = id_ranges(new, rows, letters, files.policy.policy.engine.memory)
        found = read_rows(batches(ranges), rows, letters, trained_on)
    except (duckdb.Error, pa.ArrowException) as error:
        raise world_error(error, new.shown) from error
    if not found.size:
        raise WorldError(
            f"no row of {new.shown} can be judged: of {found.seen:,}, {found.unlabelled:,} have no label, "
            f"{found.unmatched:,} have no earlier prediction and {found.leaked_at_all:,} were trained on",
            "the test set needs labelled rows that no model was trained on",
        )
    sample = _sample(files, found, (new, old), cuts)
    return Loaded(sample, leaked=found.leaked, unlabelled=found.unlabelled, unmatched=found.unmatched)


@dataclass(frozen=True)
class _Cuts:
    """Everything that is asked of the test table: slices, groups, and columns to look at."""

    slices: tuple[Cut, ...] = ()
    group: Cut | None = None
    weak: tuple[Cut, ...] = ()
    fair: tuple[Cut, ...] = ()

    @property
    def all(self) -> list[Cut]:
        """In the order of their columns."""
        return [*self.slices, *self.weak, *self.fair, *([self.group] if self.group is not None else [])]


def _cuts(connection: duckdb.DuckDBPyConnection, files: PredictionFiles, test: TableSchema | None) -> _Cuts:
    if test is None:
        return _Cuts()
    cutter, gate = Cutter(connection, test, files.policy), files.gate
    weak = gate.weak.features if gate.weak is not None else ()
    fair = gate.fairness.groups if gate.fairness is not None else ()
    return _Cuts(
        slices=tuple(cutter.cuts(gate.slices)),
        group=cutter.group(gate.group) if gate.group is not None else None,
        weak=tuple(cutter.feature(name, f"weak{i}", "gate", "weak", "features") for i, name in enumerate(weak)),
        fair=tuple(cutter.feature(name, f"fair{i}", "gate", "fairness", "groups") for i, name in enumerate(fair)),
    )


def _sample(
    files: PredictionFiles,
    rows: PredictionRows,
    sides: tuple[PredictionTable, PredictionTable | None],
    cuts: _Cuts,
) -> Sample:
    new, old = sides
    whole = Part(None, None, ("gate", "metrics"), files.gate.metrics)
    codes = [rows.columns.pop(f"m{i}") for i in range(len(cuts.all))]
    first, last = len(cuts.slices), len(cuts.slices) + len(cuts.weak)
    looked = [
        Feature(code, tuple(part.name or "" for part in cut.parts))
        for cut, code in zip(cuts.all[first:], codes[first:], strict=True)
        if cut is not cuts.group
    ]
    slices = []
    for cut in cuts.slices:
        slices += cut.found(codes.pop(0), rows.room)
    for part in slices:
        _check_rows(files, part)
    task = files.model.task
    classes = _classes(rows, new, old) if task == "multiclass" else ()
    for part in (whole, *slices):
        _check_classes(files, part, classes)
    return Sample(
        task=task,
        ids=rows.ids,
        label=_coded(rows, "label", task, classes),
        new=_answers(rows, "new", new, task, classes),
        old=_answers(rows, "old", old, task, classes) if old is not None else None,
        parts=(whole, *slices),
        classes=classes,
        own=own_metrics(files.root, files.policy),
        group=group_codes(codes[-1], rows.room) if cuts.group is not None else None,
        features=tuple(looked[: last - first]),
        groups=tuple(looked[last - first :]),
        room=rows.room,
    )


def _check_rows(files: PredictionFiles, part: Part) -> None:
    """A slice that the policy names must have rows, or its promise is empty.

    Raises:
        PolicyError: It has none.
    """
    if part.rows is None or part.rows.size:
        return
    raise PolicyError(
        f"{files.policy.place(*part.path)}: no test row that can be judged is in the slice `{part.name}`",
        "correct its condition, or add such rows to the test set",
    )


def _classes(rows: PredictionRows, new: PredictionTable, old: PredictionTable | None) -> tuple[str, ...]:
    names = {word for words in rows.words.values() for word in words}
    for side in (new, old):
        names |= {score.removeprefix("score_") for score in (side.scores if side else ())}
    return tuple(sorted(names))


def _check_classes(files: PredictionFiles, part: Part, classes: tuple[str, ...]) -> None:
    """A metric of a class is of one that a label or a model names.

    Raises:
        PolicyError: It is not.
    """
    for metric in part.metrics:
        one = class_metric(metric)
        if one is not None and files.model.task == "multiclass" and one[1] not in classes:
            close = difflib.get_close_matches(one[1], classes, n=1, cutoff=0.5)
            raise PolicyError(
                f"{files.policy.place(*part.path, metric)}: no row has the class {one[1]!r}"
                + (f"; did you mean `{one[0]}_{close[0]}`?" if close else ""),
                f"classes are {', '.join(classes)}",
            )


def _coded(rows: PredictionRows, name: str, task: str, classes: tuple[str, ...]) -> npt.NDArray[Any]:
    values = rows.columns.pop(name)
    if task == "binary":
        return values.view(bool)
    if task == "regression":
        return values
    places = np.array([classes.index(word) for word in rows.words[name]], dtype=np.int64)
    for span in spans(values.size):
        values[span] = places[values[span]]
    return values


def _answers(rows: PredictionRows, name: str, side: PredictionTable, task: str, classes: tuple[str, ...]) -> Answers:
    decision = _coded(rows, f"{name}_decision", task, classes)
    if not side.scores:
        return Answers(decision)
    if task == "binary":
        return Answers(decision, rows.columns.pop(f"{name}_s0"))
    score = rows.room((rows.size, len(classes)), np.float64)
    score[:] = 0
    for i, column in enumerate(side.scores):
        score[:, classes.index(column.removeprefix("score_"))] = rows.columns.pop(f"{name}_s{i}")
    return Answers(decision, score)
