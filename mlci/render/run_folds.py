"""What is told of the run itself: what it took, and what a stage wrote before it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.nouns.comment import Spent
from mlci.render.tables import MOST_NAME, Fold
from mlci.render.text import clean, markdown_fence, markdown_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlci.nouns.finding import Verdict
    from mlci.nouns.report import Timing

_REPRODUCING = "reproducing the pipeline"
_MOST_LINES, _MOST_LETTERS = 60, 300
_FEW_LINES = 20
"""What is no longer than this is read without a click."""
_LEAST = 0.05  # seconds that are worth a line


def output_folds(verdict: Verdict) -> Iterator[Fold]:
    """The last lines of every stage that failed, each for itself."""
    for finding in verdict.findings:
        if finding.output:
            summary = f"What came last: {markdown_text(finding.title, MOST_NAME)}"
            lines = tuple(clean(line, _MOST_LETTERS) for line in finding.output[-_MOST_LINES:])
            yield Fold("output", 0, summary, (), (markdown_fence(lines, "text"),), open=len(lines) <= _FEW_LINES)


def parts(timing: Timing | None) -> tuple[Spent, ...]:
    """What a run took, part by part: every stage by its name, and the rest by what was done.

    >>> from mlci.nouns.report import Timing
    >>> stages = (Spent(what="train", seconds=5),)
    >>> [(part.what, part.seconds) for part in parts(Timing(
    ...     seconds=9, stages=stages, steps=(Spent(what="reproducing the pipeline", seconds=8),)))]
    [('stage train', 5.0), ('DVC, and pulling 0 files', 3.0), ('reading and writing', 1.0)]
    """
    if timing is None:
        return ()
    stages = [Spent(what=f"stage {stage.what}", seconds=stage.seconds, cost=stage.cost) for stage in timing.stages]
    ran = sum(stage.seconds for stage in stages)
    rest = []
    for step in timing.steps:
        if step.what == _REPRODUCING:
            pulled = f"DVC, and pulling {len(timing.pulled)} file{'' if len(timing.pulled) == 1 else 's'}"
            rest.append(Spent(what=pulled, seconds=max(step.seconds - ran, 0.0)))
        else:
            rest.append(step)
    left = timing.seconds - sum(step.seconds for step in timing.steps)
    rest.append(Spent(what="reading and writing", seconds=max(left, 0.0)))
    return (*stages, *(part for part in rest if part.seconds >= _LEAST))
