"""Repositories to score, and a whole loop that works: a bare origin, a folder as DVC remote, a model, a workflow."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

from mlci.__main__ import main

ROOT = Path(__file__).parents[2]

POLICY_TO_SCORE = """\
mlci:
  model: {name: people, path: model.onnx, label: ill, id: person}
  data:
    people:
      path: people.csv
      columns:
        "*": {missing: "<= 5%"}
        age: {type: integer, range: [0, 120]}
        person: {unique: true, missing: 0%}
  gate:
    test: people.csv
    metrics:
      accuracy: {drop: 0.01}
    slices:
      over 50s: {where: "age > 50"}
      by: [sex]
"""

PIPELINE_TO_SCORE = """\
stages:
  features:
    cmd: python features.py
    deps: [features.py]
    outs: [people.csv]
  check:
    cmd: mlci data check people
    deps: [people.csv]
    outs:
      - reports/data-people.json: {cache: false}
  train:
    cmd: python train.py
    deps: [train.py, people.csv, reports/data-people.json]
    params: [train.seed]
    outs:
      - model.onnx: {cache: false}
"""

WORKFLOW_TO_SCORE = """\
name: pull request
on: {events}
permissions: {{}}
jobs:
  mlci:
    runs-on: ubuntu-latest
    permissions: {{contents: read}}
    steps:
      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0
        with: {{fetch-depth: 0, persist-credentials: false}}
      - run: {run}
"""

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
    runs-on: [self-hosted]
    permissions: {contents: read}
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with: {fetch-depth: 0, persist-credentials: false}
      - run: |
          dvc repro --pull
          mlci compare
"""

REPORT = """\
on: {workflow_run: {workflows: [pr], types: [completed]}}
permissions: {}
jobs:
  report:
    runs-on: [self-hosted]
    permissions: {checks: write, contents: write, pull-requests: write}
    steps:
      - run: mlci publish --from report --record
"""


@dataclass
class Repository:
    """A Git repository, and the command run in it."""

    root: Path

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def git(self, *arguments: str) -> str:
        run = subprocess.run(["git", *arguments], cwd=self.root, check=True, capture_output=True, text=True)
        return run.stdout.strip()

    def commit(self, message: str = "A commit") -> str:
        self.git("add", "-A")
        self.git("commit", "-qm", message, "--allow-empty")
        return self.git("rev-parse", "HEAD")

    def workflow(self, run: str, events: str = "[pull_request]", name: str = "pr.yml") -> None:
        self.write(f".github/workflows/{name}", WORKFLOW_TO_SCORE.format(events=events, run=run))
        self.commit("A workflow")

    def mlci(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command in this process, from its own entry point on."""
        out, err = io.StringIO(), io.StringIO()
        environment = {"COLUMNS": "200", "NO_COLOR": "1", "GITHUB_TOKEN": "", "GH_TOKEN": ""}
        with (
            contextlib.chdir(self.root),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            mock.patch.object(sys, "argv", ["mlci", *arguments]),
            mock.patch.dict(os.environ, environment),
            pytest.raises(SystemExit) as ended,
        ):
            main()
        code = ended.value.code if isinstance(ended.value.code, int) else 0
        return subprocess.CompletedProcess(["mlci", *arguments], code, out.getvalue(), err.getvalue())

    def score(self) -> dict:
        """Every test of the rubric by its name."""
        run = self.mlci("doctor", "--score", "--json")
        assert run.returncode == 0, run.stderr
        return {test["test"]: test for part in json.loads(run.stdout)["sections"] for test in part["tests"]}


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
        ".github/workflows/report.yml": REPORT,
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
