"""How rates differ between groups of people: reported with intervals, never judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from mlci.judge.stats.paired import newcombe_interval
from mlci.nouns.report import GroupRate
from mlci.nouns.sample import spans

if TYPE_CHECKING:
    import numpy.typing as npt

    from mlci.nouns.sample import Feature, Sample

_LEVEL = 0.95
FEWEST_ROWS = 30
KINDS = ("selection rate", "true positive rate", "false positive rate")


def group_rates(sample: Sample, compared: Sample | None = None) -> tuple[GroupRate, ...]:
    """Selection rate, true and false positive rate of each group, how far from all others, and how far from before.

    Intervals are 95 %: Wilson's for a rate, Newcombe's for a difference of independent rates and for the change of a
    paired one. Groups with fewer than 30 rows that a rate is about have none.

    Args:
        sample: The candidate's answers.
        compared: Those of its rows that an old model has answered too, with both answers.

    Source: Newcombe (1998), Statistics in Medicine 17:873-890, method 10, and 17:2635-2650, method 10.
    """
    if sample.task != "binary":
        return ()
    found = []
    for place, feature in enumerate(sample.groups):
        for kind in KINDS:
            rows, hits = _counted(sample, feature, kind)
            for i, name in enumerate(feature.names):
                rest = (int(hits.sum() - hits[i]), int(rows.sum() - rows[i]))
                if rows[i] >= FEWEST_ROWS and rest[1] >= FEWEST_ROWS:
                    rate = _rate(kind, name, (int(hits[i]), int(rows[i])), rest)
                    found.append(rate.model_copy(update=_since(compared, place, kind, name)))
    return tuple(found)


def _about(sample: Sample, kind: str) -> npt.NDArray[np.bool_]:
    """The rows that a rate is about."""
    if kind == "selection rate":
        return np.ones(sample.size, dtype=np.bool_)
    return np.asarray(sample.label if kind == "true positive rate" else ~sample.label, dtype=np.bool_)


def _counted(sample: Sample, feature: Feature, kind: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows that a rate is about and those of them that are decided positive, by group."""
    counts = np.zeros((2, len(feature.names)), dtype=np.int64)
    for span in spans(sample.size):
        block, codes = sample.only(span), feature.codes[span]
        about = _about(block, kind)
        counts[0] += np.bincount(codes[about], minlength=len(feature.names))
        counts[1] += np.bincount(codes[about & block.new.decision], minlength=len(feature.names))
    return counts[0], counts[1]


def _since(compared: Sample | None, place: int, kind: str, name: str) -> dict[str, float]:
    """What became of a group's rate since the old model; nothing where too few rows have both answers."""
    if compared is None or compared.old is None or name not in compared.groups[place].names:
        return {}
    feature = compared.groups[place]
    code, counts = feature.names.index(name), np.zeros(4, dtype=np.int64)
    for span in spans(compared.size):
        block = compared.only(span)
        assert block.old is not None  # noqa: S101 - seen above
        mine = _about(block, kind) & (feature.codes[span] == code)
        counts += np.bincount(2 * block.new.decision[mine] + block.old.decision[mine].astype(np.int8), minlength=4)
    neither, lost, gained, both = counts.tolist()
    size = neither + lost + gained + both
    if size < FEWEST_ROWS:
        return {}
    low, high = newcombe_interval(both, gained, lost, neither, _LEVEL)
    return {
        "before": (both + lost) / size,
        "change": (gained - lost) / size,
        "change_low": low,
        "change_high": high,
    }


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
