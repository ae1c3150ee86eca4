"""Several processes on one port: counted together, replaced when they die, reloaded and ended as one."""

import os
import re
import signal
import sqlite3
from pathlib import Path

import pytest
from load import Load, until
from serve_process import Server, run_serve
from served_models import ROW, binary


def workers(server):
    """Process ids of the workers, whom the parent started."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    spawned = [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return set(spawned)


def counted(server, what):
    return float(re.search(rf"^{re.escape(what)} (\S+)$", server.ask("/metrics")[1], re.MULTILINE)[1])


@pytest.fixture
def server(tmp_path):
    return Server(tmp_path, "--workers", "2", model=binary(tmp_path / "model.onnx"))


def test_they_count_together_die_and_are_replaced_reload_and_end(server, tmp_path):
    version = server.ask("/v2/health/ready")[1]["version"]
    predictions = f'mlci_predictions_total{{role="current",version="{version}"}}'
    asked = 40
    assert {server.ask("/predict", ROW)[0] for _ in range(asked)} == {200}
    assert {counted(server, predictions) for _ in range(10)} == {asked}
    before = workers(server)
    assert len(before) == 2
    os.kill(min(before), signal.SIGKILL)
    until(lambda: len(workers(server)) == 2 and workers(server) != before)
    assert "another one began" in until(server.process.stderr.readline)
    # What the dead one counted stays counted.
    assert counted(server, predictions) == asked
    with Load(server) as load:
        until(lambda: len(load.answers) > 20)
        binary(tmp_path / "made.onnx", seed=1).rename(tmp_path / "model.onnx")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: {one[1] for one in load.answers[-20:]} - {version})
        until(lambda: version not in {one[1] for one in load.answers[-20:]})
    assert [one for one in load.answers if one[0] != 200] == []
    assert counted(server, 'mlci_reloads_total{outcome="swapped"}') == 1
    binary(tmp_path / "model.onnx").write_bytes(b"no model")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: counted(server, "mlci_reload_refused") == 1)
    assert server.ask("/predict", ROW)[0] == 200
    left = workers(server)
    code, said = server.stop()
    assert code == 0, said
    assert [pid for pid in left if Path(f"/proc/{pid}").exists()] == []
    with sqlite3.connect(tmp_path / "predictions.db") as log:
        (kept,) = log.execute("SELECT count(*) FROM predictions").fetchone()
    log.close()
    assert kept == asked + len(load.answers) + 1


def test_workers_end_when_nobody_looks_after_them(server):
    left = workers(server)
    server.kill()
    until(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() and _alive(pid) for pid in left))


def _alive(pid):
    return " Z " not in Path(f"/proc/{pid}/stat").read_text()


def test_a_worker_that_cannot_begin_ends_it_all(tmp_path):
    (tmp_path / "predictions.db").mkdir()
    refused = run_serve(tmp_path, str(binary(tmp_path / "model.onnx")), "--workers", "2")
    assert refused.returncode == 3
    assert "predictions.db can't be opened: unable to open" in refused.stderr
