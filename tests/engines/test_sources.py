"""Tables that are no local file: folders, S3, HTTP, databases and lakes, read with the same answers."""

from __future__ import annotations

import contextlib
import functools
import http.server
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from postgres_server import PASSWORD

from mlci.edges.sources import objects
from mlci.errors import WorldError
from mlci.flows.check_data import check_data
from mlci.flows.data_findings import table_digest
from mlci.nouns.policy import Policy, PolicyFile

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SELECT = (
    "SELECT range AS id, range / 7 AS x, 'text ' || range % 3 AS s, TIMESTAMP '2013-01-01' + INTERVAL (range) HOUR AS t"
)
COLUMNS = {
    "id": {"type": "integer", "unique": True, "missing": "0%", "range": [0, 999]},
    "x": {"type": "float", "mean": [71, 72], "median": [0, 1]},
    "s": {"allowed": ["text 0", "text 1"]},
}


def table(rows=1_000):
    with duckdb.connect() as connection:
        return connection.sql(f"{SELECT} FROM range({rows})").to_arrow_table()


def write(file, extra=""):
    file.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({SELECT} FROM range(1000)) TO '{file}' ({extra or 'FORMAT parquet'})")


def check(root, path, **promises):
    policy = Policy.model_validate({"data": {"t": {"path": path, "columns": COLUMNS, **promises}}})
    found = check_data(root, PolicyFile(policy), now=NOW, explain=True)
    return {finding.check.removeprefix("data.t."): finding for finding in found.findings}, found


def same_as_the_file(root, path, *, moments=True):
    """The findings of a table are those of the same rows in a Parquet file."""
    write(root / "plain.parquet")
    fresh = {"fresh": {"column": "t", "within": "9999w"}} if moments else {}
    found, result = check(root, path, **fresh)
    expected, _ = check(root, "plain.parquet", **fresh)
    assert list(found) == list(expected)
    for name, finding in expected.items():
        assert found[name].outcome == finding.outcome, (name, found[name].message)
        assert found[name].message == finding.message
        if name != "s.allowed":  # whose examples come in the order of the rows, which a database does not promise
            assert found[name].data == finding.data
    return result


def test_a_folder_of_files_and_one_of_partitions(tmp_path):
    write(tmp_path / "many" / "a.parquet")
    (tmp_path / "many" / "_SUCCESS").write_text("")
    same_as_the_file(tmp_path, "many")
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY ({SELECT}, range % 2 AS half FROM range(1000))"
            f" TO '{tmp_path / 'parts'}' (FORMAT parquet, PARTITION_BY (half))"
        )
    found, _ = check(tmp_path, "parts", rules={"halves": "half = id % 2"}, rows=1000)
    assert found["rules.halves"].outcome == "pass"
    assert found["rows"].outcome == "pass"
    before = table_digest(tmp_path, "parts")
    (tmp_path / "parts" / "half=0").rename(tmp_path / "parts" / "half=2")
    assert table_digest(tmp_path, "parts") != before


def test_an_empty_folder_is_no_table(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(WorldError, match="empty is a folder without a table"):
        check(tmp_path, "empty")


class _Ranged(http.server.SimpleHTTPRequestHandler):
    """A server of files that gives parts of them, as object stores and web servers do."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        file = Path(self.translate_path(self.path))
        if asked is None or not file.is_file():
            return super().do_GET()
        content = file.read_bytes()
        first, last = int(asked[1]), min(int(asked[2] or len(content) - 1), len(content) - 1)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        self.wfile.write(content[first : last + 1])
        return None


@pytest.fixture
def web(tmp_path):
    """The URL of a folder behind HTTP."""
    (tmp_path / "web").mkdir()
    handler = functools.partial(_Ranged, directory=tmp_path / "web")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_files_behind_http(tmp_path, web):
    write(tmp_path / "web" / "t.parquet")
    write(tmp_path / "web" / "t.csv", "FORMAT csv, HEADER")
    found = same_as_the_file(tmp_path, f"{web}/t.parquet")
    assert "proven by the files' footers" in found.explain
    assert check(tmp_path, f"{web}/t.csv")[0]["id.unique"].outcome == "pass"
    before = table_digest(tmp_path, f"{web}/t.parquet")
    (tmp_path / "web" / "t.parquet").write_bytes((tmp_path / "web" / "t.parquet").read_bytes() + b" ")
    assert table_digest(tmp_path, f"{web}/t.parquet") != before
    with pytest.raises(WorldError, match=r"none\.parquet does not exist"):
        check(tmp_path, f"{web}/none.parquet")
    with pytest.raises(WorldError, match="can't be reached"):
        check(tmp_path, "http://127.0.0.1:1/t.parquet")


@pytest.fixture
def s3(tmp_path, monkeypatch):
    """The client of a real object store with an empty bucket named `data`."""
    words = ("master.port", "volume.port", "filer.port", "s3.port", "admin.port")
    words = (*words, *(f"{word}.grpc" for word in words))
    ports = dict(zip(words, free_ports(len(words)), strict=True))
    folder = tmp_path / "weed"
    folder.mkdir()
    options = [f"-{word}={port}" for word, port in ports.items()]
    options += [
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-webdav=false",
        f"-s3.localSocket={folder}/s3",
        f"-filer.localSocket={folder}/filer",
        "-admin.ui=false",
        "-bucket=data",
    ]
    options += ["-s3.port.iceberg=0", "-s3.port.lance=0", f"-dir={folder}"]
    url = f"http://127.0.0.1:{ports['s3.port']}"
    environment = {
        "AWS_ACCESS_KEY_ID": "mlci",
        "AWS_SECRET_ACCESS_KEY": "no secret",
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    objects.file_system.cache_clear()
    server = subprocess.Popen(
        [str(Path(sys.executable).parent / "weed"), f"-logdir={folder}", "mini", *options],
        stdout=(folder / "log").open("wb"),
        stderr=subprocess.STDOUT,
        cwd=folder,
    )
    try:
        yield _ready(server, folder / "log")
    finally:
        server.terminate()
        server.wait(30)
        objects.file_system.cache_clear()


def free_ports(count):
    """Ports that nobody listens on."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def _ready(server, log):
    import s3fs  # noqa: PLC0415 - slow to load

    client = s3fs.S3FileSystem(use_listings_cache=False, skip_instance_cache=True)
    end = time.monotonic() + 60
    while True:
        try:
            if client.exists("data"):
                return client
        except OSError:  # nobody listens yet
            pass
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # aiohttp's sessions end with the process
def test_objects_in_s3(tmp_path, s3):
    write(tmp_path / "here" / "t.parquet")
    s3.put(str(tmp_path / "here" / "t.parquet"), "data/flights/one.parquet")
    found = same_as_the_file(tmp_path, "s3://data/flights/one.parquet")
    assert "proven by the files' footers" in found.explain
    before = table_digest(tmp_path, "s3://data/flights/*.parquet")
    s3.put(str(tmp_path / "here" / "t.parquet"), "data/flights/two.parquet")
    assert table_digest(tmp_path, "s3://data/flights/*.parquet") != before
    assert check(tmp_path, "s3://data/flights/*.parquet")[0]["id.unique"].data.count == 1_000
    with pytest.raises(WorldError, match=r"no object matches s3://data/none/\*"):
        check(tmp_path, "s3://data/none/*.parquet")


def test_tables_of_sqlite(tmp_path):
    rows = table().to_pylist()
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection, connection:
        connection.execute('CREATE TABLE "my flights" (id INTEGER, x DOUBLE, s VARCHAR(9), t TEXT)')
        values = [(row["id"], row["x"], row["s"], str(row["t"])) for row in rows]
        connection.executemany('INSERT INTO "my flights" VALUES (?, ?, ?, ?)', values)
        connection.execute("CREATE TABLE mixed (x INTEGER)")
        connection.execute("INSERT INTO mixed VALUES ('one')")
    same_as_the_file(tmp_path, "sqlite:///app.db#my flights", moments=False)
    for path, said in (
        ("sqlite:///app.db", "names a database, and no table"),
        ("sqlite:///app.db#none", "there is no table none"),
        ("sqlite:///none.db#t", "there is no database"),
        ("sqlite:///app.db#mixed", "not of their column's declared type"),
        ("mysql://host/db#t", "DuckDB is given no tables of mysql://"),
        ("postgresql://me:secret@host/db#t", "there is a password in the path"),
    ):
        with pytest.raises(WorldError, match=said) as raised:
            check(tmp_path, path)
        assert "secret" not in str(raised.value)


@pytest.mark.slow
def test_tables_of_postgresql(tmp_path, postgres, monkeypatch):
    import psycopg  # noqa: PLC0415 - slow to load

    url = postgres.new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE flights AS SELECT i::bigint AS id, i / 7.0::float8 AS x, 'text ' || i % 3 AS s,"
            " timestamp '2013-01-01' + i * interval '1 hour' AS t FROM generate_series(0, 999) AS i"
        )
        connection.execute("CREATE SCHEMA more")
        connection.execute(
            "CREATE TABLE more.kinds AS SELECT 1.25::numeric(6, 2) AS n, gen_random_uuid() AS u, '{}'::jsonb AS j,"
            " 'NaN'::float8 AS f, timestamptz '2013-01-01T00:00+02' AS z, 2::smallint AS h, true AS b"
        )
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    place = url.replace(re.search(":[^:/@]*@", url)[0], "@", 1)
    same_as_the_file(tmp_path, f"{place}#flights")
    policy = {
        "n": {"type": "number", "range": [1.25, 1.25]},
        "u": {"type": "string", "length": 36},
        "f": {"missing": "0%"},
        "z": {"type": "timestamp", "range": ["2012-12-31T22:00", "2012-12-31T22:00"]},
        "h": {"type": "integer"},
        "b": {"type": "boolean"},
    }
    found, _ = check(tmp_path, f"{place}#more.kinds", columns=policy)
    assert [name for name, finding in found.items() if finding.outcome != "pass"] == ["f.missing"]
    with pytest.raises(WorldError, match="can't be read"):
        check(tmp_path, f"{place}#none")


def test_tables_of_delta_lake(tmp_path):
    from deltalake import write_deltalake  # noqa: PLC0415 - slow to load

    write_deltalake(tmp_path / "lake", table())
    same_as_the_file(tmp_path, "lake")
    write_deltalake(tmp_path / "lake", table(10), mode="overwrite")
    assert check(tmp_path, "lake", rows=10)[0]["rows"].outcome == "pass"


def test_tables_of_iceberg(tmp_path):
    from pyiceberg.catalog.sql import SqlCatalog  # noqa: PLC0415 - slow to load

    catalog = SqlCatalog("c", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}/lake")
    catalog.create_namespace("n")
    made = catalog.create_table("n.flights", schema=table().schema)
    made.append(table())
    folder = Path(made.location().removeprefix("file://")).relative_to(tmp_path)
    same_as_the_file(tmp_path, str(folder))
    made.append(table(5))
    assert check(tmp_path, str(folder), rows=1_005)[0]["rows"].outcome == "pass"
