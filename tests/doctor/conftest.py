"""Small repositories with a pipeline, and what they lack taken away or broken for real."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from mlci.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """\
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

PIPELINE = """\
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

WORKFLOW = """\
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
        self.write(f".github/workflows/{name}", WORKFLOW.format(events=events, run=run))
        self.commit("A workflow")

    def mlci(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command in this process, from its own entry point on."""
        out, err = io.StringIO(), io.StringIO()
        environment = {"COLUMNS": "200", "NO_COLOR": "1"}
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


@pytest.fixture
def empty(tmp_path: Path) -> Repository:
    root = tmp_path / "repository"
    root.mkdir()
    made = Repository(root)
    made.git("init", "-q", "-b", "main")
    made.git("config", "user.name", "A Tester")
    made.git("config", "user.email", "tester@example.org")
    return made


@pytest.fixture
def repository(empty: Repository) -> Repository:
    """A policy, a pipeline with code of its own, and nothing that runs it."""
    empty.write("params.yaml", f"train: {{seed: 1}}\n{POLICY}")
    empty.write("dvc.yaml", PIPELINE)
    empty.write("features.py", "print('person,age,sex,ill')\n")
    empty.write("train.py", "import sys\n")
    empty.commit()
    return empty
