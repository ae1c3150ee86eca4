"""A small project in a real repository, and people to judge a model on."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest import mock

import duckdb
import numpy as np
import pytest

from mlci.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """\
mlci:
  model: {name: people, label: ill, id: person, cost: {false_negative: 5, false_positive: 1}}
  gate:
    test: test.parquet
    predictions: predictions.parquet
    metrics:
      accuracy: {drop: 0.01}
    slices:
      over 50s: {where: "age > 50", accuracy: {floor: 0.85}}
"""


@dataclass
class Project:
    """A small repository with a test table and predictions of a model that is right with a given probability."""

    root: Path
    policy: str = POLICY

    def git(self, *arguments: str) -> str:
        run = subprocess.run(["git", *arguments], cwd=self.root, check=True, capture_output=True, text=True)
        return run.stdout.strip()

    def commit(self, message: str = "A commit") -> str:
        self.git("add", "-A")
        self.git("commit", "-qm", message, "--allow-empty")
        return self.git("rev-parse", "HEAD")

    def write(self, name: str, **columns: Any) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = {key: np.asarray(value) for key, value in columns.items()}
        with duckdb.connect() as connection:
            connection.register("rows", columns)
            kind = "CSV" if path.suffix == ".csv" else "PARQUET"
            connection.execute(f"COPY (SELECT * FROM rows) TO '{path}' (FORMAT {kind})")
        return path

    def mlci(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command in this process, from its own entry point on: a process of its own takes two seconds."""
        out, err = io.StringIO(), io.StringIO()
        environment = {"COLUMNS": "120", "NO_COLOR": "1"}
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


@dataclass
class People:
    """The truth, and models that get some of it wrong."""

    n: int = 2_000
    seed: int = 1

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        self.person = np.array([f"p{i:06}" for i in range(self.n)])
        self.age = rng.integers(18, 90, self.n)
        self.ill = rng.random(self.n) < 0.3

    def answers(self, wrong: np.ndarray[Any, Any]) -> dict[str, Any]:
        decision = self.ill ^ wrong
        noise = np.random.default_rng(9).random(self.n) * 0.4
        score = np.where(decision, 0.55 + noise, 0.45 - noise)
        return {"person": self.person, "ill": self.ill, "prediction": decision, "score": score}

    def wrong(self, share: float, seed: int = 2) -> np.ndarray[Any, Any]:
        return np.random.default_rng(seed).random(self.n) < share
