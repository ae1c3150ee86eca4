"""Small models of every kind, and bundles of them."""

import json
import warnings

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression, LogisticRegression

from mlci.edges.files import digest
from mlci.edges.onnx.convert import convert, with_metadata
from mlci.edges.onnx.session import OnnxModel
from mlci.nouns.bundle import Example, Manifest
from mlci.nouns.signature import Input, Provenance, Signature

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from skl2onnx import to_onnx

FEATURES = ("fever", "pulse")
INPUTS = tuple(Input(name=name, type="float", nullable=False) for name in FEATURES)
ROW = {"fever": 0.5, "pulse": -1.5}


def frame(rows=200):
    rng = np.random.default_rng(1)
    return pd.DataFrame({name: rng.normal(size=rows) for name in FEATURES})


def binary(path, *, name="people", seed=0):
    """A classifier of two classes; another seed is another model."""
    table = frame()
    truth = table.fever + np.random.default_rng(seed).normal(size=len(table)) > 0
    return _write(path, LogisticRegression().fit(table, truth.astype(int)), name, "binary", (0, 1))


def multiclass(path):
    table = frame()
    truth = np.where(table.fever > 0.5, "high", np.where(table.pulse > 0, "middle", "low"))
    classes = ("high", "low", "middle")
    return _write(path, LogisticRegression().fit(table, truth), "people", "multiclass", classes)


def regression(path):
    table = frame()
    return _write(path, LinearRegression().fit(table, 2 * table.fever), "people", "regression", ())


def matrix(path):
    """As another tool writes it: one matrix, whose columns have no names."""
    table = frame()
    estimator = LogisticRegression().fit(table.to_numpy(), (table.fever > 0).astype(int))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = to_onnx(estimator, table.to_numpy()[:1].astype(np.float32), options={"zipmap": False})
    path.write_bytes(made.SerializeToString())
    return path


def bundle(folder, model, *, signature=None, version="v1.0.0", wrong=False):
    """A folder as a release has it; `wrong`: the examples say what the model doesn't."""
    folder.mkdir(parents=True)
    file = folder / "model.onnx"
    file.write_bytes(model.read_bytes())
    loaded = OnnxModel.load(file, signature=signature)
    scores = loaded.score(frame(3))
    examples = tuple(
        Example(
            inputs=frame(3).iloc[at].to_dict(),
            prediction=str(scores.prediction[at]),
            outputs={
                name: value + wrong
                for name, value in zip(loaded.signature.score_columns, scores.score[at].tolist(), strict=True)
            },
        )
        for at in range(3)
    )
    manifest = Manifest(
        name="people",
        version=version,
        commit="c" * 40,
        released="2026-01-01T00:00:00Z",
        tool="mlci",
        sha256=digest(file),
        signature=loaded.signature,
        examples=examples,
        purpose="a test",
        owner="a tester",
    )
    (folder / "model.json").write_text(json.dumps(manifest.model_dump(mode="json")))
    return folder


def _write(path, estimator, name, task, classes):
    content = convert(estimator, frame()).content
    signature = Signature(model=name, task=task, inputs=INPUTS, classes=classes)
    path.write_bytes(with_metadata(content, signature, Provenance()))
    return path
