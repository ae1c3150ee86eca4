"""A real server: answers, refusals, labels, and what is left of it after kill -9."""

import sqlite3
import threading

import pytest
from serve_process import MODEL, Server

from mlci.edges.onnx.session import OnnxModel

TEXTS = {"carrier": "AA", "origin": "JFK", "dest": "LAX"}


@pytest.fixture(scope="module")
def row():
    return {each.name: TEXTS.get(each.name, 1) for each in OnnxModel.load(MODEL).signature.inputs}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("serve")


@pytest.fixture(scope="module")
def server(folder):
    server = Server(folder)
    yield server
    code, said = server.stop()
    assert code == 0, said


def test_one_row_and_many_and_the_protocol_give_one_answer(server, row):
    status, one = server.ask("/predict", row)
    assert status == 200
    assert one.keys() == {"id", "prediction", "scores", "model", "version", "commit"}
    status, many = server.ask("/predict", [row, row])
    assert [each["scores"] for each in many["predictions"]] == [one["scores"]] * 2
    assert len({one["id"], *(each["id"] for each in many["predictions"])}) == 3
    about = server.ask(f"/v2/models/{one['model']}")[1]
    kinds = {each["name"]: each["datatype"] for each in about["inputs"]}
    inputs = [{"name": name, "shape": [1, 1], "datatype": kinds[name], "data": [row[name]]} for name in row]
    path = f"/v2/models/{one['model']}/versions/{one['version']}/infer"
    status, told = server.ask(path, {"id": "mine", "inputs": inputs})
    assert (status, told["id"], told["model_version"]) == (200, "mine", one["version"])
    outputs = {each["name"]: each["data"] for each in told["outputs"]}
    assert outputs["score"] == [one["scores"]["score"]]
    assert outputs["prediction"] == [one["prediction"]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"distance": "far"}, ["'distance'", '"far"', "a whole number"]),
        ({"distance": 1.5}, ["'distance'", "1.5", "a whole number"]),
        ({"carrier": 7}, ["'carrier'", "7", "a text"]),
        ({"carier": "AA"}, ["'carier'", "did you mean 'carrier'?"]),
        ({"temp": True}, ["'temp'", "true", "a number"]),
    ],
)
def test_a_wrong_field_is_named_with_its_value_and_what_is_expected(server, row, change, words):
    status, told = server.ask("/predict", row | change)
    assert status == 422
    assert [word for word in words if word not in told["error"]] == []


@pytest.mark.parametrize(
    ("path", "body", "method", "expected"),
    [
        ("/predict", b"{", None, 400),
        ("/predict", b"[" * 100_000, None, 400),
        ("/predict", b"\xff", None, 400),
        ("/predict", [], None, 400),
        ("/predict", "text", None, 422),
        ("/predict", b" " * 1_000_001, None, 413),
        ("/predict", [{}] * 1_001, None, 413),
        ("/predict", None, "GET", 405),
        ("/nowhere", None, "GET", 404),
        ("/v2/models/other", None, "GET", 404),
        ("/v2/models/flights/versions/9/ready", None, "GET", 404),
        ("/v2/models/flights/infer", {"inputs": 1}, None, 400),
        ("/v2/models/flights/infer", {"inputs": [{"name": "carrier"}]}, None, 400),
        ("/v2/models/flights/infer", [], None, 400),
        ("/feedback", {"id": "nobody's", "label": 1}, None, 404),
        ("/feedback", {"id": 1}, None, 422),
    ],
)
def test_a_wrong_request_gets_an_error_and_never_a_5xx(server, path, body, method, expected):
    status, told = server.ask(path, body, method)
    assert status == expected
    assert told["error"]


def test_labels_join_by_id_and_a_contradiction_is_told(server, row, folder):
    name = server.ask("/predict", row)[1]["id"]
    outcomes = [server.ask("/feedback", {"id": name, "label": label})[1]["outcome"] for label in (0, 0, 1)]
    assert outcomes == ["stored", "duplicate", "contradiction"]
    assert server.ask("/feedback", {"id": name, "label": "late"})[0] == 422
    with sqlite3.connect(folder / "predictions.db") as log:
        assert log.execute("SELECT label, contradicted FROM labelled WHERE id = ?", (name,)).fetchall() == [("1", 1)]
        kept = log.execute("SELECT label, times FROM feedback WHERE id = ? ORDER BY place", (name,)).fetchall()
    log.close()
    assert kept == [("0", 2), ("1", 1)]


def test_it_tells_about_itself(server, row):
    assert server.ask("/predict", row)[0] == 200
    assert server.ask("/v2/health/live") == (200, {"live": True})
    assert server.ask("/v2/health/ready")[1]["ready"] is True
    assert set(server.ask("/openapi.json")[1]["components"]["schemas"]["Row"]["properties"]) == set(row)
    assert "http://" not in server.ask("/docs")[1].replace("http://HOST:PORT", "")
    assert 'mlci_requests_total{route="/predict"' in server.ask("/metrics")[1]


def test_a_private_column_is_not_stored(tmp_path, row):
    (tmp_path / "params.yaml").write_text("mlci: {serve: {private: [carrier], durable: behind}}\n")
    server = Server(tmp_path)
    assert server.ask("/predict", row)[0] == 200
    assert server.stop()[0] == 0
    log = sqlite3.connect(tmp_path / "predictions.db")
    (inputs,) = log.execute("SELECT inputs FROM predictions").fetchone()
    log.close()
    assert "carrier" not in inputs
    assert "origin" in inputs


@pytest.mark.parametrize("round_", range(2))
def test_nothing_acknowledged_is_missing_after_kill(tmp_path, row, round_):
    server = Server(tmp_path)
    predicted, labelled, enough = [], [], threading.Event()

    def client():
        try:
            while True:
                name = server.ask("/predict", row)[1]["id"]
                predicted.append(name)
                if server.ask("/feedback", {"id": name, "label": round_})[0] == 200:
                    labelled.append(name)
                if len(labelled) > 40:
                    enough.set()
        except OSError:
            return

    clients = [threading.Thread(target=client) for _ in range(4)]
    for each in clients:
        each.start()
    assert enough.wait(60)
    server.kill()
    for each in clients:
        each.join()
    log = sqlite3.connect(tmp_path / "predictions.db")
    kept = {name for (name,) in log.execute("SELECT id FROM predictions")}
    joined = {name for (name,) in log.execute("SELECT id FROM labelled")}
    assert log.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    log.close()
    assert set(predicted) - kept == set()
    assert set(labelled) - joined == set()
