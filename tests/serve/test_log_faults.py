"""What is acknowledged over HTTP is in the log, whoever is killed; what a client sees while the log takes nothing."""

import os
import re
import resource
import signal
import sqlite3
import threading
from contextlib import closing, contextmanager
from http.client import HTTPException
from pathlib import Path

import pytest
from load import until
from log_rows import count, held, rows
from serve_process import Server, run_serve
from served_models import ROW, binary

SECRET = re.compile("se:cr|se%3Acr")


@pytest.fixture
def model(tmp_path):
    return binary(tmp_path / "model.onnx")


@pytest.fixture
def serving(model, tmp_path):
    """A server on a log, which ends in order and never tells a password."""

    @contextmanager
    def started(url, *args, policy=""):
        (tmp_path / "params.yaml").write_text(f"mlci: {{serve: {{{policy}}}}}\n")
        server = Server(tmp_path, "--log", url, *args, model=model)
        try:
            yield server
        finally:
            code, said = server.stop()
        assert code == 0, said
        assert not SECRET.search(said)

    return started


def metric(server, name):
    return float(re.search(rf"^{name} (\S+)$", server.ask("/metrics")[1], re.MULTILINE)[1])


class Clients:
    """Predict and label without a pause, and keep what was acknowledged."""

    def __init__(self, url, number=4):
        self.url = url
        self.predicted, self.labelled = [], []
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(number)]

    def _run(self):
        while not self._end.is_set():
            try:
                status, told = Server.ask(self, "/predict", ROW)
                if status == 200:
                    self.predicted.append(told["id"])
                    if Server.ask(self, "/feedback", {"id": told["id"], "label": 1})[0] == 200:
                        self.labelled.append(told["id"])
            except (OSError, HTTPException):
                continue

    def more(self):
        """Wait until more was acknowledged."""
        enough = len(self.labelled) + 25
        until(lambda: len(self.labelled) >= enough)

    def __enter__(self):
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        for each in self._threads:
            each.join()


def workers(server):
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def assert_all_there_once(url, clients):
    names = [name for (name,) in rows(url, "SELECT id FROM predictions")]
    labels = rows(url, "SELECT id, times FROM feedback")
    assert len(names) == len(set(names))
    assert set(clients.predicted) - set(names) == set()
    assert set(clients.labelled) - {name for name, _ in labels} == set()
    assert [label for label in labels if label[1] != 1] == []
    assert len(labels) == len({name for name, _ in labels})


def test_nothing_acknowledged_is_missing_or_twice_when_processes_are_killed(tmp_path, model, serving, log_url):
    server = Server(tmp_path, "--log", log_url, "--workers", "2", model=model)
    with Clients(server.url) as clients:
        for _ in range(2):
            clients.more()
            os.kill(workers(server)[0], signal.SIGKILL)
        clients.more()
        left = workers(server)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        server.kill()
    assert_all_there_once(log_url, clients)
    if log_url.startswith("sqlite"):
        with closing(sqlite3.connect(log_url.removeprefix("sqlite:///"))) as log:
            assert log.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with serving(log_url) as again:
        assert again.ask("/predict", ROW)[0] == 200


def test_nothing_acknowledged_is_missing_when_the_database_is_killed(serving, postgres):
    url = postgres.new_database()
    with serving(url, "--workers", "2") as server, Clients(server.url) as clients:
        for _ in range(2):
            clients.more()
            postgres.stop(signal.SIGQUIT)
            postgres.start()
        clients.more()
    assert_all_there_once(url, clients)


def test_without_the_database_requests_are_refused_until_it_is_back(serving, postgres):
    url = postgres.new_database()
    with serving(url) as server:
        name = server.ask("/predict", ROW)[1]["id"]
        postgres.stop()
        try:
            status, told = server.ask("/predict", ROW)
            assert status == 503
            assert told["error"] == (
                "the prediction can't be kept in the log, so it isn't given: its database can't be reached"
            )
            assert server.ask("/feedback", {"id": name, "label": 1})[0] == 503
            until(lambda: metric(server, "mlci_log_up") == 0)
            assert metric(server, "mlci_unlogged_total") == 1
        finally:
            postgres.start()
        until(lambda: server.ask("/predict", ROW)[0] == 200)
        assert server.ask("/feedback", {"id": name, "label": 1})[0] == 200
        assert metric(server, "mlci_log_up") == 1
        assert not SECRET.search(server.ask("/metrics")[1])
    assert rows(url, "SELECT id, times FROM feedback") == [(name, 1)]


def test_without_the_database_requests_are_answered_if_the_policy_says_so(serving, postgres):
    url = postgres.new_database()
    postgres.stop()
    try:
        # It may even begin without.
        with serving(url, policy="when_log_fails: answer") as server:
            status, told = server.ask("/predict", ROW)
            assert (status, told["logged"]) == (200, False)
            status, many = server.ask("/predict", [ROW, ROW])
            assert (status, many["logged"]) == (200, False)
            assert metric(server, "mlci_unlogged_total") == 3
            postgres.start()
            kept = until(lambda: (told := server.ask("/predict", ROW)[1]) and "logged" not in told and told)
            assert server.ask("/feedback", {"id": told["id"], "label": 1})[0] == 404
            assert server.ask("/feedback", {"id": kept["id"], "label": 1})[0] == 200
    finally:
        if postgres.stopped:
            postgres.start()
    assert [name for (name,) in rows(url, "SELECT id FROM predictions")].count(kept["id"]) == 1


def test_a_log_that_says_nothing_holds_no_answer_up_if_the_policy_says_so(serving, log_url):
    with serving(log_url, policy="when_log_fails: answer") as server:
        assert "logged" not in server.ask("/predict", ROW)[1]
        with held(log_url):
            for _ in range(3):
                status, told = server.ask("/predict", ROW)
                assert (status, told["logged"]) == (200, False)
            assert metric(server, "mlci_log_up") == 0
        until(lambda: "logged" not in server.ask("/predict", ROW)[1])
        assert metric(server, "mlci_log_up") == 1


def test_a_full_disk_is_told_and_got_over(tmp_path, serving):
    path = tmp_path / "predictions.db"
    with serving("sqlite:///predictions.db") as server:
        kept = [server.ask("/predict", ROW)[1]["id"]]
        before = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
        # No file of the server may grow: to SQLite a disk that is full.
        size = (tmp_path / "predictions.db-wal").stat().st_size
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, before[1]))
        status, told = server.ask("/predict", [ROW] * 200)
        assert status == 503
        assert "can't be kept in the log" in told["error"]
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, before)
        kept.append(
            until(lambda: server.ask("/predict", ROW)[1].get("id") if server.ask("/predict", ROW)[0] == 200 else None)
        )
    assert set(kept) <= {name for (name,) in rows(f"sqlite:///{path}", "SELECT id FROM predictions")}
    with closing(sqlite3.connect(path)) as log:
        assert log.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_408_means_that_nothing_was_stored(serving, log_url):
    answers = {}

    def ask(server, who):
        answers[who] = server.ask("/predict", ROW)

    with serving(log_url, policy="time: 1s") as server:
        with held(log_url):
            begun = threading.Thread(target=ask, args=(server, "begun"))
            begun.start()
            until(lambda: metric(server, "mlci_log_waiting") == 1)
            ask(server, "late")
        begun.join()
        assert answers["late"][0] == 408
        # It took longer too, but was being written by then.
        assert answers["begun"][0] == 200
    assert rows(log_url, "SELECT id FROM predictions") == [(answers["begun"][1]["id"],)]


def test_secrets_come_from_the_environment_and_are_shown_nowhere(tmp_path, model, postgres, monkeypatch):
    url = postgres.new_database()
    monkeypatch.setenv("LOG_PASSWORD", "se:cr/et@1")
    hidden = url.replace("se%3Acr%2Fet%401", "${LOG_PASSWORD}")
    monkeypatch.setenv("MLCI_SERVE_LOG", hidden)
    (tmp_path / "params.yaml").write_text("mlci: {}\n")
    server = Server(tmp_path, model=model)
    assert server.ask("/predict", ROW)[0] == 200
    assert server.stop()[0] == 0
    assert count(url, "predictions") == 1
    monkeypatch.delenv("MLCI_SERVE_LOG")
    monkeypatch.setenv("LOG_PASSWORD", "se:cret")
    for wrong in (hidden, f"{url}&nonsense=1", url.replace("://", ":/")):
        refused = run_serve(tmp_path, str(model), "--log", wrong)
        assert refused.returncode in {2, 3}
        assert "mend" in refused.stderr
        assert not SECRET.search(refused.stderr + refused.stdout)
    (tmp_path / "params.yaml").write_text(f"mlci: {{serve: {{log: '{url.replace('://', ':/')}'}}}}\n")
    refused = run_serve(tmp_path, str(model))
    assert refused.returncode == 2
    assert not SECRET.search(refused.stderr + refused.stdout)


def test_a_log_that_cannot_be_written_is_told_at_the_start(tmp_path, model):
    refused = run_serve(tmp_path, str(model), "--log", "sqlite:////proc/predictions.db")
    assert refused.returncode == 3
    assert "/proc/predictions.db can't be opened" in refused.stderr
