"""What a report shows of a model beside its verdict: curves, and a table of metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from mlci.judge.contrast import point
from mlci.judge.value_intervals import intervals
from mlci.judge.weak import weak_slices
from mlci.measure.calibration import Calibration, calibration
from mlci.measure.curves import curves, score_histograms
from mlci.nouns.metric import TASK_METRICS
from mlci.nouns.report import Charts, MetricRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.edges.predictions import PredictionFiles
    from mlci.nouns.finding import Comparison
    from mlci.nouns.report import WeakSlice
    from mlci.nouns.sample import Answers, Sample

    Beside: TypeAlias = tuple[Comparison, Sample | None]

NEW = "new"


def charts_of(alone: Sample, met: Sequence[Beside]) -> Charts:
    """Curves of both models on the rows of the first comparison, or of the candidate alone."""
    first = next(((met_, sample) for met_, sample in met if sample is not None), None)
    if first is None or first[1].old is None:
        return Charts(curves=curves(alone, alone.new, NEW), scores=score_histograms(alone, alone.new, NEW))
    comparison, sample = first
    old = sample.old
    assert old is not None  # noqa: S101 - seen above
    return Charts(
        curves=(*curves(sample, old, comparison.baseline), *curves(sample, sample.new, NEW)),
        scores=(*score_histograms(sample, old, comparison.baseline), *score_histograms(sample, sample.new, NEW)),
    )


def metrics_of(files: PredictionFiles, alone: Sample, met: Sequence[Beside]) -> tuple[MetricRow, ...]:
    """Every metric of the task and of the gate, of the candidate and of each baseline, on the rows compared."""
    model = files.model
    found = [(comparison, sample) for comparison, sample in met if sample is not None and sample.old is not None]
    rows = found[0][1] if found else alone
    ends = intervals(rows, files.gate, model)
    return tuple(
        MetricRow(
            metric=name,
            new=point(name, rows, rows.new, model.cost),
            low=ends.get(name, (None, None))[0],
            high=ends.get(name, (None, None))[1],
            old={
                comparison.baseline: point(name, sample, sample.old, model.cost)
                for comparison, sample in found
                if sample.old is not None
            },
        )
        for name in dict.fromkeys((*TASK_METRICS[model.task], *files.gate.metrics))
        if name != "cost" or model.cost is not None
    )


def calibration_of(alone: Sample, met: Sequence[Beside], seed: int) -> tuple[MetricRow, ...]:
    """Calibration of a binary model with scores, on the rows compared: reported, never judged."""
    found = [(comparison.baseline, sample) for comparison, sample in met if sample is not None]
    rows = found[0][1] if found else alone
    new = _calibration(rows, rows.new, seed)
    if new is None:
        return ()
    old = {name: _calibration(sample, sample.old, seed) for name, sample in found}
    names = {"ece": "ece", **{f"brier_{name}": name for name in ("reliability", "resolution", "uncertainty")}}
    return tuple(
        MetricRow(
            metric=metric,
            new=getattr(new, name),
            old={baseline: getattr(each, name) for baseline, each in old.items() if each is not None},
            low=new.low if metric == "ece" else None,
            high=new.high if metric == "ece" else None,
        )
        for metric, name in names.items()
    )


def weak_of(alone: Sample, met: Sequence[Beside]) -> tuple[WeakSlice, ...]:
    """Weak slices on the rows of the first comparison, or of the candidate alone."""
    first = next(((comparison.baseline, sample) for comparison, sample in met if sample is not None), None)
    return weak_slices(alone) if first is None else weak_slices(first[1], first[0])


def _calibration(sample: Sample, answers: Answers | None, seed: int) -> Calibration | None:
    if sample.task != "binary" or answers is None or answers.score is None:
        return None
    return calibration(sample.label, answers.score, seed)
