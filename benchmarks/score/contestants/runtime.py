"""ONNX Runtime by hand: the whole table in one run of the session."""

from __future__ import annotations

import sys

import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.parquet as pq

THRESHOLD = 0.3
session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
table = pq.read_table("table.parquet")
feeds = {}
for one in session.get_inputs():
    values = table.column(one.name).to_numpy()
    kind = {"tensor(float)": np.float32, "tensor(double)": np.float64}.get(one.type, object)
    feeds[one.name] = values.astype(kind).reshape(-1, 1)
score = np.asarray(session.run(None, feeds)[1])[:, 1].astype(float)
answers = {"id": table.column("id"), "label": table.column("label"), "prediction": score >= THRESHOLD, "score": score}
pq.write_table(pa.table(answers), sys.argv[1])
