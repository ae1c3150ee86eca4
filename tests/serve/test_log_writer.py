"""The log's writer on both databases: what it acknowledges is there, once; faults are told and mended by themselves."""

import asyncio
import os
import resource
import signal
import sqlite3
import time
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from log_rows import count, held, prediction, rows

from mlci.edges.log.address import connector
from mlci.edges.log.database import Work
from mlci.edges.log.records import Label, LogError, now
from mlci.edges.log.writer import MOST_WAITING, PredictionLog
from mlci.errors import WorldError


@contextmanager
def writer(url, retention=None, **more):
    log = PredictionLog(connector(url, Path()), retention, **more)
    try:
        yield log
    finally:
        log.close()


def store(log, *records):
    return asyncio.run(log.written(Work(records=records)))


def label(log, *labels):
    return asyncio.run(log.written(Work(labels=labels)))


async def until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "what was waited for did not happen"
        await asyncio.sleep(0.02)


def test_many_at_once_are_there_each_once(log_url):
    async def load(log):
        return await asyncio.gather(*(log.written(Work([prediction(f"p{number}")])) for number in range(300)))

    with writer(log_url) as log:
        asyncio.run(load(log))
        store(log, prediction("p7", model="another"))
    assert sorted(rows(log_url, "SELECT id, model FROM predictions")) == sorted((f"p{n}", "m") for n in range(300))


def test_labels_join_repeat_contradict_and_are_refused_together(log_url):
    with writer(log_url) as log:
        store(log, prediction("a", at=now() - 60), prediction("b"), prediction("c", request="a", role="shadow"))
        (first,) = label(log, Label("a", "1", now()))
        assert (first.known, first.duplicate, first.contradicts, first.made_by) == (
            True,
            False,
            None,
            ("m", "v1", "c0"),
        )
        assert 59 < first.after < 90
        told = label(log, Label("a", "1", now()), Label("a", "0", now()), Label("b", "0", now(), "desk"))
        assert [(each.duplicate, each.contradicts) for each in told] == [(True, None), (False, "1"), (False, None)]
        # Whoever repeats what it said before doesn't overrule another source.
        told = label(log, Label("a", "1", now(), "desk"), Label("a", "0", now()))
        assert [(each.duplicate, each.contradicts) for each in told] == [(False, "0"), (True, None)]
        unknown = label(log, Label("b", "1", now()), Label("nobody's", "1", now()), Label("c", "1", now()))
        assert [each.known for each in unknown] == [True, False, False]
    assert rows(log_url, "SELECT place, label, source, times FROM feedback WHERE id = 'a' ORDER BY place") == [
        (1, "1", "", 2),
        (2, "0", "", 2),
        (3, "1", "desk", 1),
    ]
    labelled = rows(log_url, "SELECT id, label, label_source, contradicted FROM labelled ORDER BY id")
    assert [(*row[:3], bool(row[3])) for row in labelled] == [
        ("a", "1", "desk", True),
        ("b", "0", "desk", False),
        ("c", "1", "desk", True),
    ]


def test_a_row_that_cannot_be_stored_takes_no_other_with_it(log_url):
    async def load(log):
        bad = prediction("bad\ud800")
        works = [
            Work([prediction("good1")]),
            Work([bad]),
            Work([prediction("good2")]),
            Work(labels=[Label("good1", "1", 0)]),
        ]
        return await asyncio.gather(*(log.written(work) for work in works), return_exceptions=True)

    with writer(log_url) as log:
        told = asyncio.run(load(log))
        assert isinstance(told[1], LogError)
        assert log.fault == ""
    assert rows(log_url, "SELECT id FROM predictions ORDER BY id") == [("good1",), ("good2",)]


def test_several_processes_make_the_tables_at_once(log_url):
    def work():
        with writer(log_url) as log:
            store(log, *(prediction(f"{os.getpid()}-{number}") for number in range(20)))

    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            try:
                work()
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 3
    assert count(log_url, "predictions") == 60


def test_who_is_told_that_it_took_too_long_is_not_in_the_log(log_url):
    """What waits is withdrawn; what is being written is waited for, and answered."""

    async def hurried(log, name):
        try:
            async with asyncio.timeout(0.2):
                await log.written(Work([prediction(name)]))
        except TimeoutError:
            return None
        return name

    async def load(log):
        with held(log_url):
            begun = asyncio.create_task(hurried(log, "begun"))
            # The writer is at it when nothing waits for it any more.
            await until(lambda: log.waiting and log._jobs.empty() and not log._held)  # noqa: SLF001 - nobody else knows
            late = await asyncio.gather(*(hurried(log, f"late{number}") for number in range(30)))
        return [await begun, *late]

    with writer(log_url) as log:
        store(log, prediction("first"))
        told = asyncio.run(load(log))
        assert log.fault == ""
    assert told == ["begun"] + [None] * 30
    assert rows(log_url, "SELECT id FROM predictions ORDER BY id") == [("begun",), ("first",)]


def test_what_is_too_old_goes_in_bites_with_its_labels(log_url):
    with writer(log_url) as log:
        store(log, *(prediction(f"old{number}", at=now() - 7200) for number in range(1_200)), prediction("new"))
        label(log, Label("old3", "1", now()), Label("new", "1", now()))
    with writer(log_url, timedelta(hours=1)) as log:
        asyncio.run(until(lambda: count(log_url, "predictions") == 1))
        store(log, prediction("newer"))
    assert rows(log_url, "SELECT id FROM predictions ORDER BY id") == [("new",), ("newer",)]
    assert rows(log_url, "SELECT id FROM feedback") == [("new",)]


def test_what_is_forgotten_is_no_longer_in_the_file(tmp_path):
    url = f"sqlite:///{tmp_path / 'log.db'}"
    with writer(url) as log:
        store(log, prediction("old", at=now() - 7200, inputs='{"name": "Wilhelmina"}'))
    assert b"Wilhelmina" in (tmp_path / "log.db").read_bytes()
    with writer(url, timedelta(hours=1)):
        asyncio.run(until(lambda: not count(url, "predictions")))
    assert not [path for path in tmp_path.iterdir() if b"Wilhelmina" in path.read_bytes()]


def test_a_log_of_another_version_is_refused(log_url):
    with writer(log_url):
        pass
    rows(log_url, "UPDATE mlci_log SET schema_version = 99")
    with pytest.raises(WorldError, match="newer mlci"):
        writer(log_url).__enter__()


@contextmanager
def full_disk(more):
    """No file of this process may grow beyond this; SQLite sees what it sees on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (more, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_full_disk_refuses_and_nothing_is_corrupt(tmp_path):
    path = tmp_path / "log.db"
    url = f"sqlite:///{path}"
    acknowledged = []
    with writer(url) as log:
        with full_disk(200_000), pytest.raises(LogError):
            for number in range(1_000):
                store(log, prediction(f"p{number}", inputs='"' + "x" * 1_000 + '"'))
                acknowledged.append(f"p{number}")
        assert log.fault
        asyncio.run(until(lambda: not log.fault))
        store(log, prediction("after"))
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert acknowledged
    assert set(acknowledged) | {"after"} <= {name for (name,) in rows(url, "SELECT id FROM predictions")}


def test_a_file_that_was_removed_is_made_again(tmp_path):
    path = tmp_path / "log.db"
    with writer(f"sqlite:///{path}") as log:
        store(log, prediction("before"))
        for each in tmp_path.iterdir():
            each.unlink()
        store(log, prediction("after"))
    assert rows(f"sqlite:///{path}", "SELECT id FROM predictions") == [("after",)]


def test_a_database_that_was_started_again_is_found_again(postgres):
    url = postgres.new_database()
    with writer(url) as log:
        store(log, prediction("before"))
        postgres.stop()
        postgres.start()
        # Nobody notices.
        store(log, prediction("after"))
        assert log.fault == ""
    assert count(url, "predictions") == 2


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_database_that_is_gone_refuses_at_once_and_comes_back_by_itself(postgres, how):
    url = postgres.new_database()

    async def outage(log):
        behind = [log.predictions([prediction(f"behind{number}")], behind=True) for number in range(50)]
        for number in range(50):
            with pytest.raises(LogError):
                await log.written(Work([prediction(f"refused{number}")]))
        assert log.fault
        assert "se:cr" not in log.fault
        postgres.start()
        await asyncio.wait_for(asyncio.gather(*behind), 120)
        await log.written(Work([prediction("after")]))

    with writer(url) as log:
        store(log, prediction("before"))
        postgres.stop(how)
        asyncio.run(outage(log))
        assert log.fault == ""
    kept = {name for (name,) in rows(url, "SELECT id FROM predictions")}
    assert kept == {"before", "after"} | {f"behind{number}" for number in range(50)}


def test_memory_is_bounded_while_nothing_can_be_written(tmp_path):
    absent = tmp_path / "not here" / "log.db"

    async def load(log):
        first = log.predictions([prediction("p")] * MOST_WAITING, behind=True)
        with pytest.raises(LogError):
            log.predictions([prediction("one more")], behind=True)
        return first

    with pytest.raises(WorldError):
        writer(f"sqlite:///{absent}").__enter__()
    log = PredictionLog(connector(f"sqlite:///{absent}", Path()), absent=True)
    asyncio.run(load(log))
    assert log.close() == MOST_WAITING


@pytest.mark.parametrize("behind", [False, True])
def test_what_cannot_be_kept_of_one_request_leaves_the_others_theirs(log_url, behind):
    # Half of a pair of surrogates is no text in either database.
    group = [prediction("a"), prediction("b")._replace(inputs="\ud800"), prediction("c")]

    async def stored(log):
        return await log.predictions(group, behind=behind, apart=True)

    with writer(log_url) as log:
        assert asyncio.run(stored(log)) == [1]
        assert asyncio.run(log.written_apart([prediction("d"), prediction("e")])) == []
        assert log.waiting == 0
    assert sorted(rows(log_url, "SELECT id FROM predictions")) == [("a",), ("c",), ("d",), ("e",)]
