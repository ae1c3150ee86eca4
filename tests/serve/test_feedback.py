"""Labels over HTTP: late, again, contradicting, many at once, of unknown predictions; and what stays private."""

import re

import pytest
from log_rows import rows
from serve_process import Server
from served_models import ROW, regression


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("feedback")
    (folder / "params.yaml").write_text("mlci: {serve: {private: [fever]}}\n")
    return folder


@pytest.fixture(scope="module")
def server(folder):
    server = Server(folder, model=regression(folder / "model.onnx"))
    yield server
    code, said = server.stop()
    assert code == 0, said


def outcomes(server):
    found = re.findall(r'^mlci_feedback_total\{outcome="(\w+)"\} (\S+)$', server.ask("/metrics")[1], re.MULTILINE)
    return {name: float(value) for name, value in found}


def test_many_labels_are_stored_together_or_not_at_all(server, folder):
    ids = [each["id"] for each in server.ask("/predict", [ROW] * 3)[1]["predictions"]]
    before = outcomes(server)
    labels = [{"id": name, "label": 2.5, "source": "clinic"} for name in ids]
    status, told = server.ask("/feedback", [*labels, {"id": "lost", "label": 1}, {"id": "z\0", "label": 1}])
    assert (status, told["unknown"][0]) == (404, "lost")
    assert "2 of 5 labels" in told["error"]
    log = f"sqlite:///{folder / 'predictions.db'}"
    assert rows(log, "SELECT count(*) FROM feedback") == [(0,)]
    status, told = server.ask("/feedback", labels)
    assert [each["outcome"] for each in told["labels"]] == ["stored"] * 3
    status, told = server.ask("/feedback", [labels[0], {"id": ids[1], "label": 3}, {"id": ids[1], "label": 3.0}])
    assert [each["outcome"] for each in told["labels"]] == ["duplicate", "contradiction", "duplicate"]
    assert told["labels"][1]["contradicts"] == 2.5
    after = outcomes(server)
    assert {name: after[name] - before.get(name, 0) for name in after} == {
        "stored": 3,
        "duplicate": 2,
        "contradiction": 1,
        "unknown": 2,
    }
    labelled = rows(log, "SELECT id, label, label_source, contradicted FROM labelled ORDER BY id")
    assert sorted(labelled) == sorted(
        [(ids[0], "2.5", "clinic", 0), (ids[1], "3.0", "", 1), (ids[2], "2.5", "clinic", 0)]
    )


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ({"id": "a", "label": "high"}, ["'label'", '"high"', "a number"]),
        ({"id": "a", "label": True}, ["'label'", "true"]),
        ({"id": "a", "label": 10**400}, ["'label'", "a number"]),
        ({"id": "a", "label": 1, "source": 5}, ["'source'", "5"]),
        ({"id": "a", "label": 1, "source": "x" * 101}, ["'source'"]),
        ({"id": "", "label": 1}, ["'id'"]),
        ({"label": 1}, ["'id'"]),
    ],
)
def test_what_is_no_label_is_refused_by_its_field(server, label, words):
    status, told = server.ask("/feedback", label)
    assert status == 422
    assert [word for word in words if word not in told["error"]] == []


def test_a_private_value_is_in_no_answer_and_no_file(server, folder):
    value = "Wilhelmina"
    tensor = {"name": "fever", "shape": [1], "datatype": "FP64", "data": [value]}
    other = {"name": "pulse", "shape": [1], "datatype": "FP64", "data": [1.5]}
    asked = [
        ("/predict", ROW | {"fever": value}),
        ("/predict", [value]),
        ("/predict", [ROW, ROW | {"fever": value}]),
        ("/v2/models/people/infer", {"inputs": [tensor, other]}),
        ("/v2/models/people/infer", {"inputs": [tensor | {"data": value}, other]}),
        ("/feedback", {"id": "a", "label": 1, "fever": value}),
        ("/feedback", [value]),
    ]
    for path, body in asked:
        status, told = server.ask(path, body)
        assert 400 <= status < 500, (path, told)
        assert value not in str(told)
    server.ask("/predict", ROW | {"fever": 123456.5})
    assert [path for path in folder.glob("predictions.db*") if b"123456.5" in path.read_bytes()] == []
    # The same of a field that isn't private is quoted, so that the client sees what is wrong.
    assert value in server.ask("/predict", ROW | {"pulse": value})[1]["error"]
