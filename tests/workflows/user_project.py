"""A user's project: a small table, a logistic model fitted in a second, DVC with a folder as remote."""

import shutil
import subprocess
import sys
from pathlib import Path

SYSTEM = dict.fromkeys([*(str(Path(shutil.which(name)).parent) for name in ("git", "bash")), "/usr/bin", "/bin"])
PATH = ":".join(SYSTEM)
"""Where the system has its tools, and not the environment that the tests run in."""

MAKE = """\
# Invents people, and whether each of them bought.
import csv
import random
import sys

rng = random.Random(int(sys.argv[1]))
with open("data/people.csv", "w", newline="") as file:
    table = csv.writer(file)
    table.writerow(["id", "age", "income", "bought"])
    for number in range(2_000):
        age, income = rng.randint(18, 90), round(rng.gauss(50, 15), 1)
        table.writerow([f"p{number:04}", age, income, int(age + income + rng.gauss(0, 6) > 100)])
"""

TRAIN = """\
# A logistic model of age and income, by gradient descent.
import csv
import json
import math

import yaml

with open("params.yaml") as file:
    train = yaml.safe_load(file)["train"]
with open("data/people.csv", newline="") as file:
    people = list(csv.DictReader(file))
rows = [((float(r["age"]) - 54) / 20, (float(r["income"]) - 50) / 15, int(r["bought"])) for r in people]
a = b = c = 0.0
for _ in range(train["steps"]):
    da = db = dc = 0.0
    for x, y, bought in rows:
        error = bought - 1 / (1 + math.exp(-(a * x + b * y + c)))
        da, db, dc = da + error * x, db + error * y, dc + error
    a, b, c = a + da * 4 / len(rows), b + db * 4 / len(rows), c + dc * 4 / len(rows)
with open("models/model.json", "w") as file:
    json.dump({"age": a, "income": b, "rest": c, "oldest": train["oldest"]}, file)
"""

PREDICT = """\
# What the model thinks of each person.
import csv
import json
import math

with open("models/model.json") as file:
    model = json.load(file)
with open("data/people.csv", newline="") as people, open("models/predictions.csv", "w", newline="") as out:
    table = csv.writer(out)
    table.writerow(["id", "label", "prediction", "score"])
    for person in csv.DictReader(people):
        age = (min(float(person["age"]), model["oldest"]) - 54) / 20
        points = model["age"] * age + model["income"] * (float(person["income"]) - 50) / 15 + model["rest"]
        score = 1 / (1 + math.exp(-points))
        table.writerow([person["id"], person["bought"], int(score >= 0.5), round(score, 6)])
"""

DVC = """\
stages:
  check:
    cmd: mlci data check
    deps: [data/people.csv]
    params: [mlci.data]
    outs:
      - reports/data.json: {cache: false}
  train:
    cmd: python models/train.py
    deps: [data/people.csv, models/train.py, reports/data.json]
    params: [train]
    outs: [models/model.json]
  predict:
    cmd: python models/predict.py
    deps: [data/people.csv, models/model.json, models/predict.py]
    outs: [models/predictions.csv]
"""

PARAMS = """\
train:
  steps: 40
  oldest: 90
mlci:
  model: {name: buyers, label: bought, id: id}
  data:
    people:
      path: data/people.csv
      rows: ">= 1_000"
      columns:
        "*": {missing: "<= 5%"}
        bought: {allowed: [0, 1], missing: 0%}
  gate:
    test: data/people.csv
    predictions: models/predictions.csv
    metrics:
      accuracy: {drop: 0.01}
    slices:
      over 50s: {where: "age > 50", accuracy: {floor: 0.85}}
"""

FILES = {
    "make_people.py": MAKE,
    "models/train.py": TRAIN,
    "models/predict.py": PREDICT,
    "dvc.yaml": DVC,
    "params.yaml": PARAMS,
    "README.md": "# Who buys?\n",
    ".gitignore": ".venv\n.cache/\n/reports/*\n!/reports/data.json\n",
    "models/.gitignore": "/model.json\n/predictions.csv\n",
    "data/.gitignore": "/people.csv\n",
}


class UserProject:
    """A work tree whose pipeline has run and whose files are in DVC's remote."""

    def __init__(self, root, remote, environment):
        self.root = Path(root)
        self.remote = Path(remote)
        self.environment = environment

    def make(self, workflows):
        """Write all files, run the pipeline, push its outputs and commit."""
        self.root.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch", "main")
        for path, text in {**FILES, **workflows}.items():
            self.write(path, text)
        self.call("dvc", "init", "--quiet")
        self.call("dvc", "remote", "add", "--quiet", "--default", "storage", str(self.remote))
        self.call("python", "make_people.py", "1")
        self.call("dvc", "add", "--quiet", "data/people.csv")
        self.reproduce()
        return self.commit("First model")

    def branch(self, name, *edits, start="main"):
        """Commit edits on a new branch, with what the pipeline makes of them."""
        self.git("switch", "--quiet", "--create", name, start)
        for path, old, new in edits:
            self.replace(path, old, new)
        self.reproduce()
        return self.commit(name)

    def reproduce(self):
        """Run the pipeline and push what it made."""
        self.call("dvc", "repro", "--quiet")
        self.call("dvc", "push", "--quiet")

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def replace(self, path, old, new):
        text = (self.root / path).read_text()
        assert old in text
        self.write(path, text.replace(old, new))

    def commit(self, message="A change"):
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def git(self, *arguments):
        return self.call("git", *arguments).strip()

    def call(self, *command):
        program = shutil.which(command[0], path=f"{Path(sys.executable).parent}:{self.environment['PATH']}")
        done = subprocess.run(
            [program, *command[1:]],
            cwd=self.root,
            env={**self.environment, "PATH": f"{Path(sys.executable).parent}:{self.environment['PATH']}"},
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout
