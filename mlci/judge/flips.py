"""Rows that changed between right and wrong: where they are, and some of them to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlci.judge.row_metrics import right
from mlci.nouns.finding import Flips, Rows

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
    if one.dtype.kind != "f":
        return np.array_equal(one, other)
    return one.shape == other.shape and np.allclose(one, other, rtol=_NOISE, atol=_NOISE, equal_nan=True)


def flips(sample: Sample) -> tuple[Flips, ...]:
    """Gained and lost rows of every slice, the whole first, with up to ten lost rows of the whole.

    None for a regression: its rows are not right or wrong.
    """
    if sample.old is None or sample.task == "regression":
        return ()
    before, after = right(sample, sample.old), right(sample, sample.new)
    gained, lost = after & ~before, before & ~after
    found = []
    for part in sample.parts:
        won, gone = (gained, lost) if part.rows is None else (gained[part.rows], lost[part.rows])
        examples = _examples(sample, sample.old, lost) if part.name is None and lost.any() else None
        found.append(
            Flips(
                slice=part.name,
                rows=won.size,
                gained=int(np.count_nonzero(won)),
                lost=int(np.count_nonzero(gone)),
                examples=examples,
            )
        )
    return tuple(found)


def _examples(sample: Sample, old: Answers, lost: npt.NDArray[np.bool_]) -> Rows:
    """The lost rows whose score moved most."""
    at = np.flatnonzero(lost)
    if sample.task == "binary" and old.score is not None and sample.new.score is not None:
        moved = np.abs(sample.new.score[at] - old.score[at])
        at = at[np.argsort(-moved, kind="stable")]
    chosen = at[:MOST_EXAMPLES]
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
