"""Frouros: Kolmogorov-Smirnov for numbers, the population stability index for coded categories."""

from __future__ import annotations

import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq
from frouros.detectors.data_drift import PSI, KSTest

LIMIT = 0.1
numbers, texts = sys.argv[3].split(","), sys.argv[4].split(",")
old, new = pq.read_table(sys.argv[1]), pq.read_table(sys.argv[2])
found = []
for name in numbers:
    detector = KSTest()
    detector.fit(X=old.column(name).to_numpy())
    if detector.compare(X=new.column(name).to_numpy())[0].statistic > LIMIT:
        found.append(name)
for name in texts:
    both = pa.chunked_array([*old.column(name).chunks, *new.column(name).chunks]).combine_chunks().dictionary_encode()
    codes = both.indices.to_numpy().astype(float)
    detector = PSI(num_bins=len(both.dictionary))
    detector.fit(X=codes[: old.num_rows])
    if detector.compare(X=codes[old.num_rows :])[0].distance > LIMIT:
        found.append(name)
print(json.dumps(sorted(found)))
