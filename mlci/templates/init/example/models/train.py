"""Train a logistic regression on data/train.csv; write models/model.pkl. Settings: `train` in params.yaml."""

import pickle
from pathlib import Path

import pandas as pd
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

params = yaml.safe_load(Path("params.yaml").read_text())["train"]
customers = pd.read_csv("data/train.csv")

model = make_pipeline(StandardScaler(), LogisticRegression(C=params["C"], max_iter=1000))
# With one thread, sums are in the same order each time.
with threadpool_limits(1):
    model.fit(customers[params["features"]].astype("float64"), customers["bought"])

Path("models/model.pkl").write_bytes(pickle.dumps(model))
print(f"trained on {len(customers):,} customers, {len(params['features'])} features")
