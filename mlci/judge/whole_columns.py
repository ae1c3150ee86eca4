"""What of a gate needs whole columns of the predictions at once, so that memory grows with the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlci.nouns.policy import Gate
    from mlci.nouns.sample import Sample

_GROUPED = 64
"""Bytes of a row of what is summed up by group: codes, and several numbers of each model."""


def whole_columns(sample: Sample, gate: Gate, memory: int) -> Iterator[str]:
    """A sentence for each thing that takes more than so many bytes, with the mend.

    Args:
        sample: The rows.
        gate: For the metrics that are asked for, and the group.
        memory: Of the engine, in bytes.
    """
    answers = [each for each in (sample.new, sample.old) if each is not None]
    held = [sample.label, *(each.decision for each in answers), *(each.score for each in answers)]
    columns = sum(each.nbytes for each in held if each is not None)
    asked = {name for part in sample.parts for name in part.metrics} | set(gate.metrics)
    if columns > memory:
        for name in sorted(asked & set(sample.own)):
            yield (
                f"the metric {name} is a function of whole columns, {columns / 1e9:.1f} GB of {sample.size:,} rows and "
                "what it makes of them; mlci.engine.memory does not bound it: where memory runs out, judge fewer rows"
            )
    if sample.group is not None and _GROUPED * sample.size > memory:
        yield (
            f"gate.group sums up by group in memory, about {_GROUPED * sample.size / 1e9:.1f} GB for {sample.size:,} "
            "rows; mlci.engine.memory does not bound it: where memory runs out, leave it out, or judge fewer rows"
        )
