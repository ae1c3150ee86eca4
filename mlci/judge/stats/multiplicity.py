"""One error bound over many checks: Tarone's selection, then Holm's steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


class Corrected(NamedTuple):
    """What a correction says about each test, in the order given."""

    rejected: npt.NDArray[np.bool_]
    adjusted: npt.NDArray[np.float64]
    """Holm's adjusted p among the kept tests, 1 for the others: rejected exactly where it is <= alpha."""
    threshold: npt.NDArray[np.float64]
    """What the raw p is compared with, alpha over the tests not yet rejected; 0 for a test that was not kept."""
    kept: npt.NDArray[np.bool_]
    """False for a test that could not have rejected whatever its answer."""


def tarone_kept(smallest: npt.ArrayLike, alpha: float) -> npt.NDArray[np.bool_]:
    """Which tests are worth correcting for: smallest attainable p <= alpha/K, K the least with at most K such tests.

    Source: Tarone (1990), Biometrics 46:515-522.

    >>> tarone_kept([0.001, 0.02, 0.03, 0.5], alpha=0.05).tolist()
    [True, True, False, False]
    """
    attainable = np.asarray(smallest, dtype=np.float64)
    k = next(k for k in range(1, attainable.size + 2) if np.count_nonzero(attainable <= alpha / k) <= k)
    return np.asarray(attainable <= alpha / k, dtype=np.bool_)


def tarone_holm(p: npt.ArrayLike, smallest: npt.ArrayLike, alpha: float) -> Corrected:
    """Reject so that any false rejection among all tests has probability at most alpha, however they depend.

    The selection looks only at what each test could have answered (its discordant rows), never at what it did, so
    Holm among the kept tests stays valid. Tests with no such limit have a smallest p of 0 and are always kept.

    Args:
        p: one-sided p-values.
        smallest: the smallest p that each test could have given; none above its p.
        alpha: the bound for all tests together.

    Source: Tarone (1990); Holm (1979), Scandinavian Journal of Statistics 6:65-70.
    """
    values = np.asarray(p, dtype=np.float64)
    kept = tarone_kept(smallest, alpha)
    adjusted, threshold = np.ones(values.size), np.zeros(values.size)
    chosen = np.flatnonzero(kept)
    order = chosen[np.argsort(values[chosen], kind="stable")]
    # Tests not yet rejected at each step; tied p-values share a step, so that their order does not matter.
    left = order.size - np.searchsorted(values[order], values[order], side="left")
    adjusted[order] = np.minimum(np.maximum.accumulate(values[order] * left), 1.0)
    # Steps stop at the first p that does not reject: all that follow meet the threshold at which they stopped.
    stopped = int(np.argmax(np.append(adjusted[order] > alpha, values=True)))
    threshold[order] = alpha / np.maximum(left, order.size - stopped)
    return Corrected(adjusted <= alpha, adjusted, threshold, kept)


def holm(p: npt.ArrayLike, alpha: float) -> Corrected:
    """Holm's procedure: the same without knowledge of what each test could have answered."""
    return tarone_holm(p, np.zeros(np.asarray(p).size), alpha)
