"""Points of the curves that people look at: ROC, precision and recall, calibration, score distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlci.measure.binned import binned, some
from mlci.nouns.report import Curve, Histogram
from mlci.nouns.sample import BLOCK, spans

if TYPE_CHECKING:
    import numpy.typing as npt

    from mlci.nouns.sample import Answers, Sample

    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]

MOST_POINTS = 200
CALIBRATION_BINS = 10
SCORE_BINS = 40


def curves(sample: Sample, answers: Answers, model: str) -> tuple[Curve, ...]:
    """ROC, precision-recall and calibration of a binary model; none where it has no scores or one class only.

    Args:
        sample: Labels.
        answers: Of the model.
        model: Its name in the chart.
    """
    if sample.task != "binary" or answers.score is None:
        return ()
    label, score = sample.label, answers.score
    if not 0 < np.count_nonzero(label) < label.size:
        return (_calibration(label, score, model),)
    hits, alarms = _cumulative(label, score)
    positives, negatives = hits[-1], alarms[-1]
    recall, fall_out = hits / positives, alarms / negatives
    precision = hits[1:] / (hits[1:] + alarms[1:])
    return (
        _curve("roc", model, fall_out, recall),
        _curve("pr", model, recall[1:], precision),
        _calibration(label, score, model),
    )


def _cumulative(label: Bools, score: Floats) -> tuple[Floats, Floats]:
    """True and false positives at every threshold from the strictest on, ties taken together, starting at (0, 0).

    Of a long sample, at some thousand thresholds: exact points of the same curve.
    """
    if score.size > BLOCK:
        return _cumulative_at(label, score, np.unique(some(score)))
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    last = np.append(ordered[1:] != ordered[:-1], [True])
    hits = np.cumsum(label[order], dtype=np.float64)[last]
    alarms = np.cumsum(~label[order], dtype=np.float64)[last]
    return np.append([0.0], hits), np.append([0.0], alarms)


def _cumulative_at(label: Bools, score: Floats, thresholds: Floats) -> tuple[Floats, Floats]:
    seen = np.zeros((2, thresholds.size + 1))
    for span in spans(label.size):
        at = np.searchsorted(thresholds, score[span], side="right")
        for kind, rows in enumerate((label[span], ~label[span])):
            seen[kind] += np.bincount(at[rows], minlength=thresholds.size + 1)
    # Rows at or above each threshold, the strictest first; the last has all rows.
    hits, alarms = np.cumsum(seen[:, ::-1], axis=1)
    return np.append([0.0], hits), np.append([0.0], alarms)


def _curve(kind: str, model: str, x: Floats, y: Floats) -> Curve:
    """Thinned evenly along x and y, ends kept."""
    if x.size > MOST_POINTS:
        way = np.append([0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y))))
        wanted = np.linspace(0, way[-1], MOST_POINTS)
        at = np.unique(np.clip(np.searchsorted(way, wanted), 0, x.size - 1))
        x, y = x[at], y[at]
    return Curve.model_validate({"kind": kind, "model": model, "x": _rounded(x), "y": _rounded(y)})


def _calibration(label: Bools, score: Floats, model: str) -> Curve:
    """Mean score against share of positives in bins of about equally many rows."""
    edges = np.unique(np.quantile(some(score), np.linspace(0, 1, CALIBRATION_BINS + 1)))
    rows, said, seen = binned(label, score, edges[1:-1])
    kept = rows > 0
    said, seen = said[kept] / rows[kept], seen[kept] / rows[kept]
    weight = tuple(int(count) for count in rows[kept])
    return Curve(kind="calibration", model=model, x=_rounded(said), y=_rounded(seen), weight=weight)


def score_histograms(sample: Sample, answers: Answers, model: str) -> tuple[Histogram, ...]:
    """How the scores of each class are distributed, over one set of bins from 0 to 1."""
    if sample.task != "binary" or answers.score is None:
        return ()
    edges = np.linspace(0, 1, SCORE_BINS + 1)
    found = []
    for name, rows in (("negative", ~sample.label), ("positive", sample.label)):
        parts = [np.histogram(answers.score[span][rows[span]], bins=edges)[0] for span in spans(rows.size)]
        counts = np.stack(parts).sum(axis=0).tolist()
        found.append(Histogram(model=model, label=name, edges=_rounded(edges), counts=tuple(counts)))
    return tuple(found)


def _rounded(values: Floats) -> tuple[float, ...]:
    """Six digits: more than a chart shows, few enough to be the same on every machine."""
    return tuple(round(float(value), 6) for value in values)
