"""A team: an author with a pipeline, a shared repository, a folder as DVC remote, and CI with a clone of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from dvc.repo import Repo

from mlci.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """\
train: {noise: 10}
unused: 1
mlci:
  model: {name: people, path: model.txt, label: ill, id: person}
  data:
    test: {path: test.csv, columns: {age: {range: [0, 120]}}}
  gate:
    test: test.csv
    predictions: predictions.csv
    metrics: {accuracy: {drop: 0.05}}
"""
PIPELINE = """\
stages:
  split:
    cmd: python split.py
    deps: [raw.csv, split.py]
    outs: [test.csv, train.csv]
  train:
    cmd: python train.py
    deps: [train.csv, train.py]
    params: [train]
    outs: [model.txt]
  predict:
    cmd: python predict.py
    deps: [test.csv, model.txt, predict.py]
    outs: [predictions.csv]
"""
RAW = """\
import random
rng = random.Random(1)
with open("raw.csv", "w") as file:
    file.write("person,age,ill\\n")
    for i in range(600):
        file.write(f"p{i},{rng.randint(18, 90)},{rng.random() < 0.3}\\n")
"""
SPLIT = """\
head, *rows = open("raw.csv").read().splitlines()
open("test.csv", "w").write("\\n".join([head, *rows[::2], ""]))
open("train.csv", "w").write("\\n".join([head, *rows[1::2], ""]))
print("split", len(rows), "rows")
"""
TRAIN = """\
import re
open("train.csv").read()
open("model.txt", "w").write(re.search(r"noise: (\\d+)", open("params.yaml").read())[1])
"""
PREDICT = """\
import zlib
noise = int(open("model.txt").read())
head, *rows = open("test.csv").read().splitlines()
with open("predictions.csv", "w") as file:
    file.write("person,ill,prediction\\n")
    for row in rows:
        person, _, ill = row.split(",")
        wrong = zlib.crc32(person.encode()) % 100 < noise
        file.write(f"{person},{ill},{(ill == 'True') != wrong}\\n")
"""
FILES = {
    "params.yaml": POLICY,
    "dvc.yaml": PIPELINE,
    "split.py": SPLIT,
    "train.py": TRAIN,
    "predict.py": PREDICT,
    "README.md": "# People\n",
    ".gitignore": "/reports/\n/.cache/\n",
}


@dataclass
class Clone:
    """A clone of the repository."""

    root: Path

    def git(self, *arguments: str) -> str:
        run = subprocess.run(["git", *arguments], cwd=self.root, check=True, capture_output=True, text=True)
        return run.stdout.strip()

    def commit(self, message: str = "A commit") -> str:
        self.git("add", "-A")
        self.git("commit", "-qm", message, "--allow-empty")
        return self.git("rev-parse", "HEAD")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new))

    def dvc(self, what: str, *arguments: Any, folder: str = ".", **options: Any) -> Any:
        """Call DVC in this process: a process of its own takes a second."""
        root = self.root / folder
        with contextlib.chdir(root), contextlib.redirect_stdout(io.StringIO()), Repo(str(root)) as repo:
            return getattr(repo, what)(*arguments, **options)

    def repro(self, folder: str = ".") -> None:
        self.dvc("reproduce", folder=folder)

    def ci(self, *arguments: str, env: dict[str, str] | None = None) -> Run:
        """Run `mlci ci --json` in this process, from its own entry point on."""
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.chdir(self.root),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            mock.patch.object(sys, "argv", ["mlci", "ci", "--json", *arguments]),
            mock.patch.dict(os.environ, {**OUTSIDE, **(env or {})}),
            pytest.raises(SystemExit) as ended,
        ):
            main()
        return Run(ended.value.code or 0, out.getvalue(), err.getvalue())

    def has(self) -> set[str]:
        """Outputs of the pipeline that are in the work tree."""
        names = ("raw.csv", "test.csv", "train.csv", "model.txt", "predictions.csv")
        return {name for name in names if (self.root / name).exists()}


OUTSIDE = dict.fromkeys(("GITHUB_ACTIONS", "GITHUB_BASE_REF", "GITHUB_EVENT_PATH", "SHELL"), "")


@dataclass
class Run:
    """What a run of `mlci ci --json` came to."""

    code: int | str
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        return json.loads(self.out)

    @property
    def verdict(self) -> dict[str, Any]:
        return self.report["verdict"]

    @property
    def findings(self) -> dict[str, dict[str, Any]]:
        return {finding["check"]: finding for finding in self.verdict["findings"]}

    @property
    def failing(self) -> set[str]:
        return {check for check, finding in self.findings.items() if finding["outcome"] != "pass"}

    @property
    def ran(self) -> list[str]:
        return [stage["what"] for stage in self.report["timing"]["stages"]]

    @property
    def pulled(self) -> set[str]:
        return set(self.report["timing"]["pulled"])


@dataclass
class Team:
    """An author, and whoever clones from the shared repository."""

    folder: Path

    @property
    def author(self) -> Clone:
        return Clone(self.folder / "author")

    @property
    def origin(self) -> Path:
        return self.folder / "origin.git"

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def clone(self, name: str = "ci", *options: str, branch: str = "change") -> Clone:
        """A fresh clone, with an empty cache, that has the change checked out as it would be merged."""
        root = self.folder / name
        subprocess.run(
            ["git", "clone", "-q", *options, "-b", branch, self.origin.as_uri(), str(root)],
            check=True,
            capture_output=True,
        )
        return Clone(root)

    def push(self) -> None:
        self.author.git("push", "-q", "origin", "HEAD")


def dvc_init(clone: Clone, remote: str | None = "../../store") -> None:
    Repo.init(str(clone.root)).close()
    if remote is not None:
        config = clone.root / ".dvc/config"
        config.write_text(f"[core]\n    remote = store\n['remote \"store\"']\n    url = {remote}\n")


def set_up(clone: Clone) -> None:
    clone.git("init", "-q", "-b", "main")
    clone.git("config", "user.name", "A Tester")
    clone.git("config", "user.email", "tester@example.org")
