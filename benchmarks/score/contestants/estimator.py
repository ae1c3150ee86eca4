"""The trained estimator on the whole table, as most batch jobs are written: pandas in, pandas out."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pandas as pd

THRESHOLD = 0.3
model = pickle.loads(Path("model.pkl").read_bytes())  # noqa: S301 - made by generate.py
frame = pd.read_parquet("table.parquet")
score = model.predict_proba(frame[list(model.feature_names_in_)])[:, 1]
answers = pd.DataFrame({"id": frame["id"], "label": frame["label"], "prediction": score >= THRESHOLD, "score": score})
answers.to_parquet(sys.argv[1])
