"""Rows put in bins by score, block by block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlci.nouns.sample import BLOCK, spans

if TYPE_CHECKING:
    import numpy.typing as npt

    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]

_LOOKED_AT = 1 << 16


def some(score: Floats) -> Floats:
    """All scores, or of a long sample some at even distances: enough to cut it into bins of about equally many rows."""
    return score if score.size <= BLOCK else score[:: -(-score.size // _LOOKED_AT)]


def binned(label: Bools, score: Floats, ends: Floats) -> tuple[Floats, Floats, Floats]:
    """Rows, sum of the scores and positives of each bin.

    Args:
        label: Shape (n,).
        score: Shape (n,).
        ends: Where bins meet, ascending, shape (k,); a score on an end is in the bin above.

    Returns:
        Three arrays of shape (k + 1,).
    """
    found = np.zeros((3, ends.size + 1))
    for span in spans(label.size):
        at = np.searchsorted(ends, score[span], side="right")
        for kind, weight in enumerate((None, score[span], label[span])):
            found[kind] += np.bincount(at, weights=weight, minlength=ends.size + 1)
    return found[0], found[1], found[2]
