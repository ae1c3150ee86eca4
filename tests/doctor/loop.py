"""A whole loop that works: Git with a bare origin, DVC with a folder as remote, a model, a workflow."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

POLICY = """\
mlci:
  model: {name: people, path: model.onnx, label: ill, id: person}
  data:
    people:
      path: people.csv
      columns:
        age: {type: integer, range: [0, 120]}
  gate:
    test: people.csv
    predictions: predictions.csv
    metrics:
      accuracy: {drop: 0.01}
"""

PIPELINE = """\
stages:
  features:
    cmd: cp raw.csv people.csv
    deps: [raw.csv]
    outs: [people.csv]
  check:
    cmd: touch checked || mlci data check people
    deps: [people.csv]
    outs:
      - checked: {cache: false}
  predict:
    cmd: cut -d, -f1,3 people.csv > predictions.csv
    deps: [people.csv, checked]
    outs: [predictions.csv]
"""

WORKFLOW = """\
on: pull_request
permissions: {}
jobs:
  mlci:
    runs-on: ubuntu-latest
    permissions: {contents: read}
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with: {fetch-depth: 0, persist-credentials: false}
      - run: |
          dvc repro --pull
          mlci compare
"""


def dvc(root: Path, *arguments: str) -> None:
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    command = Path(sys.executable).parent / "dvc"
    subprocess.run([command, *arguments], cwd=root, check=True, capture_output=True, env=environment)


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)


def build(folder: Path) -> Path:
    """Make the loop in `folder/repository`, with `folder/origin.git` and `folder/store` beside it."""
    root = folder / "repository"
    root.mkdir()
    git(folder, "init", "-q", "--bare", "-b", "main", "origin.git")
    git(root, "init", "-q", "-b", "main")
    git(root, "config", "user.name", "A Tester")
    git(root, "config", "user.email", "tester@example.org")
    (folder / "store").mkdir()
    dvc(root, "init", "-q")
    dvc(root, "remote", "add", "-q", "-d", "store", "../store")
    dvc(root, "config", "core.analytics", "false")
    for name, text in {
        "params.yaml": POLICY,
        "dvc.yaml": PIPELINE,
        "raw.csv": "person,age,ill\n" + "".join(f"p{i},{20 + i},{i % 2}\n" for i in range(20)),
        ".github/workflows/pr.yml": WORKFLOW,
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    shutil.copy(ROOT / "models/model.onnx", root / "model.onnx")
    dvc(root, "repro", "-q")
    dvc(root, "push", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "A loop")
    git(root, "remote", "add", "origin", "../origin.git")
    git(root, "push", "-q", "-u", "origin", "main")
    git(root, "remote", "set-head", "origin", "main")
    return root
