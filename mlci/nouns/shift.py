"""How far a column has moved from its reference."""

from __future__ import annotations

from mlci.nouns.base import Noun


class NumericShift(Noun):
    """Distances between two samples of numbers.

    Attributes:
        ks: Kolmogorov-Smirnov's distance, at most the reference's `error` too small.
        w1: Wasserstein's distance in standard deviations of the reference; None where that has none.
        rows: Values now.
        reference: Values then.
    """

    ks: float
    w1: float | None
    rows: int
    reference: int


class CategoricalShift(Noun):
    """Population stability index of two samples over `bins` categories."""

    psi: float
    bins: int
    rows: int
    reference: int
