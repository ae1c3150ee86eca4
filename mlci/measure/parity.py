"""Whether an exported model answers like the estimator that it was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlci.nouns.parity import Parity

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WORST = 5


def compare_scores(
    expected: NDArray[np.float64],
    got: NDArray[np.float64],
    *,
    threshold: float | None,
    tolerance: float,
    group: str = "the real rows",
    positive: int = 1,
) -> Parity:
    """Compare two scorings of the same rows over every output column.

    A row flips when the two decide it differently. Where the two scores agree within the tolerance, so that
    only a score that equals the threshold made the difference, it is a tie instead.

    Args:
        expected: Scores of the estimator, shape (rows, classes), or (rows, 1) for a regression.
        got: Scores of the exported model, same shape.
        threshold: The score from which a row of a binary model is decided positive; None: the largest score
            decides, and a single column decides nothing.
        tolerance: Largest difference that is rounding: absolute, relative where the score is larger than 1.
        group: What the rows are, for the reader.
        positive: Which column is the positive class of a binary model.

    Raises:
        ValueError: The shapes differ.
    """
    expected, got = np.asarray(expected, dtype=np.float64), np.asarray(got, dtype=np.float64)
    if expected.shape != got.shape:
        raise ValueError(f"the estimator gives scores of shape {expected.shape}, the exported model {got.shape}")
    nan = (np.isnan(expected) != np.isnan(got)).any(axis=1)
    difference = _row_differences(expected, got)
    flipped = _decisions(expected, threshold, positive) != _decisions(got, threshold, positive)
    equal = difference <= tolerance
    order = np.argsort(-np.where(nan, np.inf, difference), kind="stable")[:_WORST]
    worst = tuple(int(row) for row in order if nan[row] or difference[row] > 0)
    return Parity(
        group=group,
        rows=len(expected),
        tolerance=tolerance,
        max_difference=float(difference.max(initial=0.0)),
        flips=int((flipped & ~equal).sum()),
        ties=int((flipped & equal).sum()),
        nan_rows=int(nan.sum()),
        worst=worst,
    )


def _row_differences(expected: NDArray[np.float64], got: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest difference of each row; equal infinities and NaN on both sides differ by nothing."""
    with np.errstate(invalid="ignore"):
        difference = np.abs(expected - got) / np.maximum(1.0, np.abs(expected))
    difference = np.where((expected == got) | np.isnan(expected) | np.isnan(got), 0.0, difference)
    return np.asarray(np.where(np.isnan(difference), np.inf, difference).max(axis=1, initial=0.0))


def _decisions(scores: NDArray[np.float64], threshold: float | None, positive: int) -> NDArray[np.int64]:
    if scores.shape[1] == 1:
        return np.zeros(len(scores), dtype=np.int64)
    if threshold is not None:
        return np.asarray(scores[:, positive] >= threshold, dtype=np.int64)
    return np.asarray(np.where(np.isnan(scores), -np.inf, scores).argmax(axis=1), dtype=np.int64)
