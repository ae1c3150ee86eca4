"""Models of every kind, alone and out of a bundle, and whose answer it is."""

import subprocess

import numpy as np
import pytest
from serve_process import Server, run_serve
from served_models import INPUTS, ROW, binary, bundle, frame, matrix, multiclass, regression

from mlci.edges.onnx.session import OnnxModel
from mlci.nouns.signature import Signature


@pytest.fixture
def serving(tmp_path):
    """Start servers, and stop them at the end."""
    started = []

    def start(model, *args):
        started.append(Server(tmp_path, *args, model=model))
        return started[-1]

    yield start
    for each in started:
        code, said = each.stop()
        assert code == 0, said


def test_many_rows_get_the_answers_of_the_model(serving, tmp_path):
    file = binary(tmp_path / "model.onnx")
    server, table = serving(file), frame(700)
    for rows in (255, 256, 700):
        status, told = server.ask("/predict", table[:rows].to_dict("records"))
        assert status == 200
        got = np.array([each["scores"]["score"] for each in told["predictions"]])
        assert np.abs(got - OnnxModel.load(file).score(table[:rows]).score[:, 0]).max() < 1e-12
        assert len({each["id"] for each in told["predictions"]}) == rows


def test_a_multiclass_model(serving, tmp_path):
    server = serving(multiclass(tmp_path / "model.onnx"))
    status, told = server.ask("/predict", ROW)
    assert status == 200
    assert told["scores"].keys() == {"score_high", "score_low", "score_middle"}
    assert f"score_{told['prediction']}" == max(told["scores"], key=told["scores"].get)
    outputs = server.ask("/v2/models/people")[1]["outputs"]
    assert {"name": "prediction", "datatype": "BYTES", "shape": [-1, 1]} in outputs
    assert server.ask("/feedback", {"id": told["id"], "label": "middle"})[0] == 200
    assert server.ask("/feedback", {"id": told["id"], "label": "other"})[0] == 422


def test_a_regression(serving, tmp_path):
    server = serving(regression(tmp_path / "model.onnx"))
    status, told = server.ask("/predict", [ROW, {**ROW, "fever": 2.5}])
    assert status == 200
    first, second = told["predictions"]
    assert second["prediction"] - first["prediction"] == pytest.approx(4, abs=1e-6)
    assert first["scores"] == {}
    assert server.ask("/feedback", {"id": first["id"], "label": 1.25})[1]["outcome"] == "stored"
    # 3e38 is a number of 32 bits; what the model makes of it is none.
    status, told = server.ask("/predict", [ROW, {"fever": 3e38, "pulse": 3e38}])
    assert status in {200, 422}


def test_a_matrix_has_names_by_its_bundle(serving, tmp_path):
    file = matrix(tmp_path / "made.onnx")
    refused = run_serve(tmp_path, str(file))
    assert refused.returncode == 3
    assert "name its columns" in refused.stderr
    signature = Signature(model="people", task="binary", inputs=INPUTS, classes=(0, 1))
    server = serving(bundle(tmp_path / "people", file, signature=signature))
    status, told = server.ask("/predict", ROW)
    assert status == 200
    assert (told["version"], told["commit"]) == ("v1.0.0", "c" * 40)
    wanted = OnnxModel.load(file, signature=signature).score(frame(1).assign(**ROW)).score[0, 0]
    assert told["scores"]["score"] == pytest.approx(wanted, abs=1e-9)


def test_a_bundle_that_answers_otherwise_than_released_is_not_ready(serving, tmp_path):
    server = serving(bundle(tmp_path / "people", binary(tmp_path / "made.onnx"), wrong=True))
    status, told = server.ask("/v2/health/ready")
    assert (status, told["ready"]) == (400, False)
    assert "example 1 of 3" in told["error"]
    assert server.ask("/v2/health/live")[0] == 200
    assert server.ask("/predict", ROW)[0] == 503
    assert "mlci_ready 0.0" in server.ask("/metrics")[1]


def test_a_bundle_with_another_model_than_it_says_is_refused(tmp_path):
    folder = bundle(tmp_path / "people", binary(tmp_path / "made.onnx"))
    binary(folder / "model.onnx", seed=1)
    refused = run_serve(tmp_path, str(folder))
    assert refused.returncode == 3
    assert "is not the model that model.json tells of" in refused.stderr


def test_every_answer_says_whose_it_is(serving, tmp_path):
    server = serving(bundle(tmp_path / "people", binary(tmp_path / "made.onnx")))
    about = {"model": "people", "version": "v1.0.0", "commit": "c" * 40}
    one = server.ask("/predict", ROW)[1]
    many = server.ask("/predict", [ROW])[1]
    label = server.ask("/feedback", {"id": one["id"], "label": 1})[1]
    labels = server.ask("/feedback", [{"id": one["id"], "label": 1}])[1]["labels"][0]
    wrong = server.ask("/predict", {**ROW, "fever": "high"})[1]
    nowhere = server.ask("/nowhere")[1]
    for told in (one, many, label, labels, wrong, nowhere):
        assert {key: told[key] for key in about} == about
        assert told.get("id") or told["predictions"][0]["id"]
    for path in ("/metrics", "/docs", "/v2", "/nowhere"):
        headers = server.headers(path)
        assert {key: headers[f"mlci-{key}"] for key in about} == about
        assert headers["mlci-request"]


def test_the_commit_is_told_while_the_file_is_what_it_holds(serving, tmp_path):
    file = binary(tmp_path / "model.onnx")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q"], ["add", "model.onnx"], ["commit", "-qm", "A model"]):
        subprocess.run([*git, *arguments], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert serving(file).ask("/predict", ROW)[1]["commit"] == head
    binary(file, seed=1)
    assert serving(file).ask("/predict", ROW)[1]["commit"] == ""
