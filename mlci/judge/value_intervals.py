"""How sure the numbers of one model are: an interval for each metric of its task, whether promised or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.judge.contrast import Terms, estimate_of, point
from mlci.nouns.change import Estimate
from mlci.nouns.metric import TASK_METRICS
from mlci.nouns.report import SliceValue

if TYPE_CHECKING:
    from mlci.nouns.policy import Gate, Model
    from mlci.nouns.sample import Sample

_MOST_VALUES = 500
# The limit decides nothing here; this one is inside the range of every metric that has a range.
_ANY = 0.5
_END = 0.05


def intervals(sample: Sample, gate: Gate, model: Model) -> dict[str, tuple[float, float]]:
    """90 % intervals of the candidate's metrics, by the tests that floors are judged by; groups are resampled whole.

    Args:
        sample: The rows, and what the candidate said of them.
        gate: For the seed of the bootstrap.
        model: For the task and the costs.

    Returns:
        Low and high end by metric; nothing for a metric of which the rows are too few to tell.
    """
    terms = Terms(_END, _END, gate.seed, model.cost)
    names = [name for name in TASK_METRICS[model.task] if name != "cost" or model.cost is not None]
    seen = {name: estimate_of(name, sample, _ANY, terms) for name in names}
    return {name: (one.low, one.high) for name, one in seen.items() if isinstance(one, Estimate)}


def slice_values(sample: Sample, gate: Gate, model: Model) -> tuple[SliceValue, ...]:
    """The candidate in every slice that the policy names: what the gate asks for, with 90 % intervals.

    Args:
        sample: The rows, and what the candidate said of them.
        gate: For its metrics, and the seed of the bootstrap.
        model: For the costs.
    """
    found = []
    for part in sample.parts:
        if part.name is None or part.rows is None or not len(part.rows):
            continue
        some = sample.part(part)
        for name in dict.fromkeys((*part.metrics, *gate.metrics)):
            # A metric of the project's own may take its time.
            value = point(name, some, some.new, model.cost) if name not in sample.own else None
            if value is None:
                continue
            seen = estimate_of(name, some, _ANY, Terms(_END, _END, gate.seed, model.cost))
            low, high = (seen.low, seen.high) if isinstance(seen, Estimate) else (None, None)
            found.append(SliceValue(slice=part.name, rows=some.size, metric=name, new=value, low=low, high=high))
            if len(found) == _MOST_VALUES:
                return tuple(found)
    return tuple(found)
