"""Evidently: its preset, by the population stability index."""

from __future__ import annotations

import json
import os
import sys

os.environ["DO_NOT_TRACK"] = "1"

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

LIMIT = 0.1
numbers, texts = sys.argv[3].split(","), sys.argv[4].split(",")
definition = DataDefinition(numerical_columns=numbers, categorical_columns=texts)
old, new = (Dataset.from_pandas(pd.read_parquet(path), data_definition=definition) for path in sys.argv[1:3])
snapshot = Report([DataDriftPreset(method="psi", threshold=0.1)]).run(new, old)
found = [
    item["config"]["column"]
    for item in snapshot.dict()["metrics"]
    if "column" in item.get("config", {}) and float(item["value"]) > LIMIT
]
print(json.dumps(sorted(found)))
