"""Loading and asking a model: ours, another tool's, and no model at all."""

from __future__ import annotations

import warnings

import numpy as np
import pyarrow as pa
import pytest
from frames import categories, delay, flights, table
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression

from mlci.edges.onnx.convert import with_metadata
from mlci.edges.onnx.session import OnnxModel
from mlci.errors import WorldError
from mlci.flows.export import prove_export
from mlci.nouns.signature import Input, Provenance, Signature

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import onnx
    from onnx import TensorProto, helper
    from skl2onnx import to_onnx


@pytest.fixture(scope="module")
def made():
    frame = flights(600)
    model = HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=5)
    model.fit(categories(frame, "carrier", "origin"), np.where(delay(frame) > 0.5, "late", "fine"))
    return prove_export(model, table(frame), name="flights", task="binary", positive="fine")[0]


@pytest.fixture(scope="module")
def rows():
    return table(flights(600))


def test_batches_threads_and_dictionaries_change_nothing(made, rows):
    whole = OnnxModel.load(made, threads=1).score(rows)
    parts = OnnxModel.load(made, threads=2).score(rows, batch_rows=7)
    coded = rows.set_column(0, "carrier", rows.column("carrier").dictionary_encode())
    for other in (parts, OnnxModel.load(made).score(coded)):
        assert (other.prediction == whole.prediction).all()
        assert np.abs(other.outputs - whole.outputs).max() <= 1e-12
    assert (whole.score[:, 0] == whole.outputs[:, 0]).all(), "the positive class is the first here"


def test_a_dictionary_of_arrays(made, rows):
    columns = {name: rows.column(name).to_pandas().to_numpy() for name in rows.column_names}
    got = OnnxModel.load(made).score(columns)
    assert (got.outputs == OnnxModel.load(made).score(rows).outputs).all()


def test_no_rows_give_no_scores(made, rows):
    got = OnnxModel.load(made).score(rows.slice(0, 0))
    assert (got.outputs.shape, got.prediction.shape, got.score.shape) == ((0, 2), (0,), (0, 1))


def test_a_missing_column_is_named(made, rows):
    with pytest.raises(WorldError, match=r"column `carrier` \(string\) is missing") as caught:
        OnnxModel.load(made).score(rows.rename_columns(["carier", *rows.column_names[1:]]))
    assert caught.value.mend == "did you mean `carier`?"
    with pytest.raises(WorldError, match="`distance`") as caught:
        OnnxModel.load(made).score(rows.drop_columns(["distance"]))
    assert caught.value.mend.startswith("the table has: carrier, origin")


@pytest.mark.parametrize(("name", "values", "problem"), [
    ("carrier", pa.array([1, 2]), "column `carrier`: expected string, got int64"),
    ("month", pa.array(["1", "2"]), "column `month`: expected integer, got string"),
    ("distance", pa.array([0, 1], pa.timestamp("s")), r"column `distance`: expected integer, got timestamp\[s\]"),
    ("wind speed", pa.array([[1.0], []]), "column `wind speed`: expected float, got list<"),
])  # fmt: skip
def test_a_wrong_type_is_named(made, rows, name, values, problem):
    two = rows.slice(0, 2)
    with pytest.raises(WorldError, match=problem):
        OnnxModel.load(made).score(two.set_column(two.column_names.index(name), name, values))


def test_a_column_without_any_value(made, rows):
    empty = rows.set_column(0, "carrier", pa.nulls(rows.num_rows)).set_column(3, "wind speed", pa.nulls(rows.num_rows))
    assert np.isfinite(OnnxModel.load(made).score(empty).outputs).all()


def test_other_kinds_of_numbers(made, rows):
    model = OnnxModel.load(made)
    other = rows.set_column(2, "month", rows.column("month").cast(pa.decimal128(19, 0)))
    other = other.set_column(5, "distance", other.column("distance").cast(pa.float32()))
    other = other.set_column(4, "holiday", other.column("holiday").cast(pa.int8()))
    other = other.set_column(1, "origin", other.column("origin").cast(pa.large_string()))
    assert (model.score(other).outputs == model.score(rows).outputs).all()


def test_columns_of_different_lengths(made):
    with pytest.raises(WorldError, match="the columns are no table"):
        OnnxModel.load(made).score({"carrier": np.array(["a"]), "origin": np.array(["a", "b"])})


@pytest.mark.parametrize("broken", [b"", b"no model", b"\x08\x08\x12\x00"])
def test_no_model(tmp_path, broken):
    path = tmp_path / "model.onnx"
    path.write_bytes(broken)
    with pytest.raises(WorldError, match=r"model.onnx is no ONNX model that can be loaded"):
        OnnxModel.load(path)


def test_a_truncated_model(made):
    with pytest.raises(WorldError, match="is no ONNX model"):
        OnnxModel.load(made[: len(made) // 2])


def test_no_file(tmp_path):
    with pytest.raises(WorldError, match="No such file"):
        OnnxModel.load(tmp_path / "model.onnx")


def _with_signature(content, text):
    model = onnx.ModelProto.FromString(content)
    for pair in model.metadata_props:
        if pair.key == "mlci.signature":
            pair.value = text
    return model.SerializeToString()


@pytest.mark.parametrize("text", ["{", "{}", '{"model": "m", "task": "guess", "inputs": []}'])
def test_a_signature_that_cannot_be_read(made, text):
    with pytest.raises(WorldError, match="the signature inside cannot be read"):
        OnnxModel.load(_with_signature(made, text))


def test_a_signature_of_another_graph(made):
    other = Signature(model="m", task="binary", inputs=(Input(name="age", type="float"),), classes=(0, 1))
    with pytest.raises(WorldError, match=r"differ in the inputs.*'age'"):
        OnnxModel.load(with_metadata(made, other, Provenance()))


@pytest.mark.parametrize("zipmap", [False, True])
def test_a_matrix_model_of_another_tool(zipmap):
    data = load_iris(as_frame=True)
    model = LogisticRegression(max_iter=500).fit(data.data.to_numpy(np.float32), data.target)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content = to_onnx(model, data.data.to_numpy(np.float32)[:1], options={"zipmap": zipmap}).SerializeToString()
    with pytest.raises(WorldError, match="takes a matrix of 4 columns without names"):
        OnnxModel.load(content)
    with pytest.raises(WorldError, match="takes 4 columns, and 1 are named"):
        OnnxModel.load(content, columns=["a"])
    known = OnnxModel.load(content, columns=list(data.data.columns))
    assert (known.signature.task, known.signature.classes) == ("multiclass", (0, 1, 2))
    got = known.score(table(data.data))
    assert np.abs(got.outputs - model.predict_proba(data.data.to_numpy())).max() < 1e-5
    assert (got.prediction == data.target).mean() > 0.95


def test_a_regression_of_another_tool():
    data = load_iris(as_frame=True).data
    model = LinearRegression().fit(data.to_numpy(np.float32)[:, :3], data.iloc[:, 3])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content = to_onnx(model, data.to_numpy(np.float32)[:1, :3]).SerializeToString()
    known = OnnxModel.load(content, columns=list(data.columns[:3]))
    assert known.signature.task == "regression"
    assert np.abs(known.score(table(data)).prediction - model.predict(data.to_numpy()[:, :3])).max() < 1e-5


def _graph(inputs, nodes, outputs):
    graph = helper.make_graph(nodes, "g", inputs, outputs)
    opsets = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()


def _value(name, kind, *shape):
    return helper.make_tensor_value_info(name, kind, list(shape))


def test_named_columns_of_another_tool():
    content = _graph(
        [_value("age", TensorProto.FLOAT, None, 1), _value("member", TensorProto.INT64, None, 1)],
        [
            helper.make_node("Cast", ["member"], ["m"], to=TensorProto.FLOAT),
            helper.make_node("Concat", ["age", "m"], ["logits"], axis=1),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ],
        [_value("probabilities", TensorProto.FLOAT, None, 2)],
    )
    model = OnnxModel.load(content)
    assert [(each.name, each.type) for each in model.signature.inputs] == [("age", "float"), ("member", "integer")]
    got = model.score(pa.table({"age": [0.0, 2.0], "member": [1, 0], "more": ["x", "y"]}))
    assert got.prediction.tolist() == [1, 0]
    assert got.score[:, 0] == pytest.approx([0.7310586, 0.1192029])


def test_one_probability_of_another_tool_needs_a_signature():
    content = _graph(
        [_value("age", TensorProto.FLOAT, None, 1)],
        [helper.make_node("Sigmoid", ["age"], ["p"])],
        [_value("p", TensorProto.FLOAT, None, 1)],
    )
    assert OnnxModel.load(content).signature.task == "regression"
    known = Signature(model="m", task="binary", inputs=(Input(name="age", type="float"),), classes=(0, 1))
    got = OnnxModel.load(content, signature=known).score(pa.table({"age": [0.0, 5.0]}))
    assert got.outputs[0].tolist() == [0.5, 0.5]
    assert got.prediction.tolist() == [0, 1]


def test_inputs_that_no_column_can_be():
    content = _graph(
        [_value("age", TensorProto.FLOAT16, None, 1)],
        [helper.make_node("Identity", ["age"], ["p"])],
        [_value("p", TensorProto.FLOAT16, None, 1)],
    )
    with pytest.raises(WorldError, match=r"`age` is a tensor\(float16\)"):
        OnnxModel.load(content)


def test_a_whole_number_input_takes_no_missing_value():
    content = _graph(
        [_value("n", TensorProto.INT64, None, 1)],
        [helper.make_node("Cast", ["n"], ["p"], to=TensorProto.FLOAT)],
        [_value("p", TensorProto.FLOAT, None, 1)],
    )
    with pytest.raises(WorldError, match="column `n`: 1 values are missing"):
        OnnxModel.load(content).score(pa.table({"n": [1, None]}))
