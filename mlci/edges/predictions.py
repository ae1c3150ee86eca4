"""Read predictions tables, join them by id with each other and with the test rows, and refuse what cannot be judged."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from mlci.edges.duck import session, world_error
from mlci.edges.own_metrics import own_metrics
from mlci.edges.prediction_table import Changed, PredictionTable, changed_rows, check_cover
from mlci.edges.slices import Cut, Cutter
from mlci.edges.tables import TableFiles, find_table, open_table
from mlci.errors import PolicyError, WorldError
from mlci.nouns.metric import class_metric
from mlci.nouns.sample import Answers, Feature, Part, Sample
from mlci.nouns.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

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

    def __init__(self, root: Path, policy: PolicyFile) -> None:
        if policy.policy.model is None or policy.policy.gate is None:
            raise PolicyError(
                f"{policy.file}: comparing needs `mlci.model` and `mlci.gate`",
                "add `model: {name, label, id}` and `gate: {metrics}`; see docs/reference/policy.md",
            )
        self.root = root
        self.policy = policy
        self.model: Model = policy.policy.model
        self.gate: Gate = policy.policy.gate

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
        new_files = find_table(self.root, self.gate.predictions)
        test_files = self._test_files()
        reads = [*new_files.files, *(test_files.files if test_files else ())]
        old_files = find_table(old.parent, old.name) if old is not None else None
        reads += [*old_files.files] if old_files else []
        with session(self.policy.policy.engine, reads=reads) as connection:
            new = PredictionTable(
                connection, open_table(connection, new_files, "new file"), self.gate.predictions, self.model
            )
            new.check()
            earlier = None
            if old_files is not None:
                schema = open_table(connection, old_files, "old file")
                earlier = PredictionTable(connection, schema, "the baseline's predictions", self.model)
                earlier.check()
            test = open_table(connection, test_files, "test file") if test_files else None
            if test is not None:
                check_cover(connection, test, new, self.gate.test, self.model)
            changed = changed_rows(connection, earlier, new, test, self.model) if earlier is not None else Changed()
            return replace(_join(connection, self, new, earlier, test, trained_on), changed=changed)

    def _test_files(self) -> TableFiles | None:
        """The test table; it may be absent where nothing asks for its columns."""
        try:
            return find_table(self.root, self.gate.test)
        except WorldError:
            gate = self.gate
            if gate.slices.named or gate.slices.by or gate.slices.bins or gate.group or gate.weak or gate.fairness:
                raise
            return None


def _join(
    connection: duckdb.DuckDBPyConnection,
    files: PredictionFiles,
    new: PredictionTable,
    old: PredictionTable | None,
    test: TableSchema | None,
    trained_on: Sequence[npt.NDArray[np.uint64]],
) -> Loaded:
    sources = [_source(new, "new")]
    columns = ["new.id AS id", "new.label AS label", "new.decision AS new_decision"]
    columns += [f"new.s{i} AS new_s{i}" for i in range(len(new.scores))]
    columns.append("CAST('0x' || left(md5(new.id), 10) AS UBIGINT) AS digest")
    if old is not None:
        sources.append(f"LEFT JOIN {_source(old, 'old')} ON old.id = new.id")
        columns += ["old.id IS NOT NULL AS matched", "coalesce(old.decision, new.decision) AS old_decision"]
        columns += [f"coalesce(old.s{i}, 0) AS old_s{i}" for i in range(len(old.scores))]
    cuts = _cuts(connection, files, test)
    if test is not None:
        wanted = cuts.all
        id_ = f"CAST(rows.{identifier(files.model.id)} AS VARCHAR) AS id"
        codes = "".join(f", {cut.sql} AS m{i}" for i, cut in enumerate(wanted))
        joins = " ".join(cut.join for cut in wanted)
        sources.append(
            f"JOIN (SELECT {id_}{codes} FROM {identifier(test.view)} AS rows {joins}) AS test ON test.id = new.id"
        )
        columns += [f"test.m{i} AS m{i}" for i in range(len(wanted))]
    query = f"SELECT {', '.join(columns)} FROM {' '.join(sources)} ORDER BY id"
    try:
        found = connection.execute(query).fetchnumpy()
    except duckdb.Error as error:
        raise world_error(error, new.shown) from error
    return _loaded(files, found, (new, old), cuts, trained_on)


def _source(side: PredictionTable, name: str) -> str:
    scores = "".join(f", CAST({identifier(column)} AS DOUBLE) AS s{i}" for i, column in enumerate(side.scores))
    return (
        f"(SELECT CAST({identifier(side.id)} AS VARCHAR) AS id, {side.label_sql()} AS label, "
        f"{side.decision_sql()} AS decision{scores} FROM {side.view}) AS {name}"
    )


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


def _loaded(
    files: PredictionFiles,
    found: dict[str, Any],
    sides: tuple[PredictionTable, PredictionTable | None],
    cuts: _Cuts,
    trained_on: Sequence[npt.NDArray[np.uint64]],
) -> Loaded:
    new, old = sides
    found = {name: np.ma.filled(values) if name == "id" else values for name, values in found.items()}
    labelled = ~np.ma.getmaskarray(found["label"])
    if files.model.task == "regression":
        labelled &= np.isfinite(np.ma.filled(found["label"], np.nan))
    matched = np.asarray(found["matched"]) if old is not None else np.ones(len(labelled), dtype=bool)
    leaked = np.zeros(len(labelled), dtype=bool)
    for digests in trained_on:
        leaked |= np.isin(np.asarray(found["digest"]), digests)
    kept = labelled & matched & ~leaked
    if not kept.any():
        raise WorldError(
            f"no row of {new.shown} can be judged: of {len(kept):,}, {int((~labelled).sum()):,} have no label, "
            f"{int((~matched).sum()):,} have no earlier prediction and {int(leaked.sum()):,} were trained on",
            "the test set needs labelled rows that no model was trained on",
        )
    rows = {name: np.asarray(np.ma.getdata(values)[kept]) for name, values in found.items()}
    return Loaded(
        _sample(files, rows, sides, cuts),
        leaked=int((leaked & labelled & matched).sum()),
        unlabelled=int((~labelled).sum()),
        unmatched=int((~matched).sum()),
    )


def _sample(
    files: PredictionFiles,
    rows: dict[str, Any],
    sides: tuple[PredictionTable, PredictionTable | None],
    cuts: _Cuts,
) -> Sample:
    new, old = sides
    whole = Part(None, None, ("gate", "metrics"), files.gate.metrics)
    codes = [rows.pop(f"m{i}") for i in range(len(cuts.all))]
    looked = [
        Feature(code.astype(np.int64), tuple(part.name or "" for part in cut.parts))
        for cut, code in zip(cuts.all, codes, strict=True)
    ]
    first, last = len(cuts.slices), len(cuts.slices) + len(cuts.weak)
    slices = [part for cut, code in zip(cuts.slices, codes, strict=False) for part in cut.found(code)]
    for part in slices:
        _check_rows(files, part)
    task = files.model.task
    classes = _classes(rows, new, old) if task == "multiclass" else ()
    for part in (whole, *slices):
        _check_classes(files, part, classes)
    return Sample(
        task=task,
        ids=rows["id"],
        label=_coded(rows["label"], task, classes),
        new=_answers(rows, "new", new, task, classes),
        old=_answers(rows, "old", old, task, classes) if old is not None else None,
        parts=(whole, *slices),
        classes=classes,
        own=own_metrics(files.root, files.policy),
        group=_groups(codes[-1]) if cuts.group is not None else None,
        features=tuple(looked[first:last]),
        groups=tuple(looked[last : last + len(cuts.fair)]),
    )


def _groups(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Codes from 0 without gaps; every row without a group, -1, is one of its own."""
    alone = codes < 0
    found = codes.astype(np.int64)
    found[alone] = found.max(initial=-1) + 1 + np.arange(np.count_nonzero(alone))
    return np.unique(found, return_inverse=True)[1]


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


def _classes(rows: dict[str, Any], new: PredictionTable, old: PredictionTable | None) -> tuple[str, ...]:
    names = {str(name) for key in ("label", "new_decision", "old_decision") if key in rows for name in set(rows[key])}
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


def _coded(values: Any, task: str, classes: tuple[str, ...]) -> Any:  # noqa: ANN401 - arrays of three kinds
    if task == "multiclass":
        return np.searchsorted(np.asarray(classes), values.astype(str)).astype(np.int64)
    return values.astype(bool if task == "binary" else np.float64)


def _answers(rows: dict[str, Any], name: str, side: PredictionTable, task: str, classes: tuple[str, ...]) -> Answers:
    decision = _coded(rows[f"{name}_decision"], task, classes)
    if not side.scores:
        return Answers(decision)
    if task == "binary":
        return Answers(decision, rows[f"{name}_s0"].astype(np.float64))
    score = np.zeros((len(decision), len(classes)))
    for i, column in enumerate(side.scores):
        score[:, classes.index(column.removeprefix("score_"))] = rows[f"{name}_s{i}"]
    return Answers(decision, score)
