"""What tests need to know of the rows, summed up block by block: memory does not grow with the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mlci.judge.row_metrics import is_right_metric, rights, row_loss
from mlci.judge.stats.counts import paired_counts
from mlci.judge.stats.moments import Moments
from mlci.nouns.sample import BLOCK, spans

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from mlci.nouns.policy import Cost
    from mlci.nouns.sample import Answers, Sample

    Floats = npt.NDArray[np.float64]


class PairedSums(NamedTuple):
    """A mean over rows of two models, and how the rows moved."""

    old: Moments
    new: Moments
    moved: Moments
    """Of new - old."""
    cells: tuple[int, int, int, int]
    """Of a share of right rows: both right, gained, lost, both wrong."""


def sums(metric: str, sample: Sample, answers: Answers, cost: Cost | None = None) -> Moments | None:
    """Moments of a mean over rows; None where it has no value here."""
    side = sample.side(answers)
    if side is None:
        return _sums(metric, sample, answers, cost)
    if sample.size > BLOCK and sample.old is not None and (both := paired_sums(metric, sample, cost)) is not None:
        return both.new if side == "new" else both.old
    return sample.memo.once(("sums", metric, cost, side), lambda: _sums(metric, sample, answers, cost))


def _sums(metric: str, sample: Sample, answers: Answers, cost: Cost | None) -> Moments | None:
    seen = Moments()
    for block, (said,) in _blocks(sample, answers):
        values = _values(metric, block, said, cost)
        if values is None:
            return None
        seen += Moments.of(values)
    return seen


def paired_sums(metric: str, sample: Sample, cost: Cost | None = None) -> PairedSums | None:
    """Sums of both models; None where the metric has no value here."""
    return sample.memo.once(("paired sums", metric, cost), lambda: _paired_sums(metric, sample, cost))


def _paired_sums(metric: str, sample: Sample, cost: Cost | None) -> PairedSums | None:
    assert sample.old is not None  # noqa: S101 - whoever compares has both
    old, new, moved, counts = Moments(), Moments(), Moments(), np.zeros(4, dtype=np.int64)
    for block, (before, after) in _blocks(sample, sample.old, sample.new):
        one, other = _values(metric, block, before, cost), _values(metric, block, after, cost)
        if one is None or other is None:
            return None
        old, new, moved = old + Moments.of(one), new + Moments.of(other), moved + Moments.of(other - one)
        if is_right_metric(metric):
            counts += np.bincount((3 - one - 2 * other).astype(np.int64), minlength=4)
    both, gained, lost, neither = (int(count) for count in counts)
    return PairedSums(old, new, moved, (both, gained, lost, neither))


def cells(sample: Sample, old: Answers, new: Answers, mine: int) -> npt.NDArray[np.int64]:
    """Rows by [label, old decision, new decision], each whether it is the class `mine`; shape (2, 2, 2)."""
    sides = sample.side(old), sample.side(new)
    if None in sides:
        return _cells(sample, old, new, mine)
    return sample.memo.once(("cells", mine, sides), lambda: _cells(sample, old, new, mine))


def _cells(sample: Sample, old: Answers, new: Answers, mine: int) -> npt.NDArray[np.int64]:
    seen = np.zeros((2, 2, 2), dtype=np.int64)
    for block, (before, after) in _blocks(sample, old, new):
        seen += paired_counts(block.label == mine, before.decision == mine, after.decision == mine)
    return seen


def _blocks(sample: Sample, *answers: Answers) -> Iterator[tuple[Sample, tuple[Answers, ...]]]:
    if sample.size <= BLOCK:
        yield sample, answers
        return
    for span in spans(sample.size, sample.room):
        yield sample.only(span), tuple(each.only(span) for each in answers)


def _values(metric: str, block: Sample, answers: Answers, cost: Cost | None) -> Floats | None:
    """What the mean is of, shape (n,).

    Raises:
        ValueError: A loss is not finite.
    """
    if is_right_metric(metric):
        seen = rights(metric, block, answers)
        return seen.astype(np.float64) if seen is not None else None
    values = row_loss(metric, block, answers, cost)
    if values is not None and not np.isfinite(values).all():
        raise ValueError(f"{metric}: losses hold NaN or infinities")
    return values
