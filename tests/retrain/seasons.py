"""A project whose world changes: what holds until March is not what holds in summer, and in September it holds again.

The model is linear; it is trained on the three months before the newest one and tested on that one.
"""

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import yaml

from mlci.edges.monitor_state import StateRef
from mlci.edges.policy_file import load_policy
from mlci.flows.retrain import Asked
from mlci.flows.retrain_facts import Asking, read_state
from mlci.nouns.alarm import Alarm, Raised
from mlci.nouns.forge import Patience
from mlci.nouns.monitoring import Monitoring, MonitorState, Reference, Seen
from mlci.nouns.signature import Input, Signature

PATH = f"{Path(sys.executable).parent}:/usr/bin:/bin"
MAY = {"contents": "write", "pull-requests": "write", "checks": "write", "statuses": "write", "issues": "write"}
"""What the token of who offers may do."""
JULY, AUGUST, OCTOBER = (datetime(2013, month, 2, 6, tzinfo=UTC) for month in (7, 8, 10))

MAKE = """\
# Visits of all months up to `data.until`, as far as months are known.
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

year, month = yaml.safe_load(Path("params.yaml").read_text())["data"]["until"].split("-")
until = min(int(Path("data/known").read_text()), 12 * (int(year) - 2013) + int(month))
months = []
for month in range(1, until + 1):
    rng = np.random.default_rng(month)
    x, y = rng.normal(size=(2, 1500)).round(4)
    summer = 4 <= month <= 8
    bought = ((y if summer else x) + rng.normal(0, 0.3, 1500) > 0).astype(int)
    names = [f"{month:02}-{number}" for number in range(1500)]
    months.append(pd.DataFrame({"visit": names, "x": x, "y": y, "bought": bought}))
pd.concat(months[-4:-1]).to_parquet("data/train.parquet", index=False)
months[-1].to_parquet("data/test.parquet", index=False)
rng = np.random.default_rng(99)
x, y = rng.normal(size=(2, 1500)).round(4)
for season, told in (("spring", x), ("summer", y)):
    names = [f"{season}-{number}" for number in range(1500)]
    held = pd.DataFrame({"visit": names, "x": x, "y": y, "bought": (told > 0).astype(int)})
    held.to_parquet(f"data/{season}.parquet", index=False)
"""

TRAIN = """\
import pickle
from pathlib import Path

import pandas as pd
from sklearn.linear_model import LogisticRegression

rows = pd.read_parquet("data/train.parquet")
model = LogisticRegression().fit(rows[["x", "y"]], rows["bought"])
Path("models/model.pkl").write_bytes(pickle.dumps(model))
"""

STAGES = {
    "data": {
        "cmd": "python data/make.py",
        "deps": ["data/known", "data/make.py"],
        "params": ["data.until"],
        "outs": [f"data/{name}.parquet" for name in ("spring", "summer", "test", "train")],
    },
    "train": {
        "cmd": "python models/train.py",
        "deps": ["data/train.parquet", "models/train.py"],
        "outs": ["models/model.pkl"],
    },
    "export": {
        "cmd": "mlci model export models/model.pkl --data data/train.parquet --out models/model.onnx",
        "deps": ["data/train.parquet", "models/model.pkl"],
        "params": ["mlci.model"],
        "outs": [{"models/model.onnx": {"cache": False}}, {"models/trained_on.parquet": {"cache": False}}],
    },
    "predict": {
        "cmd": "mlci score models/model.onnx data/test.parquet --out models/predictions.parquet",
        "deps": ["data/test.parquet", "models/model.onnx"],
        "outs": ["models/predictions.parquet"],
    },
}

PARAMS = """\
# Moved by retraining, and this line stays as it is.
data:
  until: "2013-03" # a month
mlci:
  model: {name: shop, path: models/model.onnx, task: binary, label: bought, id: visit}
  data:
    test: {path: data/test.parquet, rows: ">= 100"}
  gate:
    test: data/test.parquet
    train: data/train.parquet
    metrics:
      accuracy: {drop: 2pt}
  monitor: {}
  retrain:
    data: {parameter: data.until, to: "%Y-%m"}
    price: {per_hour: 36, currency: EUR}
"""


class Seasons:
    """A clone of a bare origin, in which the pipeline has run and whose outputs are in DVC's remote."""

    def __init__(self, root, origin):
        self.root, self.origin = Path(root), Path(origin)

    def copied(self, folder):
        """The same in another folder."""
        shutil.copytree(self.root.parent, folder, symlinks=True)
        found = Seasons(folder / "work", folder / "origin.git")
        found.git("remote", "set-url", "origin", str(found.origin))
        return found

    def make(self):
        self.root.mkdir(parents=True)
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", self.origin], check=True)
        self.git("init", "-q", "-b", "main")
        self.git("remote", "add", "origin", str(self.origin))
        files = {
            "data/make.py": MAKE,
            "data/known": "12\n",
            "models/train.py": TRAIN,
            "params.yaml": PARAMS,
            ".gitignore": "reports/\n.cache/\n",
        }
        for path, text in {**files, "dvc.yaml": yaml.safe_dump({"stages": STAGES}, sort_keys=False)}.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text)
        self.call("dvc", "init", "-q")
        self.call("dvc", "config", "core.analytics", "false")
        self.call("dvc", "remote", "add", "-q", "-d", "store", "../store")
        self.call("dvc", "repro", "-q")
        self.call("dvc", "push", "-q")
        self.commit("First model")
        return self

    def policy(self, **retrain):
        """Let the merged policy say something else of retraining, which begins at its last key."""
        text, _, _ = (self.root / "params.yaml").read_text().partition("  retrain:")
        told = {"data": {"parameter": "data.until", "to": "%Y-%m"}, **retrain}
        (self.root / "params.yaml").write_text(f"{text}  retrain: {json.dumps(told)}\n")
        self.commit("Another policy")

    def asked(self, now, env=None, **given):
        """What `mlci retrain` is asked, at a moment; options of a person are keywords too."""
        asking = Asking(now, **{name: given.pop(name) for name in ("by_hand", "again", "to") if name in given})
        patience = Patience(tries=2, pause=0.01)
        return Asked(self.root, load_policy(self.root), asking, env or {}, patience=patience, **given)

    def state(self):
        """What is kept of challengers, as `(data, end, pull)`."""
        return [(each.data, each.end, each.pull) for each in read_state(self.root, "shop")[0].attempts]

    def alarm(self, *causes, labels=0, said=""):
        """Let monitoring have found these alarms, and so many labels by the end of June."""
        on = tuple(
            Alarm(
                cause=each,
                level="block",
                since="2013-06-01T00:00:00Z",
                raised=(Raised(stream=each, since="", message=said or f"{each} moved"),),
            )
            for each in causes
        )
        told = Monitoring(model="shop", healthy=not on, headline="a look", alarms=on)
        signature = Signature(
            model="shop", task="binary", inputs=(Input(name="x", type="float"),), classes=(False, True)
        )
        day = datetime(2013, 6, 30, tzinfo=UTC).toordinal() - datetime(1970, 1, 1, tzinfo=UTC).toordinal()
        state = MonitorState(
            model="shop",
            reference=Reference(subject="", signature=signature, rows=1, watched=()),
            begun=0,
            until=1,
            streams=(),
            seen=(Seen(period=day, start="2013-06-30T00:00:00Z", arrived=labels),),
            told=told,
        )
        store = StateRef(self.root)
        assert store.write("shop", state.model_dump_json(), store.read("shop").version)

    def commit(self, message):
        """Commit and push as of March 2013, when the first model was trained."""
        self.git("add", "-A")
        self.git("commit", "-qm", message)
        self.git("push", "-q", "origin", "HEAD:main")

    def tip(self, ref="refs/heads/retrain/shop"):
        done = subprocess.run(
            ["git", "-C", self.origin, "rev-parse", "-q", "--verify", ref], capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    def show(self, ref, path):
        return self.bare("show", f"{ref}:{path}")

    def bare(self, *arguments):
        return subprocess.run(["git", "-C", self.origin, *arguments], capture_output=True, text=True, check=True).stdout

    def git(self, *arguments):
        return self.call("git", *arguments).strip()

    def call(self, *command):
        done = subprocess.run(command, cwd=self.root, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    @property
    def environment(self):
        who = {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "Ada"), ("EMAIL", "ada@example.org"))
        }
        then = {"GIT_AUTHOR_DATE": "2013-04-02T06:00:00Z", "GIT_COMMITTER_DATE": "2013-04-02T06:00:00Z"}
        own = {"PATH": PATH, "HOME": str(self.root.parent), "DVC_NO_ANALYTICS": "1", "GIT_CONFIG_NOSYSTEM": "1"}
        return {**own, **who, **then, "DVC_SITE_CACHE_DIR": str(self.root.parent / "site"), "OMP_NUM_THREADS": "1"}
