"""Temporary folders: gone at the end, whatever the end, and only what is ours and dead is cleared away."""

import fcntl
import signal
import subprocess
import sys

import pytest

from mlci.edges import scratch as place_of
from mlci.edges.scratch import scratch
from mlci.errors import WorldError

LONG = """
import mlci.__main__ as entry
import mlci.cli.app as cli
from mlci.edges.duck import session
from mlci.nouns.engine import Engine

def long():
    with session(Engine()) as connection:
        print("begun", flush=True)
        connection.execute("SELECT sum(range % 7) FROM range(1000000000000)").fetchall()

cli.app = long
entry.run()
"""


@pytest.fixture
def room(tmp_path, monkeypatch):
    """An own folder for temporary files, where nobody has looked yet."""
    folder = tmp_path / "room"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(place_of, "_swept", set())
    return folder


def ended_by(number, folder):
    """A command that is ended in the middle of a query."""
    command = [sys.executable, "-c", LONG]
    # A runner that started the tests in the background made them ignore the interrupt, and children inherit that.
    how = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)
    assert running.stdout.readline() == "begun\n", running.stderr.read()
    assert [each.name.rpartition("-")[0] for each in folder.iterdir()] == ["mlci-duckdb"]
    running.send_signal(number)
    try:
        _, said = running.communicate(timeout=30)
    finally:
        running.kill()
        running.communicate()
    return running.returncode, said


@pytest.mark.parametrize(
    ("number", "code", "message"),
    [
        (signal.SIGTERM, 143, "mlci: ended by SIGTERM\n"),
        (signal.SIGHUP, 129, "mlci: ended by SIGHUP\n"),
        (signal.SIGINT, 130, "mlci: interrupted\n"),
    ],
)
def test_a_command_that_is_told_to_end_leaves_nothing(room, number, code, message):
    assert ended_by(number, room) == (code, message)
    assert list(room.iterdir()) == []


def test_what_a_killed_command_left_is_cleared_away_by_the_next(room):
    assert ended_by(signal.SIGKILL, room)[0] == -signal.SIGKILL
    assert len(list(room.iterdir())) == 1
    with scratch("next") as folder:
        assert [each for each in room.iterdir() if each != folder.parent] == []
    assert list(room.iterdir()) == []


def test_an_error_leaves_nothing(room):
    with pytest.raises(KeyError), scratch("one") as folder:
        (folder / "file").touch()
        raise KeyError
    assert list(room.iterdir()) == []


def test_what_lives_or_is_not_ours_stays(room, monkeypatch):
    names = ("mlci-mine", "mlci-unlocked", "other-tool", "mlci-alive")
    for name in names:
        (room / name).mkdir()
    (room / "mlci-file").touch()
    (room / "mlci-link").symlink_to(room / "other-tool")
    (room / "other-tool/in-use").touch()
    (room / "target").touch()
    (room / "mlci-mine/in-use").symlink_to(room / "target")
    with (room / "mlci-alive/in-use").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        before = set(room.iterdir())
        with scratch("one"), scratch("two"):
            assert before < set(room.iterdir())
        assert set(room.iterdir()) == before
    monkeypatch.setattr(place_of, "_swept", set())
    with scratch("three"):
        assert before - set(room.iterdir()) == {room / "mlci-alive"}


def test_somebody_elses_folder_stays(room, monkeypatch):
    (room / "mlci-dead").mkdir()
    (room / "mlci-dead/in-use").touch()
    monkeypatch.setattr("os.geteuid", lambda: 4711)
    with scratch("one"):
        assert (room / "mlci-dead/in-use").exists()


def test_a_place_that_takes_no_folder_is_named(room):
    (room / "file").touch()
    with (
        pytest.raises(WorldError, match="no temporary folder can be made in") as caught,
        scratch("x", room / "file"),
    ):
        pass
    assert str(room / "file") in caught.value.problem
    assert "TMPDIR" in caught.value.mend
