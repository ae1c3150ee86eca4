"""Slices that nobody named and on which the candidate is credibly worse: found, reported, never judged.

Every value of each feature, and every pair of values of two, is a cell. The cells' means are taken as draws from one
normal distribution around the mean of all rows, whose spread is estimated from them (DerSimonian and Laird (1986),
Controlled Clinical Trials 7:177-188). Each cell is shrunk towards the mean by that, so that the worst of many noisy
cells does not look bad only because there are many: Gelman, Hill, Yajima (2012), J. Research on Educational
Effectiveness 5:189-211.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from mlci.judge.row_metrics import right, row_loss
from mlci.judge.stats.moments import Moments
from mlci.nouns.report import WeakSlice
from mlci.nouns.sample import spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from mlci.nouns.sample import Answers, Feature, Sample

    Floats = npt.NDArray[np.float64]

FEWEST_ROWS = 30
MOST = 10
_Z = 1.959964


class _Cell(NamedTuple):
    name: str
    parents: tuple[str, ...]
    rows: int
    mean: float
    excess: float
    low: float
    high: float


def weak_slices(sample: Sample, baseline: str | None = None) -> tuple[WeakSlice, ...]:
    """Up to ten slices, up to two features deep, where the candidate is worse than elsewhere, and ten than before.

    The measure is the share of wrong rows, or the mean absolute error of a regression. A pair of values is told only
    where it is credibly worse than each of its values alone.
    """
    if not sample.features:
        return ()
    found = _told(_counted(sample, sample.new), sample.features, "elsewhere", None)
    if sample.old is not None and baseline is not None:
        found += _told(_counted(sample, sample.new, sample.old), sample.features, "before", baseline)
    measure = "absolute error" if sample.task == "regression" else "wrong rows"
    return tuple(item.model_copy(update={"measure": measure}) for item in found)


def _loss(sample: Sample, answers: Answers) -> Floats:
    if sample.task == "regression":
        loss = row_loss("mae", sample, answers)
        assert loss is not None  # noqa: S101 - it needs no scores
        return loss
    return (~right(sample, answers)).astype(np.float64)


class _Sums(NamedTuple):
    """What is known of the losses of each cell of some features."""

    rows: npt.NDArray[np.int64]
    total: Floats
    squares: Floats


class _Counted(NamedTuple):
    """Losses, summed up by every value of a feature and by every pair of values of two."""

    whole: Moments
    by: dict[tuple[int, ...], _Sums]
    """By the features' places."""


def _counted(sample: Sample, answers: Answers, less: Answers | None = None) -> _Counted:
    """Sum up the losses of a model, or how much more they are than another's, block by block."""
    features = sample.features
    found = {
        each: _Sums(np.zeros(size, dtype=np.int64), np.zeros(size), np.zeros(size))
        for deep in (1, 2)
        for each in combinations(range(len(features)), deep)
        for size in (int(np.prod([len(features[i].names) for i in each])),)
    }
    whole = Moments()
    for span in spans(sample.size):
        some = sample.only(span)
        loss = _loss(some, answers.only(span))
        if less is not None:
            loss = loss - _loss(some, less.only(span))
        whole += Moments.of(loss)
        for places, sums in found.items():
            code = np.zeros(loss.size, dtype=np.int64)
            for feature in (features[i] for i in places):
                code = code * len(feature.names) + feature.codes[span]
            sums.rows[:] += np.bincount(code, minlength=sums.rows.size)
            sums.total[:] += np.bincount(code, weights=loss, minlength=sums.rows.size)
            sums.squares[:] += np.bincount(code, weights=loss * loss, minlength=sums.rows.size)
    return _Counted(whole, found)


def _told(
    counted: _Counted, features: Sequence[Feature], than: Literal["elsewhere", "before"], baseline: str | None
) -> list[WeakSlice]:
    target = counted.whole.mean if than == "elsewhere" else 0.0
    cells = {
        places: _cells(sums, counted.whole, [features[i] for i in places], target)
        for places, sums in counted.by.items()
    }
    singles = [cell for places, some in cells.items() if len(places) == 1 for cell in some]
    means = {cell.name: cell.mean for cell in singles}
    pairs = [cell for places, some in cells.items() if len(places) > 1 for cell in some]
    worst = [cell for cell in singles if cell.low > 0]
    worst += [
        cell for cell in pairs if cell.low > max(0.0, *(means.get(parent, target) - target for parent in cell.parents))
    ]
    worst.sort(key=lambda cell: (-cell.excess, cell.name))
    return [
        WeakSlice(
            slice=cell.name,
            rows=cell.rows,
            than=than,
            baseline=baseline,
            measured=cell.mean,
            excess=cell.excess,
            low=cell.low,
            high=cell.high,
        )
        for cell in worst[:MOST]
    ]


def _cells(sums: _Sums, whole: Moments, features: Sequence[Feature], target: float) -> list[_Cell]:
    """Every cell of at least 30 rows of one feature, or of two crossed, shrunk."""
    rows, total, squares = sums
    at = np.flatnonzero(rows >= FEWEST_ROWS)
    if at.size < 2:  # noqa: PLR2004 - one cell is all rows
        return []
    n = rows[at].astype(np.float64)
    mean = total[at] / n
    # One row more of the usual spread: a cell without any spread is not known exactly.
    within = (squares[at] - n * mean**2 + whole.second / whole.n) / n
    noise = np.maximum(within, 1e-12) / n
    between = _between(mean - target, noise)
    trust = between / (between + noise)
    excess, reach = trust * (mean - target), _Z * np.sqrt(trust * noise)
    cells = []
    for i, cell in enumerate(at):
        parents = _names(int(cell), features)
        numbers = (float(mean[i]), float(excess[i]), float(excess[i] - reach[i]), float(excess[i] + reach[i]))
        cells.append(_Cell(", ".join(parents), parents, int(n[i]), *numbers))
    return cells


def _names(cell: int, features: Sequence[Feature]) -> tuple[str, ...]:
    found = []
    for feature in reversed(features):
        cell, own = divmod(cell, len(feature.names))
        found.append(feature.names[own])
    return tuple(reversed(found))


def _between(away: Floats, noise: Floats) -> float:
    """Variance of the cells' true means about the common one, by the method of moments."""
    weight = 1 / noise
    q = float(np.sum(weight * away**2))
    return max(0.0, (q - away.size) / float(weight.sum()))
