"""Set the candidate and one baseline side by side: whose answers, on which rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.files import digest
from mlci.edges.policy_file import parse_policy
from mlci.edges.revisions import NotKept
from mlci.edges.row_digests import read_row_digests
from mlci.errors import MemoryLimitError, MlciError, PolicyError, WorldError
from mlci.judge.flips import flips, same_answers
from mlci.nouns import units
from mlci.nouns.finding import Comparison

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    import numpy.typing as npt

    from mlci.edges.git import History
    from mlci.edges.predictions import Loaded, PredictionFiles
    from mlci.edges.revisions import Revisions
    from mlci.flows.baseline import Baseline
    from mlci.nouns.policy import PolicyFile
    from mlci.nouns.sample import Sample

RESCORED = Path(".cache/mlci/rescored")


class Met(NamedTuple):
    """What came of one baseline: how it was compared, and on which rows."""

    comparison: Comparison
    sample: Sample | None


@dataclass(frozen=True)
class Case:
    """Everything that comparing needs to know of where it runs."""

    root: Path
    policy: PolicyFile
    files: PredictionFiles
    history: History
    revisions: Revisions
    say: Callable[[str], None]


def trained_on_here(case: Case) -> list[npt.NDArray[np.uint64]]:
    """Digests of the rows that the candidate was trained on; none where nobody kept them."""
    file = case.root / case.files.gate.trained_on
    return [read_row_digests(file)] if file.is_file() else []


def meet(case: Case, one: Baseline, own: list[npt.NDArray[np.uint64]]) -> Met:
    """Compare with one baseline, as far as that is possible."""
    comparison = Comparison(
        baseline=one.name,
        status="compared" if one.status == "found" else one.status,
        reason="" if one.status == "found" else one.reason,
        commit=one.commit,
        model=one.version,
    )
    if one.status != "found":
        return Met(comparison, None)
    case.say(f"comparing with {one.name} {one.commit[:10]}")
    theirs = _trained_on(case, one.commit)
    trained_on = [*own, *([theirs] if theirs is not None else [])]
    try:
        loaded, rescored, notes = _answers(case, one, trained_on)
    except _NotComparableError as why:
        return Met(comparison.model_copy(update={"status": "not_comparable", "reason": str(why)}), None)
    if one.same_model:
        notes = ("the model is the same, and its answers differ", *notes)
    if theirs is None and own:
        notes = (*notes, f"which rows it was trained on is not known (no {case.files.gate.trained_on} there)")
    changed = tuple(_changed(loaded))
    notes = (*notes, *changed)
    sample = loaded.sample
    if one.same_model and not changed and same_answers(sample):
        # Its predictions are another file, for other rows or written anew, and say what they said.
        return Met(comparison.model_copy(update={"status": "unchanged", "reason": one.reason}), None)
    facts = {
        "reason": _sentence(notes),
        "rows": sample.size,
        "leaked": loaded.leaked,
        "rescored": rescored,
        "flips": flips(sample),
    }
    return Met(comparison.model_copy(update=facts), sample)


class _NotComparableError(Exception):
    """The two models cannot be set side by side on any row; says why."""


def _sentence(notes: Sequence[str]) -> str:
    text = "; ".join(notes)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _changed(loaded: Loaded) -> Iterator[str]:
    """How today's test rows differ from those that the baseline was judged by."""
    if loaded.changed.relabelled:
        yield f"the labels of {units.rows(loaded.changed.relabelled)} are not those that it was judged by"
    if loaded.changed.gone:
        yield f"{units.rows(loaded.changed.gone)} of those that it was judged by are no test rows any more"


def _trained_on(case: Case, commit: str) -> npt.NDArray[np.uint64] | None:
    path = case.files.gate.trained_on
    if not case.revisions.version(commit, path):
        return None
    try:
        return read_row_digests(case.revisions.fetch(commit, path))
    except NotKept:
        return None


def _answers(
    case: Case, one: Baseline, trained_on: list[npt.NDArray[np.uint64]]
) -> tuple[Loaded, bool, tuple[str, ...]]:
    """The baseline's answers to today's test rows: its own predictions if they cover the rows, else its model's.

    What Git and DVC's cache hold comes first; a remote is asked only for what neither can answer.
    """
    path = case.files.gate.predictions
    kept, _ = _predicted(case, lambda: case.revisions.at_hand(one.commit, path), trained_on)
    if kept is not None and kept.unmatched == 0:
        return kept, False, ()
    try:
        return case.files.load(_rescore(case, one), trained_on), True, ()
    except MemoryLimitError:
        raise
    except MlciError as error:
        no_model = error
    fetched, no_predictions = _predicted(case, lambda: case.revisions.fetch(one.commit, path), trained_on)
    if fetched is None:
        answerless = isinstance(no_model, NotKept) or not case.revisions.version(one.commit, case.files.model.path)
        if answerless and isinstance(no_predictions, NotKept):
            raise no_predictions from no_model
        raise _NotComparableError(_sentence((no_model.problem, _problem(no_predictions)))) from no_model
    if fetched.unmatched == 0:
        return fetched, False, ()
    rows = fetched.sample.size + fetched.unmatched
    return (
        fetched,
        False,
        (f"only {fetched.sample.size:,} of {rows:,} test rows were predicted before ({no_model.problem})",),
    )


def _predicted(
    case: Case, find: Callable[[], Path | None], trained_on: list[npt.NDArray[np.uint64]]
) -> tuple[Loaded | None, WorldError | None]:
    """The rows that earlier predictions cover, or why there are none."""
    try:
        file = find()
        return (case.files.load(file, trained_on), None) if file is not None else (None, None)
    except MemoryLimitError:
        # It says nothing of the baseline.
        raise
    except WorldError as error:
        return None, error


def _problem(error: WorldError | None) -> str:
    return error.problem if error is not None else "there are no earlier predictions"


def _rescore(case: Case, one: Baseline) -> Path:
    """The old model's predictions on today's test table, kept for the next run."""
    from mlci.edges.onnx.score import score_table  # noqa: PLC0415 - the runtime is heavy and not always needed
    from mlci.edges.onnx.session import OnnxModel  # noqa: PLC0415

    model_path, test = case.files.model.path, case.root / case.files.gate.test
    if not case.revisions.version(one.commit, model_path):
        raise WorldError(f"commit {one.commit[:10]} has no {model_path} to run on today's test rows")
    model = case.revisions.fetch(one.commit, model_path)
    threshold = _threshold(case, one.commit)
    name = f"{digest(model)[:16]}-{digest(test)[:16]}-{threshold:g}.parquet"
    target = case.root / RESCORED / name
    if not target.exists():
        case.say(f"running the model of {one.commit[:10]} on {case.files.gate.test}")
        loaded = OnnxModel.load(model)
        score_table(loaded, test, target, id=case.files.model.id, label=case.files.model.label, threshold=threshold)
    return target


def _threshold(case: Case, commit: str) -> float:
    """Decisions are made at the threshold of their time."""
    text = case.history.read(commit, case.policy.file)
    if text is None:
        return case.files.model.threshold
    try:
        model = parse_policy(text.decode("utf-8", "replace"), case.policy.file).policy.model
    except PolicyError:
        model = None
    return model.threshold if model is not None else case.files.model.threshold
