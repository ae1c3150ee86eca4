"""A project whose first model misses a kind of patient that its training data does not have."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from mlci.edges.log.address import connector
from mlci.edges.log.database import Work, write
from mlci.edges.log.records import Label, Record
from mlci.edges.onnx.session import OnnxModel

BIN = Path(sys.executable).parent
NOW = datetime(2026, 4, 1, tzinfo=UTC)
TRAIN = '''\
"""Train on the clinic's own table, and on what users reported."""

import pickle
from pathlib import Path

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

own = pd.read_csv("data/train.csv")
told = Path("data/feedback.parquet")
rows = pd.concat([own, pd.read_parquet(told)[own.columns]]) if told.exists() else own
model = HistGradientBoostingClassifier(max_iter=60, random_state=1)
with threadpool_limits(1):
    model.fit(rows[["fever", "pulse"]].astype("float64"), rows["ill"])
Path("models/model.pkl").write_bytes(pickle.dumps(model))
'''
STAGES = {
    "train": {
        "cmd": "python models/train.py",
        "deps": ["data/train.csv", "data/feedback.parquet", "models/train.py"],
        "outs": ["models/model.pkl"],
    },
    "export": {
        "cmd": "mlci model export models/model.pkl --data data/train.csv --out models/model.onnx",
        "deps": ["data/train.csv", "models/model.pkl"],
        "params": ["mlci.model"],
        "outs": [{"models/model.onnx": {"cache": False}}, {"models/trained_on.parquet": {"cache": False}}],
    },
    "predict": {
        "cmd": "mlci score models/model.onnx data/test.csv --out models/predictions.parquet",
        "deps": ["data/test.csv", "models/model.onnx"],
        "params": ["mlci.model"],
        "outs": ["models/predictions.parquet"],
    },
}
POLICY = {
    "model": {"name": "people", "label": "ill", "id": "visit"},
    "gate": {
        "test": "data/test.csv",
        "train": "data/train.csv",
        "metrics": {"recall": {"drop": 0.02}, "accuracy": {"drop": 0.01}},
        "slices": {"slow pulse": {"where": "pulse < -1"}},
    },
    "serve": {"log": "sqlite:///log.db"},
}


def patients(rows, seed, prefix, *, slow):
    """People are ill by their fever; those with a slow pulse too, whom the first training data has none of."""
    rng = np.random.default_rng(seed)
    pulse = rng.uniform(-3 if slow else -1, 3, rows)
    fever = rng.normal(0, 1, rows)
    ill = ((fever > 0.8) | (pulse < -1)) ^ (rng.random(rows) < 0.03)
    names = [f"{prefix}{number}" for number in range(rows)]
    return pd.DataFrame({"visit": names, "fever": fever, "pulse": pulse, "ill": ill.astype(int)})


class Article:
    """The project's folder, its log, and its remote."""

    def __init__(self, folder):
        self.root, self.origin = folder / "project", folder / "origin.git"
        for name in ("data", "models"):
            (self.root / name).mkdir(parents=True)
        patients(3_000, 1, "t", slow=False).to_csv(self.root / "data/train.csv", index=False)
        patients(2_000, 2, "e", slow=True).to_csv(self.root / "data/test.csv", index=False)
        (self.root / "models/train.py").write_text(TRAIN)
        (self.root / "params.yaml").write_text(yaml.safe_dump({"mlci": POLICY}))
        (self.root / "dvc.yaml").write_text(yaml.safe_dump({"stages": STAGES}))
        (self.root / ".gitignore").write_text("log.db*\n.cache/\nreports/\n")
        # The pipeline depends on the table from the beginning; it is empty then.
        empty = patients(1, 3, "x", slow=False).head(0)
        empty.to_parquet(self.root / "data/feedback.parquet", index=False)
        self.git("init", "-q", "--initial-branch", "main")
        self.git("config", "user.name", "someone")
        self.git("config", "user.email", "someone@localhost")
        self.run("dvc", "init", "-q")
        self.run("dvc", "remote", "add", "-d", "storage", str(folder / "storage"))
        subprocess.run(["git", "init", "-q", "--bare", "--initial-branch", "main", str(self.origin)], check=True)
        self.git("remote", "add", "origin", str(self.origin))
        self.run("dvc", "add", "-q", "data/feedback.parquet")
        self.run("dvc", "repro", "-q")
        self.run("dvc", "push", "-q")
        self.commit("Begin")
        self.git("push", "-q", "-u", "origin", "main")

    def run(self, *command, code=0):
        plain = {"COLUMNS": "120", "NO_COLOR": "1", "DVC_NO_ANALYTICS": "1", "PATH": f"{BIN}:{os.environ['PATH']}"}
        environment = {**os.environ, **plain}
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def git(self, *arguments):
        return self.run("git", *arguments).strip()

    def commit(self, message):
        self.git("add", "-A")
        self.git("commit", "-qm", message)

    def serve(self, rows):
        """Log what the model answers, as the server does; users report what it missed."""
        model = OnnxModel.load(self.root / "models/model.onnx")
        scored = model.score({name: rows[name].to_numpy() for name in ("fever", "pulse")}).score[:, 0]
        at = (NOW - timedelta(days=20)).timestamp()
        records, labels = [], []
        for row, score in zip(rows.itertuples(), scored, strict=True):
            said = int(score >= 0.5)
            inputs = json.dumps({"fever": row.fever, "pulse": row.pulse})
            scores = json.dumps({"score": float(score)})
            name = row.visit
            records.append(Record(name, at, "people", "v1", "c0", inputs, str(said), scores, name, "current"))
            if row.ill and not said:
                labels.append(Label(name, "1", at + 86_400, "user"))
        database = connector("sqlite:///log.db", self.root)()
        write(database, [Work(records, [])])
        write(database, [Work([], labels)])
        database.close()
        return len(labels)
