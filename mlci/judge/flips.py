"""Rows that changed between right and wrong: where they are, and some of them to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlci.judge.row_metrics import right
from mlci.nouns.finding import Flips, Rows
from mlci.nouns.sample import spans

if TYPE_CHECKING:
    import numpy.typing as npt

    from mlci.nouns.sample import Answers, Sample

MOST_EXAMPLES = 10
_NOISE = 1e-6
"""Scores of one model move by less, with the number of rows that are answered at once."""


def same_answers(sample: Sample) -> bool:
    """Whether both models said the same of every row: decisions, and scores up to rounding."""
    if sample.old is None or not _alike(sample.new.decision, sample.old.decision):
        return False
    new, old = sample.new.score, sample.old.score
    return new is old if new is None or old is None else _alike(new, old)


def _alike(one: npt.NDArray[np.generic], other: npt.NDArray[np.generic]) -> bool:
    if one.shape != other.shape:
        return False
    return all(
        np.allclose(one[span], other[span], rtol=_NOISE, atol=_NOISE, equal_nan=True)
        if one.dtype.kind == "f"
        else np.array_equal(one[span], other[span])
        for span in spans(len(one))
    )


def flips(sample: Sample) -> tuple[Flips, ...]:
    """Gained and lost rows of every slice, the whole first, with up to ten lost rows of the whole.

    None for a regression: its rows are not right or wrong.
    """
    if sample.old is None or sample.task == "regression":
        return ()
    moved = _moved(sample, sample.old)
    found = []
    for part in sample.parts:
        won, gone = _counted(moved, part.rows)
        examples = _examples(sample, sample.old, moved) if part.name is None and gone else None
        rows = sample.size if part.rows is None else len(part.rows)
        found.append(Flips(slice=part.name, rows=rows, gained=won, lost=gone, examples=examples))
    return tuple(found)


def _moved(sample: Sample, old: Answers) -> npt.NDArray[np.int8]:
    """1 for a row that is right now and was not, -1 for one that was and is not, else 0, shape (n,)."""
    moved: npt.NDArray[np.int8] = (sample.room or np.empty)((sample.size,), np.int8)
    for span in spans(sample.size, sample.room):
        block = sample.only(span)
        moved[span] = right(block, block.new).view(np.int8) - right(block, old.only(span)).view(np.int8)
    return moved


def _counted(moved: npt.NDArray[np.int8], rows: npt.NDArray[np.int32] | None) -> tuple[int, int]:
    """Gained and lost rows among these."""
    won = gone = 0
    for span in spans(len(moved) if rows is None else len(rows)):
        some = moved[span] if rows is None else moved[rows[span]]
        won, gone = won + int(np.count_nonzero(some > 0)), gone + int(np.count_nonzero(some < 0))
    return won, gone


def _examples(sample: Sample, old: Answers, moved: npt.NDArray[np.int8]) -> Rows:
    """The lost rows whose score moved most, or the first ones."""
    chosen = np.zeros(0, dtype=np.int64)
    apart = np.zeros(0)
    for span in spans(sample.size, sample.room):
        at = np.flatnonzero(moved[span] < 0) + span.start
        chosen = np.concatenate([chosen, at])
        if sample.task == "binary" and old.score is not None and sample.new.score is not None:
            apart = np.concatenate([apart, np.abs(sample.new.score[at] - old.score[at])])
            most = np.argsort(-apart, kind="stable")[:MOST_EXAMPLES]
            chosen, apart = chosen[most], apart[most]
        chosen = chosen[:MOST_EXAMPLES]
    return Rows(columns=("id", "label", "old", "new", "slices"), rows=tuple(_row(sample, old, int(i)) for i in chosen))


def _row(sample: Sample, old: Answers, i: int) -> tuple[str | None, ...]:
    slices = [
        part.name for part in sample.parts if part.name is not None and part.rows is not None and _holds(part.rows, i)
    ]
    return (
        str(sample.ids[i]),
        _label(sample, sample.label[i]),
        _said(sample, old, i),
        _said(sample, sample.new, i),
        ", ".join(slices) or None,
    )


def _holds(rows: npt.NDArray[np.int32], i: int) -> bool:
    at = int(np.searchsorted(rows, i))
    return at < rows.size and int(rows[at]) == i


def _label(sample: Sample, value: np.bool_ | np.int64) -> str:
    return sample.classes[int(value)] if sample.task == "multiclass" else str(int(value))


def _said(sample: Sample, answers: Answers, i: int) -> str:
    """The decision, with the score that led to it where there is one."""
    decision = _label(sample, answers.decision[i])
    if sample.task != "binary" or answers.score is None:
        return decision
    return f"{decision} ({answers.score[i]:.3f})"
