"""A shadow behind the answers and a canary among them: who answers whom, and what the log knows of it."""

import signal
import sqlite3

import pytest
import yaml
from load import Load, until
from serve_process import Server, run_serve
from served_models import ROW, binary, bundle, frame, multiclass

SHADOW = 'role="shadow"'


@pytest.fixture
def serving(tmp_path):
    """Serve `model.onnx` with these keys of `mlci.serve`."""
    started = []

    def start(*args, **keys):
        (tmp_path / "params.yaml").write_text(yaml.safe_dump({"mlci": {"serve": keys}}))
        started.append(Server(tmp_path, *args, model=tmp_path / "model.onnx"))
        return started[-1]

    binary(tmp_path / "model.onnx")
    binary(tmp_path / "other.onnx", seed=1)
    yield start
    for each in started:
        if each.process.poll() is None:
            code, said = each.stop()
            assert code == 0, said


def rows_of(folder, query):
    with sqlite3.connect(folder / "predictions.db") as log:
        found = log.execute(query).fetchall()
    log.close()
    return found


def test_a_shadow_is_asked_behind_the_answers(serving, tmp_path):
    server = serving(shadow="other.onnx")
    one = server.ask("/predict", ROW)[1]
    many = server.ask("/predict", frame(3).to_dict("records"))[1]
    tensors = [{"name": name, "shape": [1], "datatype": "FP64", "data": [value]} for name, value in ROW.items()]
    infer = server.ask("/v2/models/people/infer", {"inputs": tensors})[1]
    ids = {one["id"], *(each["id"] for each in many["predictions"]), infer["parameters"]["prediction_id"]}
    assert server.ask("/feedback", {"id": one["id"], "label": 1})[0] == 200
    until(lambda: f"mlci_predictions_total{{{SHADOW}" in server.ask("/metrics")[1])
    # What only the shadow said can't be labelled: nobody has seen it.
    assert server.ask("/feedback", {"id": f"{one['id']}.shadow", "label": 1})[0] == 404
    assert server.stop()[0] == 0
    both = "SELECT p.request, p.version, s.version, p.scores, s.scores, p.at = s.at FROM predictions p"
    found = rows_of(
        tmp_path, f"{both} JOIN predictions s ON s.request = p.id AND s.role = 'shadow' AND p.role = 'current'"
    )
    assert {each[0] for each in found} == ids
    assert {each[1] for each in found} == {one["version"]}
    assert one["version"] not in {each[2] for each in found}
    assert all(each[3] != each[4] and each[5] for each in found)
    assert rows_of(tmp_path, "SELECT role, label FROM labelled ORDER BY role") == [("current", "1"), ("shadow", "1")]


def test_a_canary_answers_its_share_and_always_the_same_ones(serving, tmp_path):
    server = serving(canary={"model": "other.onnx", "share": "30%"})
    current = server.ask("/v2/health/ready")[1]["version"]

    def answered(name, **headers):
        return server.ask("/predict", ROW, mlci_requester=name, **headers)[1]["version"]

    versions = {f"client {place}": answered(f"client {place}") for place in range(300)}
    (canary,) = set(versions.values()) - {current}
    share = sum(version == canary for version in versions.values()) / len(versions)
    assert 0.2 < share < 0.4
    assert {name: answered(name) for name in list(versions)[:40]} == dict(list(versions.items())[:40])
    rows = frame(30).to_dict("records")
    first = [server.ask("/predict", row)[1]["version"] for row in rows]
    assert first == [server.ask("/predict", row)[1]["version"] for row in rows]
    assert set(first) == {current, canary}
    # Who names a version gets it.
    tensors = [{"name": name, "shape": [1], "datatype": "FP64", "data": [value]} for name, value in ROW.items()]
    for version in (current, canary):
        path = f"/v2/models/people/versions/{version}/infer"
        assert {server.ask(path, {"inputs": tensors})[1]["model_version"] for _ in range(5)} == {version}
    assert f'role="canary",version="{canary}"' in server.ask("/metrics")[1]
    assert server.stop()[0] == 0
    assert dict(rows_of(tmp_path, "SELECT DISTINCT role, version FROM predictions WHERE role <> 'named'")) == {
        "current": current,
        "canary": canary,
    }
    assert rows_of(tmp_path, "SELECT count(*) FROM predictions WHERE role = 'named'") == [(10,)]


def test_a_trial_begins_and_ends_by_reload_and_no_request_fails(serving, tmp_path):
    server = serving()
    with Load(server) as load:
        for keys in ({"shadow": "other.onnx"}, {"canary": {"model": "other.onnx", "share": 1}}, {}):
            before = len(load.answers)
            (tmp_path / "params.yaml").write_text(yaml.safe_dump({"mlci": {"serve": keys}}))
            server.process.send_signal(signal.SIGHUP)
            wanted = f'mlci_model{{commit="",name="people",role="{next(iter(keys), "current")}"'
            until(lambda wanted=wanted: any(line.startswith(wanted) for line in _served(server)))
            until(lambda before=before: len(load.answers) > before + 20)
    assert [one for one in load.answers if one[0] != 200] == []
    assert len({one[1] for one in load.answers}) == 2


def _served(server):
    return [
        line
        for line in server.ask("/metrics")[1].splitlines()
        if line.startswith("mlci_model{") and line.endswith(" 1.0")
    ]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (multiclass, "is a model for multiclass"),
        (lambda path: path.write_bytes(b"none"), "no ONNX model"),
        (lambda path: bundle(path, binary(path.with_name("made.onnx")), wrong=True), "is not ready: example 1 of 3"),
    ],
)
def test_a_model_that_cannot_stand_in_is_refused(tmp_path, make, words):
    make(tmp_path / "trial")
    (tmp_path / "params.yaml").write_text("mlci: {serve: {shadow: trial}}\n")
    refused = run_serve(tmp_path, str(binary(tmp_path / "model.onnx")))
    assert refused.returncode == 3
    assert words in refused.stderr
