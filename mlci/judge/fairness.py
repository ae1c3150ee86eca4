"""How rates differ between groups of people: reported with intervals, never judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from mlci.nouns.report import GroupRate

if TYPE_CHECKING:
    from mlci.nouns.sample import Sample

_LEVEL = 0.95
FEWEST_ROWS = 30


def group_rates(sample: Sample) -> tuple[GroupRate, ...]:
    """Selection rate, true and false positive rate of each group, and how far each is from all other groups together.

    Intervals are 95 %: Wilson's for a rate, Newcombe's for a difference of independent rates. Groups with fewer than
    30 rows that a rate is about have none.

    Source: Newcombe (1998), Statistics in Medicine 17:873-890, method 10.
    """
    if sample.task != "binary":
        return ()
    decision, label = sample.new.decision, sample.label
    found = []
    for feature in sample.groups:
        for kind, about in (
            ("selection rate", np.ones_like(label)),
            ("true positive rate", label),
            ("false positive rate", ~label),
        ):
            rows = np.bincount(feature.codes[about], minlength=len(feature.names))
            hits = np.bincount(feature.codes[about & decision], minlength=len(feature.names))
            for i, name in enumerate(feature.names):
                rest = (int(hits.sum() - hits[i]), int(rows.sum() - rows[i]))
                if rows[i] >= FEWEST_ROWS and rest[1] >= FEWEST_ROWS:
                    found.append(_rate(kind, name, (int(hits[i]), int(rows[i])), rest))
    return tuple(found)


def _rate(kind: str, name: str, own: tuple[int, int], rest: tuple[int, int]) -> GroupRate:
    rate, other = own[0] / own[1], rest[0] / rest[1]
    (low, high), (other_low, other_high) = wilson(*own), wilson(*rest)
    difference = rate - other
    return GroupRate.model_validate(
        {
            "kind": kind,
            "group": name,
            "rows": own[1],
            "rate": rate,
            "low": low,
            "high": high,
            "difference": difference,
            "difference_low": difference - float(np.hypot(rate - low, other_high - other)),
            "difference_high": difference + float(np.hypot(high - rate, other - other_low)),
        }
    )


def wilson(k: int, n: int) -> tuple[float, float]:
    """Wilson's score interval (1927) of a share.

    >>> [round(end, 4) for end in wilson(56, 70)]
    [0.6918, 0.8769]
    """
    z = float(ndtri((1 + _LEVEL) / 2))
    share, spread = k / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    reach = float(np.sqrt(spread * share * (1 - share) + spread * spread / 4)) / (1 + spread)
    return max(0.0, middle - reach), min(1.0, middle + reach)
