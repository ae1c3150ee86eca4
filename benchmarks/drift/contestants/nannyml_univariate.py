"""NannyML: univariate drift, Kolmogorov-Smirnov for numbers and Jensen-Shannon for categories."""

from __future__ import annotations

import json
import os
import sys

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"

import nannyml as nml
import pandas as pd

numbers, texts = sys.argv[3].split(","), sys.argv[4].split(",")
old, new = (pd.read_parquet(path) for path in sys.argv[1:3])
threshold = nml.thresholds.ConstantThreshold(upper=0.1)
calculator = nml.UnivariateDriftCalculator(
    column_names=[*numbers, *texts],
    treat_as_categorical=texts,
    continuous_methods=["kolmogorov_smirnov"],
    categorical_methods=["jensen_shannon"],
    thresholds={"kolmogorov_smirnov": threshold, "jensen_shannon": threshold},
    chunk_number=1,
)
seen = calculator.fit(old).calculate(new).filter(period="analysis").to_df()
found = []
for name in [*numbers, *texts]:
    method = "kolmogorov_smirnov" if name in numbers else "jensen_shannon"
    if bool(seen[(name, method, "alert")].any()):
        found.append(name)
print(json.dumps(sorted(found)))
