"""`mlci feedback collect`: what is said becomes rows, once, with where it came from."""

from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from clinic import NOW, START, make

from mlci.errors import PolicyError, WorldError


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request, tmp_path):
    """A clinic with its log in each kind of database."""
    if request.param == "sqlite":
        return make(tmp_path, f"sqlite:///{tmp_path / 'log.db'}")
    return make(tmp_path, request.getfixturevalue("postgres").new_database())


@pytest.fixture(scope="session")
def postgres():
    from postgres_server import Postgres, binaries  # noqa: PLC0415 - only where it is asked for

    if binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    server = Postgres()
    yield server
    server.close()


def test_a_label_becomes_a_row_with_where_it_came_from(both):
    both.predict("a", "b", "c")
    both.label("b", 1, "desk", day=2)
    found = both.collect()
    assert (found["new"], found["rows"], found["sources"], found["classes"]) == (1, 1, {"desk": 1}, {"1": 1})
    assert found["wrong"]["false_negatives"] == 1
    (row,) = both.table()
    assert (row["visit"], row["ill"], row["fever"], row["pulse"]) == ("b", 1, 0.5, -1.0)
    told = {key: row[key] for key in ("label_source", "label_rule", "label_origin", "model_version", "model_commit")}
    assert told == {
        "label_source": "desk",
        "label_rule": "said",
        "label_origin": "log",
        "model_version": "v1",
        "model_commit": "c0ffee",
    }
    assert (row["labelled_at"], row["predicted"]) == (START + timedelta(days=2), 0)


def test_nothing_is_collected_twice_and_late_labels_come_when_they_come(both):
    both.predict("a", "b")
    both.label("a", 1, "desk")
    both.collect()
    before = (both.root / "data/feedback.parquet").read_bytes()
    again = both.collect()
    assert (again["new"], again["changed"], again["rows"]) == (0, 0, 1)
    assert (both.root / "data/feedback.parquet").read_bytes() == before
    both.label("b", 0, "desk", day=35)
    late = both.collect()
    assert (late["new"], late["rows"]) == (1, 2)


def test_what_the_log_has_forgotten_stays(both):
    both.predict("old", day=0)
    both.label("old", 1)
    both.collect()
    both.predict("new", day=38)
    both.label("new", 0, day=39)
    both.policy(within="5d")
    found = both.collect()
    assert (found["new"], found["rows"]) == (1, 2)


def test_a_source_that_corrects_itself_changes_its_row(both):
    both.predict("a")
    both.label("a", 0, "desk", day=1)
    both.collect()
    both.label("a", 1, "desk", day=3)
    found = both.collect()
    assert (found["new"], found["changed"], found["rows"]) == (0, 1, 1)
    (row,) = both.table()
    assert (row["ill"], row["label_rule"], row["label_sayings"]) == (1, "corrected", 2)


def test_sources_that_contradict_wait_for_a_person_and_are_shown(both):
    both.predict("a", "b")
    both.label("a", 1, "patient", day=1)
    both.label("a", 0, "doctor", day=2)
    both.label("b", 1, "patient", day=1)
    found = both.collect(code=1)
    assert (found["new"], found["rows"]) == (1, 1)
    (conflict,) = found["open"]
    assert [(each["label"], each["source"]) for each in conflict["said"]] == [(1, "patient"), (0, "doctor")]
    file = both.root / "data/feedback-conflicts.csv"
    assert "patient" in file.read_text()
    file.write_text(file.read_text().replace(']",\n', ']",1\n'))
    decided = both.collect()
    assert (decided["new"], decided["rows"], decided["open"]) == (1, 2, [])
    assert {row["visit"]: (row["ill"], row["label_rule"]) for row in both.table()}["a"] == (1, "hand")
    assert both.collect()["new"] == 0


@pytest.mark.parametrize("id", ["=HYPERLINK(1)", "-1", "@x", "'quoted"])
def test_an_id_is_no_formula_and_is_found_again(clinic, id):  # noqa: A002 - what it is
    clinic.predict(id)
    clinic.label(id, 1, "patient", day=1)
    clinic.label(id, 0, "doctor", day=2)
    clinic.collect(code=1)
    file = clinic.root / "data/feedback-conflicts.csv"
    text = file.read_text()
    assert text.splitlines()[1].startswith(f"'{id},")
    file.write_text(text.replace(']",\n', ']",1\n'))
    assert clinic.collect()["open"] == []
    assert [(row["visit"], row["ill"]) for row in clinic.table()] == [(id, 1)]


def test_a_new_label_opens_what_a_person_decided_again(clinic):
    clinic.predict("a")
    clinic.label("a", 1, "patient", day=1)
    clinic.label("a", 0, "doctor", day=2)
    clinic.collect(code=1)
    file = clinic.root / "data/feedback-conflicts.csv"
    file.write_text(file.read_text().replace(']",\n', ']",1\n'))
    clinic.collect()
    clinic.label("a", 0, "laboratory", day=9)
    found = clinic.collect(code=1)
    assert [each["id"] for each in found["open"]] == ["a"]
    assert clinic.table()[0]["ill"] == 1


@pytest.mark.parametrize(
    ("way", "label"),
    [
        ({"conflicts": "newest"}, 0),
        ({"conflicts": "sources", "sources": ["patient"]}, 1),
        ({"conflicts": "majority"}, 0),
    ],
)
def test_the_policy_decides_and_says_so(clinic, way, label):
    clinic.policy(**way)
    clinic.predict("a")
    for day, (value, source) in enumerate([(1, "patient"), (0, "doctor"), (0, "laboratory")], 1):
        clinic.label("a", value, source, day=day)
    found = clinic.collect()
    assert found["open"] == []
    assert found["decided"][0]["settled"]["rule"] == way["conflicts"]
    assert clinic.table()[0]["ill"] == label


def test_a_draw_is_left_to_a_person(clinic):
    clinic.policy(conflicts="majority")
    clinic.predict("a")
    clinic.label("a", 1, "patient", day=1)
    clinic.label("a", 0, "doctor", day=2)
    assert len(clinic.collect(code=1)["open"]) == 1


def test_private_inputs_are_in_no_table(clinic):
    clinic.policy(serve={"private": ["pulse"]}, private=["fever"])
    clinic.predict("a")
    clinic.label("a", 1)
    found = clinic.collect()
    assert found["private"] == ["fever", "pulse"]
    assert not {"fever", "pulse"} & set(clinic.table()[0])


def test_labels_of_a_file_join_what_was_predicted(clinic):
    clinic.predict("a", "b")
    lines = ["id,label,source,at", "a,1,clinic,2026-03-05T00:00:00Z", "x,0,clinic,2026-03-05"]
    (clinic.root / "labels.csv").write_text("\n".join(lines))
    found = clinic.collect("--from", "labels.csv")
    assert (found["new"], found["unknown"], found["unknown_count"]) == (1, ["x"], 1)
    (row,) = clinic.table()
    assert (row["ill"], row["label_origin"], row["label_source"]) == (1, "labels.csv", "clinic")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,label\na,perhaps\n", "row 1: 'perhaps' is no label"),
        ("id,truth\na,1\n", "no column `label`"),
        ("id,label\n,1\n", "row 1 has no id"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_row(clinic, text, said):
    clinic.predict("a")
    (clinic.root / "labels.csv").write_text(text)
    with pytest.raises(WorldError, match=said):
        clinic.collect("--from", "labels.csv")


def test_a_log_of_files_contradicts_where_a_prediction_comes_twice(clinic):
    same = {"predicted_at": START, "prediction": 0, "fever": 0.5, "pulse": 1.0}
    said = [("a", 1, START, "p"), ("a", 0, NOW, "d"), ("b", 1, START, "p")]
    names = ("id", "label", "labelled_at", "label_source")
    rows = [same | dict(zip(names, each, strict=True)) for each in said]
    pq.write_table(pa.Table.from_pylist(rows), clinic.root / "log.parquet")
    clinic.policy(log="log.parquet")
    found = clinic.collect(code=1)
    assert (found["new"], [each["id"] for each in found["open"]]) == (1, ["a"])
    assert clinic.table()[0]["label_origin"] == "log.parquet"


def test_a_young_label_waits(clinic):
    clinic.policy(settle="10d")
    clinic.predict("a")
    clinic.label("a", 1, day=35)
    assert (clinic.collect()["waiting"], clinic.collect(now=NOW + timedelta(days=10))["new"]) == (1, 1)


def test_the_queue_is_shown_and_nothing_written(clinic):
    clinic.predict("a")
    clinic.label("a", 1)
    assert clinic.collect("--dry-run")["new"] == 1
    assert not (clinic.root / "data").exists()


def test_a_table_of_somebody_else_is_left_alone(clinic):
    clinic.predict("a")
    clinic.label("a", 1)
    (clinic.root / "data").mkdir()
    pq.write_table(pa.table({"visit": ["z"], "ill": [0]}), clinic.root / "data/feedback.parquet")
    with pytest.raises(PolicyError, match="no table that `mlci feedback collect` made"):
        clinic.collect()


def test_a_table_without_rows_is_there_from_the_first_run_on(clinic):
    clinic.predict("a")
    assert (clinic.collect()["rows"], clinic.table()) == (0, [])


def test_a_log_that_is_gone_ends_with_3_and_writes_nothing(clinic):
    with pytest.raises(WorldError, match="there is no log"):
        clinic.collect()
    assert not (clinic.root / "data").exists()
