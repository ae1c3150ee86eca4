"""A project with a real model, judged and pushed, and what tests do with it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
from repositories import People, Project
from sklearn.linear_model import LogisticRegression

from mlci.flows.export import prove_export

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """\
mlci:
  model:
    name: people
    path: model.onnx
    label: ill
    id: person
    purpose: Tell who is *ill* <b>now</b>, @everyone
    owner: the clinic
    population: adults
    cost: {false_negative: 5, false_positive: 1}
  gate:
    test: test.parquet
    predictions: predictions.parquet
    metrics: {roc_auc: {floor: 0.6, drop: 0.02}}
    slices:
      over 50s: {where: "age > 50", roc_auc: {floor: 0.55}}
"""
DVC = """\
stages:
  predict:
    cmd: mlci score model.onnx test.parquet --out predictions.parquet
    deps: [model.onnx, test.parquet]
    outs: [predictions.parquet]
artifacts:
  people: {path: model.onnx, type: model}
"""


def dvc(project, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "dvc", *arguments, "-q"], cwd=project.root, check=True, capture_output=True)


def readings(people) -> dict[str, np.ndarray]:
    noise = np.random.default_rng(3).normal(size=(people.n, 2))
    return {"fever": people.ill * 1.0 + noise[:, 0], "pulse": people.ill * 0.8 + noise[:, 1]}


def train(project, people, columns: tuple[str, ...], *, seed: int = 0, wrong: float = 0.0) -> None:
    """A logistic model of some columns, exported and proven."""
    frame = pd.DataFrame({name: column for name, column in readings(people).items() if name in columns})
    estimator = LogisticRegression().fit(frame, people.ill ^ people.wrong(wrong, seed))
    content, proof = prove_export(estimator, pa.Table.from_pandas(frame), name="people", task="binary")
    assert proof.held
    (project.root / "model.onnx").write_bytes(content)
    scored = project.mlci("score", "model.onnx", "test.parquet", "--out", "predictions.parquet")
    assert scored.returncode == 0, scored.stderr


def judged(project, message: str) -> None:
    dvc(project, "commit", "-f")
    dvc(project, "push")
    project.commit(message)
    project.git("push", "-q", "origin", "HEAD:main")
    assert project.mlci("compare", "--record").returncode == 0


def make(folder: Path) -> None:
    """A repository, its remote and its DVC remote in a folder: a model with a passing verdict."""
    project, people = Project(folder / "repository"), People()
    project.root.mkdir()
    project.git("init", "-q", "-b", "main")
    project.git("config", "user.name", "A Tester")
    project.git("config", "user.email", "tester@example.org")
    (project.root / ".gitignore").write_text("reports/\n.cache/\n")
    (project.root / "params.yaml").write_text(POLICY)
    (project.root / "dvc.yaml").write_text(DVC)
    project.git("init", "-q", "--bare", str(folder / "origin.git"))
    project.git("remote", "add", "origin", "../origin.git")
    dvc(project, "init")
    dvc(project, "remote", "add", "--default", "store", "../store")
    seen = np.random.default_rng(5).integers(1_356_998_400, 1_388_534_400, people.n).astype("datetime64[s]")
    project.write("test.parquet", person=people.person, age=people.age, ill=people.ill, seen=seen, **readings(people))
    train(project, people, ("fever",))
    judged(project, "A first model")


def build(project, out: Path, *arguments: str) -> Path:
    done = project.mlci("release", "--build", "people@v1.0.0", "--out", str(out), *arguments)
    assert done.returncode == 0, done.stderr
    return out / "people-v1.0.0"
