"""Another model in the place of the one that is served, while requests come in without a pause."""

import signal

import pytest
from load import Load, until
from serve_process import Server
from served_models import ROW, binary, bundle, regression


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path, model=binary(tmp_path / "model.onnx"))
    yield server
    code, said = server.stop()
    assert code == 0, said


def version(server):
    return server.ask("/v2/health/ready")[1]["version"]


def test_no_request_fails_while_models_change(server, tmp_path):
    seen = [version(server)]
    with Load(server) as load:
        for seed in (1, 2, 3, 4):
            (tmp_path / "new.onnx").write_bytes(binary(tmp_path / "made.onnx", seed=seed).read_bytes())
            (tmp_path / "new.onnx").rename(tmp_path / "model.onnx")
            server.process.send_signal(signal.SIGHUP)
            seen.append(until(lambda: version(server) not in seen and version(server)))
            before = len(load.answers)
            until(lambda before=before: len(load.answers) > before + 20)
    assert [one for one in load.answers if one[0] != 200] == []
    assert {one[1] for one in load.answers} == set(seen)
    metrics = server.ask("/metrics")[1]
    assert 'mlci_reloads_total{outcome="swapped"} 4.0' in metrics
    assert f'role="current",version="{seen[-1]}"}} 1.0' in metrics
    assert f'role="current",version="{seen[0]}"}} 0.0' in metrics


@pytest.mark.parametrize("fault", ["broken", "other examples", "missing"])
def test_a_bad_model_is_refused_and_the_old_one_goes_on(server, tmp_path, fault):
    before = version(server)
    file = tmp_path / "model.onnx"
    if fault == "broken":
        file.write_bytes(b"no model")
    elif fault == "missing":
        file.unlink()
    else:
        file.unlink()
        bundle(file, binary(tmp_path / "made.onnx", seed=1), wrong=True)
    server.process.send_signal(signal.SIGHUP)
    outcome = "failed" if fault == "missing" else "refused"
    until(lambda: f'mlci_reloads_total{{outcome="{outcome}"}} 1.0' in server.ask("/metrics")[1])
    status, told = server.ask("/v2/health/ready")
    assert (status, told["version"]) == (200, before)
    assert told["refused"]
    assert "mlci_reload_refused 1.0" in server.ask("/metrics")[1]
    assert server.ask("/predict", ROW)[1]["version"] == before
    # What is mended is served.
    if file.is_dir():
        file.rename(tmp_path / "aside")
    binary(file, seed=2)
    server.process.send_signal(signal.SIGHUP)
    until(lambda: version(server) != before)
    assert "refused" not in server.ask("/v2/health/ready")[1]


def test_the_interface_changes_with_the_model(server, tmp_path):
    before = version(server)
    regression(tmp_path / "model.onnx")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: version(server) != before)
    assert server.ask("/predict", ROW)[1]["scores"] == {}
    assert server.ask("/openapi.json")[1]["info"]["version"] == version(server)


def test_a_file_is_followed_without_a_signal(tmp_path):
    server = Server(tmp_path, "--follow", "0.1s", model=binary(tmp_path / "model.onnx"))
    before = version(server)
    binary(tmp_path / "made.onnx", seed=1).rename(tmp_path / "model.onnx")
    until(lambda: version(server) != before)
    assert server.stop()[0] == 0
