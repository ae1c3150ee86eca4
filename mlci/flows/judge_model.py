"""Judge the candidate by itself, and write its metrics and curves where DVC shows them."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from mlci.edges.files import write_text
from mlci.flows.compare import judge_alone
from mlci.flows.data_findings import REPORTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from mlci.nouns.policy import PolicyFile
    from mlci.nouns.report import Report

METRICS = f"{REPORTS}/metrics.json"
MODEL_REPORT = f"{REPORTS}/model.json"
PLOTS = f"{REPORTS}/plots"
_AXES = {
    "roc": ("false_positive_rate", "true_positive_rate"),
    "pr": ("recall", "precision"),
    "calibration": ("predicted", "observed"),
}


def judge_model(root: Path, policy: PolicyFile) -> Report:
    """Judge floors and ceilings; write `reports/metrics.json` and `reports/plots/*.csv`. Raises as `judge_alone`."""
    report = judge_alone(root, policy)
    metrics = {row.metric: row.new for row in report.metrics if row.new is not None}
    write_text(root / METRICS, json.dumps(metrics, indent=2, sort_keys=True) + "\n")
    for curve in report.charts.curves:
        x, y = _AXES[curve.kind]
        rows = zip(curve.x, curve.y, strict=True)
        write_text(root / PLOTS / f"{curve.kind}.csv", _csv([x, y], rows))
    if report.charts.scores:
        negative, positive = report.charts.scores
        middles = [round((low + high) / 2, 6) for low, high in zip(negative.edges, negative.edges[1:], strict=False)]
        rows_of = zip(middles, negative.counts, positive.counts, strict=True)
        write_text(root / PLOTS / "scores.csv", _csv(["score", "negative", "positive"], rows_of))
    return report


def _csv(header: Sequence[str], rows: Iterable[Sequence[float]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
