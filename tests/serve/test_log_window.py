"""The window that monitoring reads: typed by the signature, in order of time, from databases and from files."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlci.edges.log.address import connector
from mlci.edges.log.database import Work, write
from mlci.edges.log.records import Label, Record
from mlci.edges.log.window import read_window, window_schema
from mlci.errors import WorldError
from mlci.nouns.signature import Input, Signature

SIGNATURE = Signature(
    model="m",
    task="binary",
    inputs=(
        Input(name="distance", type="integer"),
        Input(name="at", type="float"),
        Input(name="carrier", type="string"),
        Input(name='a/b~c"d', type="boolean"),
    ),
    classes=(False, True),
)
START = datetime(2026, 3, 1, tzinfo=UTC)


def record(number, role="current", version="v1"):
    inputs = f'{{"distance": {number}.0, "at": 0.5, "carrier": "x\\u0000y", "a/b~c\\"d": null}}'
    at = (START + timedelta(seconds=number)).timestamp()
    return Record(f"i{number:04}", at, "m", version, "c0", inputs, "true", '{"score": 0.75}', f"i{number:04}", role)


@pytest.fixture
def log(log_url, tmp_path):
    roles = ["current", "canary", "shadow"]
    records = [record(number, roles[number % 3] if number < 3 else "current") for number in range(100)]
    fill(log_url, tmp_path, records, [Label("i0050", "false", START.timestamp() + 99, "desk")])
    return log_url


def fill(url, root, records, labels=()):
    database = connector(url, root)()
    write(database, [Work(records, labels)])
    database.close()


def rows(source, *, since=0, until=1000, root, **more):
    moments = START + timedelta(seconds=since), START + timedelta(seconds=until)
    batches = list(read_window(source, *moments, SIGNATURE, root=root, **more))
    return pa.Table.from_batches(batches, window_schema(SIGNATURE))


def test_a_window_is_typed_ordered_and_half_open(log, tmp_path):
    table = rows(log, since=10, until=60, root=tmp_path, batch_rows=7)
    assert table.column("id").to_pylist() == [f"i{number:04}" for number in range(10, 60)]
    first = table.slice(0, 1).to_pylist()[0]
    assert first["inputs"] == {"distance": 10, "at": 0.5, "carrier": "x\0y", 'a/b~c"d': None}
    assert (first["prediction"], first["score"], first["label"], first["contradicted"]) == (True, 0.75, None, None)
    assert first["predicted_at"] == START + timedelta(seconds=10)
    labelled = table.slice(40, 1).to_pylist()[0]
    assert (labelled["label"], labelled["labelled_at"]) == (False, START + timedelta(seconds=99))
    assert (labelled["label_source"], labelled["contradicted"]) == ("desk", False)


def test_shadows_are_left_out_unless_asked_for(log, tmp_path):
    assert rows(log, until=3, root=tmp_path).column("role").to_pylist() == ["current", "canary"]
    assert rows(log, until=3, root=tmp_path, roles=["shadow"]).column("id").to_pylist() == ["i0002"]
    assert rows(log, root=tmp_path, version="v2").num_rows == 0


def test_a_window_written_as_parquet_is_read_back_the_same(log, tmp_path):
    table = rows(log, root=tmp_path)
    pq.write_table(table, tmp_path / "a.parquet")
    again = rows("*.parquet", root=tmp_path, batch_rows=10)
    assert again.equals(table)


def test_files_with_plain_columns_are_read(tmp_path):
    plain = pa.table(
        {
            "predicted_at": [START.timestamp() + 1, START.timestamp() + 2000],
            "distance": [3, 4],
            "at": [0.5, 0.5],
            'a/b~c"d': [True, None],
            "score": [0.25, 0.5],
        }
    )
    pq.write_table(plain, tmp_path / "plain.parquet")
    with pytest.raises(WorldError, match="'carrier'"):
        rows("plain.parquet", root=tmp_path)
    (found,) = rows("plain.parquet", root=tmp_path, private=["carrier"]).to_pylist()
    assert found["inputs"] == {"distance": 3, "at": 0.5, "carrier": None, 'a/b~c"d': True}
    assert (found["score"], found["prediction"], found["role"]) == (0.25, None, "current")


def test_names_that_differ_by_case_are_told_apart_or_refused(log, tmp_path):
    table = rows(log, root=tmp_path)
    pq.write_table(table, tmp_path / "a.parquet")
    twins = SIGNATURE.model_copy(
        update={"inputs": (Input(name="carrier", type="string"), Input(name="Carrier", type="string"))}
    )
    batch = next(read_window(log, START, START + timedelta(seconds=1), twins, root=tmp_path))
    assert batch.column("inputs").to_pylist() == [{"carrier": "x\0y", "Carrier": None}]
    with pytest.raises(WorldError, match="case"):
        next(read_window("a.parquet", START, START + timedelta(seconds=1), twins, root=tmp_path))


def test_what_does_not_fit_is_said_and_never_guessed(log, tmp_path):
    fill(log, tmp_path, [record(200)._replace(inputs='{"distance": "far"}')])
    with pytest.raises(WorldError, match="far"):
        rows(log, root=tmp_path)
    with pytest.raises(WorldError, match="no log"):
        rows("sqlite:///elsewhere.db", root=tmp_path)


def test_a_moment_without_a_time_zone_is_refused(log, tmp_path):
    with pytest.raises(ValueError, match="time zone"):
        read_window(log, datetime(2026, 3, 1), START, SIGNATURE, root=tmp_path)  # noqa: DTZ001 - that is the point
