"""A project with five months of data: in the third, what makes people ill changes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

BIN = Path(sys.executable).parent
MAKE = """\
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

until = yaml.safe_load(Path("params.yaml").read_text())["data"]["until"]
tables = []
for month in range(1, int(until[-2:]) + 1):
    rng = np.random.default_rng(month)
    days = rng.uniform(0, 28, 1500)
    fever, pulse, warm = rng.normal(size=(3, 1500))
    cause = fever if month < 3 else pulse
    ill = (cause + rng.normal(0, 0.5, 1500) > 0).astype(int)
    at = pd.Timestamp(f"2013-{month:02}-01") + pd.to_timedelta(days, unit="D")
    names = [f"{month}-{number}" for number in range(1500)]
    # The season moves `warm` every month; nothing depends on it.
    columns = {"id": names, "at": at, "fever": fever, "pulse": pulse, "warm": warm + month, "ill": ill}
    tables.append(pd.DataFrame(columns))
train, test = pd.concat(tables[:-1]), tables[-1]
Path("data").mkdir(exist_ok=True)
Path("models").mkdir(exist_ok=True)
train.to_parquet("data/train.parquet", index=False)
test.to_parquet("data/test.parquet", index=False)
recent = train.tail(1500)
model = LogisticRegression()
with threadpool_limits(1):
    model.fit(recent[["fever", "pulse", "warm"]], recent["ill"])
Path("models/model.pkl").write_bytes(pickle.dumps(model))
"""
STAGES = {
    "train": {
        "cmd": "python make.py",
        "deps": ["make.py"],
        "params": ["data.until"],
        "outs": ["data/train.parquet", "data/test.parquet", "models/model.pkl"],
    },
    "export": {
        "cmd": [
            "mlci model export models/model.pkl --data data/train.parquet --out models/model.onnx",
            "mlci score models/model.onnx data/test.parquet --out models/predictions.parquet",
        ],
        "deps": ["data/train.parquet", "data/test.parquet", "models/model.pkl"],
        "params": ["mlci.model"],
        "outs": ["models/model.onnx", "models/trained_on.parquet", "models/predictions.parquet"],
    },
}
POLICY = {
    "model": {"name": "people", "label": "ill", "id": "id", "cost": {"false_negative": 2, "false_positive": 1}},
    "gate": {"test": "data/test.parquet", "train": "data/train.parquet", "metrics": {"accuracy": {"drop": "1pt"}}},
    "monitor": {"period": "1d", "drift": {"level": "info"}},
    "retrain": {"data": {"parameter": "data.until"}},
    "replay": {"since": "2013-02", "until": "2013-05", "time": "at"},
}


class Past:
    """The project's folder."""

    def __init__(self, root):
        self.root = root

    def run(self, *command, code=0):
        plain = {"COLUMNS": "120", "NO_COLOR": "1", "DVC_NO_ANALYTICS": "1", "PATH": f"{BIN}:{os.environ['PATH']}"}
        done = subprocess.run(
            command, cwd=self.root, env={**os.environ, **plain}, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def policy(self, **changed):
        told = {"data": {"until": "2013-05"}, "mlci": {**POLICY, **changed}}
        (self.root / "params.yaml").write_text(yaml.safe_dump(told))


@pytest.fixture(scope="session")
def past(tmp_path_factory):
    project = Past(tmp_path_factory.mktemp("past"))
    project.policy()
    (project.root / "make.py").write_text(MAKE)
    (project.root / "dvc.yaml").write_text(yaml.safe_dump({"stages": STAGES}))
    project.run("git", "init", "-q")
    project.run("dvc", "init", "-q")
    return project
