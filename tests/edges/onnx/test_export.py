"""The hand-over of the estimator, the export as a whole, and its bytes."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import joblib
import pytest
from frames import categories, delay, flights
from sklearn import __version__
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from mlci.edges.onnx.estimator import load_estimator
from mlci.edges.onnx.session import OnnxModel
from mlci.errors import WorldError
from mlci.flows.export import export_model
from mlci.nouns.signature import Provenance


def md5(path):
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


@pytest.fixture
def trained(tmp_path):
    frame = flights(400)
    model = HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=5)
    model.fit(categories(frame, "carrier", "origin"), delay(frame) > 0.5)
    frame.assign(id=range(len(frame)), late=delay(frame) > 0.5).to_parquet(tmp_path / "test.parquet")
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    return tmp_path


def export(folder, out="model.onnx", **options):
    origin = Provenance(data_digest="abc", commit="def", params=json.dumps({"a": 1}))
    known = {"name": "flights", "task": "binary", "md5": md5(folder / "model.pkl"), "provenance": origin}
    return export_model(folder / "model.pkl", folder / "test.parquet", folder / out, **(known | options))


def test_an_export_holds_what_it_says(trained):
    result = export(trained)
    written = trained / "model.onnx"
    assert result.held
    assert (result.md5, result.size, result.converter) == (md5(written), written.stat().st_size, "mlci")
    model = OnnxModel.load(written)
    assert model.md5 == result.md5
    assert model.provenance.model_dump(exclude={"mlci_version"}) == {
        "data_digest": "abc",
        "commit": "def",
        "params": '{"a": 1}',
    }
    assert model.signature.classes == (False, True)
    assert [(each.name, each.type) for each in model.signature.inputs] == [
        ("carrier", "string"),
        ("origin", "string"),
        ("month", "integer"),
        ("wind speed", "float"),
        ("holiday", "boolean"),
        ("distance", "integer"),
    ]


SCRIPT = """
import sys
from pathlib import Path
from mlci.flows.export import export_model
folder, out = Path(sys.argv[1]), sys.argv[2]
for name in ("native", "linear"):
    source = folder / (name + ".pkl")
    export_model(source, folder / "test.parquet", folder / (name + out), name="it", task="binary", trusted=True)
"""


def test_the_same_bytes_in_another_process(trained):
    frame = flights(400)[["month", "distance"]]
    linear = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, delay(flights(400)) > 0.5)
    (trained / "linear.pkl").write_bytes(pickle.dumps(linear))
    (trained / "model.pkl").rename(trained / "native.pkl")
    quiet = os.environ | {"PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", SCRIPT, str(trained), ".there"], check=True, env=quiet)
    for name in ("native", "linear"):
        source = trained / f"{name}.pkl"
        for again in (".here", ".again"):
            out = trained / f"{name}{again}"
            export_model(source, trained / "test.parquet", out, name="it", task="binary", trusted=True)
            assert out.read_bytes() == (trained / f"{name}.there").read_bytes(), name


def test_what_does_not_hold_is_not_written(trained):
    data = flights(400).assign(carrier="AA")
    encoder = OneHotEncoder(handle_unknown="infrequent_if_exist")
    model = make_pipeline(make_column_transformer((encoder, ["origin"])), LogisticRegression())
    (trained / "model.pkl").write_bytes(pickle.dumps(model.fit(data, delay(data) > 0.5)))
    result = export(trained)
    assert [each.group for each in result.broken] == ["unseen category in `origin`"]
    assert not (trained / "model.onnx").exists()


def test_joblib_and_plain_arrays(tmp_path):
    data = load_breast_cancer(as_frame=True)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(data.data.to_numpy(), data.target)
    joblib.dump(model, tmp_path / "model.joblib", compress=3)
    data.frame.assign(id=range(len(data.frame))).to_parquet(tmp_path / "test.parquet")
    result = export_model(
        tmp_path / "model.joblib",
        tmp_path / "test.parquet",
        tmp_path / "model.onnx",
        name="cancer",
        task="binary",
        trusted=True,
        not_inputs=("id", "target"),
    )
    assert result.held
    assert len(OnnxModel.load(tmp_path / "model.onnx").signature.inputs) == 30


def test_csv_rows(trained):
    frame = flights(300)
    frame.to_csv(trained / "test.csv", index=False)
    (trained / "test.parquet").unlink()
    result = export_model(
        trained / "model.pkl", trained / "test.csv", trained / "m.onnx", name="f", task="binary", trusted=True
    )
    assert result.held, result.broken


class Bomb:
    def __reduce__(self):
        return (os.system, ("touch exploded",))


def test_a_pickle_that_nobody_vouches_for_is_not_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(WorldError, match="nobody vouches for"):
        load_estimator(path)
    with pytest.raises(WorldError, match="is expected"):
        load_estimator(path, md5="0" * 32)
    assert not Path("exploded").exists()


@pytest.mark.parametrize(("content", "problem"), [
    (b"", "is no pickle that can be opened"),
    (b"not a pickle", "is no pickle that can be opened"),
    (pickle.dumps({"a": 1}), "holds a dict, which is no estimator"),
    (b"cno_such_module\nThing\n.", "needs code that is not importable here"),
])  # fmt: skip
def test_no_estimator(tmp_path, content, problem):
    path = tmp_path / "model.pkl"
    path.write_bytes(content)
    with pytest.raises(WorldError, match=problem):
        load_estimator(path, trusted=True)


def test_no_file(tmp_path):
    with pytest.raises(WorldError, match="No such file"):
        load_estimator(tmp_path / "model.pkl", trusted=True)


def test_another_version_of_scikit_learn(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(LogisticRegression()).replace(__version__.encode(), b"0" + __version__[1:].encode()))
    with pytest.raises(WorldError, match=r"trained with scikit-learn 0\."):
        load_estimator(path, trusted=True)


def test_an_estimator_that_no_converter_knows(trained):
    frame = flights(400)[["month"]]
    model = make_pipeline(FunctionTransformer(abs), LogisticRegression()).fit(frame, delay(flights(400)) > 0.5)
    (trained / "model.pkl").write_bytes(pickle.dumps(model))
    with pytest.raises(WorldError, match="skl2onnx cannot convert FunctionTransformer → LogisticRegression"):
        export(trained)


def test_rows_without_a_column_of_the_training(trained):
    flights(400).drop(columns="origin").to_parquet(trained / "test.parquet")
    with pytest.raises(WorldError, match="trained on the column `origin`, which the data lack"):
        export(trained)
