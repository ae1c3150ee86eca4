"""The paired bootstrap of a change of F1, 10,000 resamples, ours and the naive one: `f1.py FOLDER RESAMPLES`."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from sklearn import metrics

from mlci.judge.stats.counts import RESAMPLES, count_change, paired_counts
from mlci.nouns.change import Change

THRESHOLD, TIMES = 0.5, 5


def main() -> None:
    folder, resamples = Path(sys.argv[1]), int(sys.argv[2])
    new = pd.read_parquet(folder / "predictions.parquet", columns=["id", "label", "score"])
    old = subprocess.run(["git", "show", "HEAD:predictions.parquet"], cwd=folder, check=True, capture_output=True)
    both = new.merge(pd.read_parquet(io.BytesIO(old.stdout), columns=["id", "score"]), on="id", suffixes=("", "_old"))
    label, before, after = (
        both["label"].to_numpy(),
        both["score_old"].to_numpy() >= THRESHOLD,
        both["score"].to_numpy() >= THRESHOLD,
    )
    times = []
    for _ in range(TIMES):
        begin = time.process_time()
        seen = count_change(paired_counts(label, before, after), "f1", np.random.default_rng(1))
        times.append(time.process_time() - begin)
    if not isinstance(seen, Change):
        sys.exit(f"there are only {seen.seen} {seen.what}")
    begin = time.process_time()
    naive = stats.bootstrap(
        (label, before, after),
        lambda label, before, after: metrics.f1_score(label, after) - metrics.f1_score(label, before),
        paired=True,
        vectorized=False,
        n_resamples=resamples,
        batch=1,
        confidence_level=0.9,
        method="percentile",
        rng=1,
    )
    timed = time.process_time() - begin
    answer = {
        "rows": len(label),
        "resamples": RESAMPLES,
        "ours": sorted(times)[TIMES // 2],
        "timed": timed,
        "timed_resamples": resamples,
        "extrapolated": timed * RESAMPLES / resamples,
        "change": seen.change,
        "load": os.getloadavg()[0] / (os.cpu_count() or 1),
        "interval": [seen.low, seen.high],
        "naive_interval": [float(end) for end in naive.confidence_interval],
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
