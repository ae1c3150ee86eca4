"""How many rows of the other class each row is above: by one sort, or by many small ones where rows are many.

Many rows are first put into buckets by score. What is as long as the rows - the order and the places - is made where
there is room, which may be a file; what is sorted at a time is one bucket. The places are the same to the last digit,
because they are counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mlci.nouns.sample import BLOCK, spans

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from mlci.nouns.sample import Room

    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Scores = npt.NDArray[np.floating[Any]]

_LOOKED_AT = 1 << 16
"""Scores that the buckets' ends are found by: of a bucket of so many rows as a block, some hundreds."""


class _Bucket(NamedTuple):
    """Rows whose scores no other row's score lies between."""

    rows: slice
    """Where they are in the order."""
    below: tuple[int, int]
    """Negatives and positives with lower scores."""
    inside: tuple[int, int]
    """Negatives and positives of the bucket."""
    same: bool
    """Whether all its scores are the same, so that it needs no sorting, however large."""


def counts_below(label: Bools, score: Scores, room: Room | None = None) -> Floats:
    """Rows of the other class with a lower score, and half of those with the same, of each row, shape (n,).

    >>> counts_below(np.array([True, False, True]), np.array([0.5, 0.5, 0.9])).tolist()
    [0.5, 0.5, 1.0]
    """
    if label.size <= BLOCK:
        return _sorted_at_once(label, score)
    made: Room = np.empty if room is None else room
    ends, same = _ends(score)
    buckets = _buckets(label, score, ends, same)
    order = _order(score, ends, buckets, made)
    found: Floats = made((label.size,), np.float64)
    for bucket in buckets:
        for rows in _pieces(order, bucket):
            mine = label[rows]
            below = np.where(mine, *bucket.below)
            if bucket.same:
                found[rows] = below + np.where(mine, *bucket.inside) / 2
            else:
                found[rows] = below + _sorted_at_once(mine, score[rows])
    return found


def _sorted_at_once(label: Bools, score: Scores) -> Floats:
    order = np.argsort(score)
    ordered, positive = score[order], label[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    hits = np.append(0, np.cumsum(positive))
    ends = np.append(starts[1:], score.size)
    # Mean of the counts before and after a run of tied scores: the run's own rows count half.
    positives = (hits[starts] + hits[ends]) / 2
    negatives = (starts + ends) / 2 - positives
    place = np.empty(score.size)
    place[order] = np.where(positive, np.repeat(negatives, ends - starts), np.repeat(positives, ends - starts))
    return place


def _ends(score: Scores) -> tuple[Scores, Bools]:
    """Lower ends of the buckets but the first's, ascending, and which buckets hold one score alone.

    A score that many rows have would be the end of several buckets: it gets one of its own.
    """
    looked = np.sort(score[:: -(-score.size // _LOOKED_AT)])
    wanted = looked[np.linspace(0, looked.size - 1, 4 * (score.size // BLOCK) + 1).astype(np.int64)[1:-1]]
    ends, often = np.unique(wanted, return_counts=True)
    many = ends[often > 1]
    ends = np.unique(np.concatenate([ends, np.nextafter(many, np.inf).astype(score.dtype)]))
    return ends, np.append(False, np.isin(ends, many))


def _buckets(label: Bools, score: Scores, ends: Scores, same: Bools) -> list[_Bucket]:
    seen = np.zeros((2, ends.size + 1), dtype=np.int64)
    for span in spans(label.size):
        at = np.searchsorted(ends, score[span], side="right")
        for kind, rows in enumerate((~label[span], label[span])):
            seen[kind] += np.bincount(at[rows], minlength=ends.size + 1)
    below = np.cumsum(seen, axis=1) - seen
    starts = np.append(0, np.cumsum(seen.sum(axis=0))).tolist()
    return [
        _Bucket(
            slice(starts[i], starts[i + 1]),
            (int(below[0, i]), int(below[1, i])),
            (int(seen[0, i]), int(seen[1, i])),
            bool(same[i]),
        )
        for i in range(same.size)
    ]


def _order(score: Scores, ends: Scores, buckets: list[_Bucket], made: Room) -> npt.NDArray[np.integer[Any]]:
    """The rows, bucket by bucket."""
    order = made((score.size,), np.uint32 if score.size < 1 << 32 else np.int64)
    free = np.array([bucket.rows.start for bucket in buckets])
    for span in spans(score.size, made):
        at = np.searchsorted(ends, score[span], side="right").astype(np.uint16)
        sorted_, counts = np.argsort(at, kind="stable"), np.bincount(at, minlength=free.size)
        starts = np.cumsum(counts) - counts
        for i in np.flatnonzero(counts).tolist():
            rows = sorted_[starts[i] : starts[i] + counts[i]]
            order[free[i] : free[i] + counts[i]] = rows + span.start
        free += counts
    return order


def _pieces(order: npt.NDArray[np.integer[Any]], bucket: _Bucket) -> Iterator[npt.NDArray[np.integer[Any]]]:
    """A bucket's rows: at once where they must be sorted, else in blocks."""
    rows = order[bucket.rows]
    return (rows[span] for span in spans(rows.size)) if bucket.same else iter((rows,) if rows.size else ())
