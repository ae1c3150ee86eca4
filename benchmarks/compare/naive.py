"""The naive way: pandas `groupby`, scikit-learn and `scipy.stats.bootstrap`: `naive.py FOLDER SLICES RESAMPLES`."""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from run import COLUMNS
from scipy import stats
from sklearn import metrics

if TYPE_CHECKING:
    import numpy as np

RESAMPLES = 999
THRESHOLD = 0.5


def cost(label: np.ndarray, score: np.ndarray) -> float:
    said = score >= THRESHOLD
    return float((4 * (label & ~said) + (~label & said)).mean())


METRICS = {
    "accuracy": lambda label, score: metrics.accuracy_score(label, score >= THRESHOLD),
    "roc_auc": metrics.roc_auc_score,
    "f1": lambda label, score: metrics.f1_score(label, score >= THRESHOLD),
    "log_loss": metrics.log_loss,
    "brier": metrics.brier_score_loss,
    "cost": cost,
}


def main() -> None:
    folder, slices, resamples = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    begin = time.perf_counter()
    frame = pd.read_parquet(folder / "test.parquet")
    frame = frame.merge(pd.read_parquet(folder / "predictions.parquet", columns=["id", "score"]), on="id")
    old = subprocess.run(["git", "show", "HEAD:predictions.parquet"], cwd=folder, check=True, capture_output=True)
    frame = frame.merge(
        pd.read_parquet(io.BytesIO(old.stdout), columns=["id", "score"]), on="id", suffixes=("", "_old")
    )
    parts = [part for i in range(COLUMNS) for _, part in frame.groupby(f"c{i}")]
    for part in (frame, *parts):
        for metric in METRICS.values():
            _ = metric(part["label"].to_numpy(), part["score"].to_numpy())
            _ = metric(part["label"].to_numpy(), part["score_old"].to_numpy())
    points = time.perf_counter() - begin
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    begin = time.perf_counter()
    for part in parts[:slices]:
        data = [part[name].to_numpy() for name in ("label", "score_old", "score")]
        for metric in METRICS.values():
            stats.bootstrap(
                data,
                lambda label, before, after, metric=metric: metric(label > 0, after) - metric(label > 0, before),
                paired=True,
                vectorized=False,
                n_resamples=resamples,
                batch=10,
                method="percentile",
                rng=1,
            )
    timed = time.perf_counter() - begin
    rows = sum(len(part) for part in parts[:slices])
    all_rows = len(frame) + sum(len(part) for part in parts)
    whole = timed * RESAMPLES / resamples * all_rows / rows if rows else 0.0
    answer = {
        "points": points,
        "timed": timed,
        "timed_slices": slices,
        "timed_rows": rows,
        "timed_resamples": resamples,
        "extrapolated": points + whole,
        "memory": memory,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
