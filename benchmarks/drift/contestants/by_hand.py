"""By hand: exact Kolmogorov-Smirnov distances out of two sorts, and the population stability index of categories."""

from __future__ import annotations

import json
import sys

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

LIMIT = 0.1
reference, current, numbers, texts = sys.argv[1], sys.argv[2], sys.argv[3].split(","), sys.argv[4].split(",")
old, new = pq.read_table(reference), pq.read_table(current)
found = []
for name in numbers:
    one, other = (np.sort(table.column(name).to_numpy()) for table in (old, new))
    every = np.concatenate([one, other])
    share = [np.searchsorted(side, every, side="right") / side.size for side in (one, other)]
    if np.abs(share[0] - share[1]).max() > LIMIT:
        found.append(name)
for name in texts:
    counts = [{str(v["values"]): v["counts"] for v in pc.value_counts(t.column(name)).to_pylist()} for t in (old, new)]
    names = sorted({*counts[0], *counts[1]})
    p, q = (np.array([side.get(v, 0.5) for v in names], dtype=float) for side in counts)
    p, q = p / p.sum(), q / q.sum()
    if float(np.sum((p - q) * np.log(p / q))) > LIMIT:
        found.append(name)
print(json.dumps(sorted(found)))
