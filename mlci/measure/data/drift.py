"""How far a column has moved from its reference: effect sizes from counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlci.nouns.shift import CategoricalShift, NumericShift

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlci.nouns.reference import CategoricalReference, NumericReference

CATEGORIES = 100
"""Of so many values the shares are compared one by one, all others together."""
_RARE = 5
"""A value that the reference has less often is counted among the others."""


def numeric_shift(reference: NumericReference, counts: NDArray[np.int64]) -> NumericShift:
    """The distances between the reference's counts and today's between the same edges.

    Args:
        reference: The reference.
        counts: Today's values in each bin, shape (edges + 1,); at least one value in all.
    """
    then, now = np.asarray(reference.counts, dtype=np.int64), counts
    apart = np.abs(np.cumsum(now) / now.sum() - np.cumsum(then) / then.sum())[:-1]
    edges = np.asarray(reference.edges)
    # Between two edges both distribution functions are taken for straight lines.
    w1 = float(np.sum((apart[1:] + apart[:-1]) / 2 * np.diff(edges)))
    scaled = w1 / reference.std if reference.std > 0 else None
    ks = float(apart.max(initial=0.0))
    return NumericShift(ks=ks, w1=scaled, rows=int(now.sum()), reference=reference.rows)


def compared_names(reference: CategoricalReference) -> tuple[str, ...]:
    """The values whose shares are compared one by one."""
    pairs = zip(reference.names, reference.counts, strict=True)
    return tuple(name for name, count in pairs if count >= _RARE)[:CATEGORIES]


def categorical_shift(reference: CategoricalReference, counts: Mapping[int, int], missing: int) -> CategoricalShift:
    """Population stability index: the sum over categories of (q - p) ln(q / p).

    Half a row is added to every category, so that one that occurs on one side only has a logarithm.

    Args:
        reference: The reference.
        counts: Today's rows of each of `compared_names`, counted from 1; 0 for all other values.
        missing: Today's rows without a value, which are a category of their own.

    Source: Yurdakul (2018), Statistical properties of the population stability index.
    """
    names = compared_names(reference)
    known = np.array([*reference.counts[: len(names)]], dtype=np.float64)
    then = np.array([*known, reference.rows - known.sum(), reference.missing])
    now = np.array([*(counts.get(index, 0) for index in range(1, len(names) + 1)), counts.get(0, 0), missing])
    met = then + now > 0
    then, now = then[met] + 0.5, now[met] + 0.5
    p, q = then / then.sum(), now / now.sum()
    psi = float(np.sum((q - p) * np.log(q / p)))
    rows = sum(counts.values()) + missing
    return CategoricalShift(psi=psi, bins=int(met.sum()), rows=rows, reference=reference.rows + reference.missing)
