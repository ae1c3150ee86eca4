"""In which bin of a watched stream each row is."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from mlci.nouns.monitoring import Watched

OTHER, MISSING = "other values", "missing"
MOST_NAMES = 20
FINE = 100


def is_numeric(values: npt.NDArray[Any]) -> bool:
    """Whether the values are numbers."""
    return values.dtype.kind == "f"


def common_names(values: npt.NDArray[Any]) -> tuple[str, ...]:
    """The most frequent texts, at most so many that each has a bin."""
    counts = Counter(str(value) for value in values if value is not None)
    return tuple(name for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST_NAMES])


def codes(watched: Watched, values: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """For each value the number of its bin, as the stream's parts are counted."""
    if watched.numeric:
        numbers = values.astype(np.float64)
        at = np.searchsorted(np.array(watched.edges), numbers, side="left")
        return np.where(np.isnan(numbers), len(watched.edges) + 1, at).astype(np.intp)
    place = {name: number for number, name in enumerate(watched.names)}
    other, missing = len(place), len(place) + 1
    found = (missing if value is None else place.get(str(value), other) for value in values)
    return np.fromiter(found, dtype=np.intp, count=values.size)


def fine_counts(edges: tuple[float, ...], values: npt.NDArray[Any]) -> tuple[int, ...]:
    """Numbers between the finer edges; missing ones are left out."""
    numbers = values.astype(np.float64)
    at = np.searchsorted(np.array(edges), numbers[~np.isnan(numbers)], side="left")
    return tuple(int(count) for count in np.bincount(at, minlength=len(edges) + 1))
