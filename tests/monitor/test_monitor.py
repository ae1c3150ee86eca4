"""`mlci monitor` on a repository: the log, the state in Git, exit codes, what is written."""

import json
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
from production import DAY, START
from shop import git

from mlci.edges.monitor_state import REF, StateRef
from mlci.errors import WorldError


def test_a_healthy_month_then_a_drop(project):
    project.log(0, 10)
    found = project.look(10)
    assert (found["healthy"], found["alarms"], found["rows"]) == (True, [], 2_000)
    project.log(10, 30, wrong=0.25)
    found = project.look(30, code=1)
    assert next(alarm["cause"] for alarm in found["alarms"]) == "performance"
    assert len(found["seen"]) == 30
    assert git(project.origin, "rev-parse", REF)


def test_a_look_with_nothing_new_reads_no_log_and_writes_no_state(project):
    project.log(0, 5)
    first = project.look(5)
    before = git(project.origin, "rev-parse", REF)
    for file in project.root.glob("log/*"):
        file.unlink()
    again = project.look(5.5)
    assert again["rows"] == first["rows"] == 1_000
    assert git(project.origin, "rev-parse", REF) == before


def test_a_fresh_clone_goes_on_where_another_one_ended(project, tmp_path):
    project.log(0, 8)
    project.look(8)
    other = tmp_path / "other"
    subprocess.run(["git", "clone", "-q", str(project.origin), str(other)], check=True)
    (project.root / "log").rename(other / "log")
    (project.root / "log").mkdir()
    project.root = other
    project.log(8, 12)
    assert project.look(12)["rows"] == 12 * 200


def test_an_unreachable_log_ends_with_3_and_counts_nothing(project):
    project.log(0, 5)
    project.look(5)
    before = git(project.origin, "rev-parse", REF)
    project.policy(log="gone/*.parquet")
    with pytest.raises(WorldError):
        project.look(9)
    assert git(project.origin, "rev-parse", REF) == before
    project.policy()
    project.log(5, 9)
    assert project.look(9)["rows"] == 9 * 200


def test_looks_at_once_count_everything_once(project):
    project.log(0, 6)
    until = f"{START + 6 * DAY:%Y-%m-%dT%H:%M:%S}"
    command = [sys.executable, "-m", "mlci", "monitor", "-C", str(project.root), "--until", until, "--json"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)]
    found = []
    for each in running:
        out, said = each.communicate(timeout=120)
        assert each.returncode == 0, said
        found.append(json.loads(out))
    assert {each["rows"] for each in found} == {1_200}
    assert project.look(6)["rows"] == 1_200


def test_inputs_that_break_a_promise_are_a_data_alarm(project):
    project.log(0, 6)
    assert project.look(6)["alarms"] == []
    project.log(6, 8, colours=("red", "green", "blue", "purple"))
    found = project.look(8)
    data = next(alarm for alarm in found["alarms"] if alarm["cause"] == "data")
    assert data["raised"][0]["stream"] == "data.visits.colour.allowed"
    assert all(finding["data"]["examples"] is None for finding in found["findings"])


def test_old_predictions_and_missing_labels_are_told(project):
    project.policy(stale={"rows": "2d", "labels": "30d"}, labels={"coverage": "60%", "due": "2d"})
    project.log(0, 8, labelled=0.3)
    found = project.look(8)
    assert [(alarm["cause"], len(alarm["raised"])) for alarm in found["alarms"]] == [("staleness", 1)]
    later = project.look(12)
    assert "newest prediction" in json.dumps(later["alarms"])


def test_few_rows_are_a_software_alarm_of_the_level_that_is_asked_for(project):
    project.policy(software={"rows": ">= 500", "level": "block"})
    project.log(0, 3)
    found = project.look(3, code=1)
    assert [alarm["cause"] for alarm in found["alarms"]] == ["software"]


def test_what_is_written_for_people_and_for_prometheus(project, tmp_path):
    project.log(0, 5)
    project.look(5, "--out", str(tmp_path / "out"), "--prometheus", str(tmp_path / "mlci.prom"))
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"monitor.html", "monitor.md", "monitor.json"}
    text = (tmp_path / "mlci.prom").read_text()
    assert 'mlci_monitor_healthy{model="m"} 1\n' in text
    prometheus = pytest.importorskip("prometheus_client.parser")
    names = {family.name for family in prometheus.text_string_to_metric_families(text)}
    assert {"mlci_monitor_healthy", "mlci_monitor_evidence", "mlci_monitor_metric"} <= names


def test_a_state_in_a_file_needs_no_repository(project, tmp_path):
    project.log(0, 5)
    project.look(5, "--state", str(tmp_path / "state.json"))
    project.log(5, 7)
    assert project.look(7, "--state", str(tmp_path / "state.json"))["rows"] == 1_400
    assert git(project.origin, "for-each-ref", REF) == ""


def test_a_dry_run_keeps_nothing(project):
    project.log(0, 5)
    project.look(5, "--dry-run")
    assert git(project.origin, "for-each-ref", REF) == ""


def test_health_is_what_the_last_look_found_and_unknown_after_days_without_one(project):
    with pytest.raises(WorldError, match="nobody has looked"):
        project.look(5, "--last")
    project.log(0, 10)
    project.look(10)
    assert project.look(10.5, "--last")["healthy"]
    with pytest.raises(WorldError, match="says nothing of now"):
        project.look(15, "--last")
    project.log(10, 20, wrong=0.4)
    project.look(20, code=1)
    assert not project.look(20.5, "--last", code=1)["healthy"]


def test_columns_with_other_names(project):
    project.log(0, 5)
    for file in project.root.glob("log/*"):
        table = pq.read_table(file)
        renamed = {"predicted_at": "time", "label": "outcome"}
        pq.write_table(table.rename_columns([renamed.get(name, name) for name in table.column_names]), file)
    project.policy(names={"predicted_at": "time", "label": "outcome"})
    found = project.look(5)
    assert (found["rows"], found["labels"] > 800) == (1_000, True)
    project.policy(names={"predicted_at": "when"})
    with pytest.raises(WorldError, match="'when'"):
        project.look(9)


def test_of_two_states_written_over_the_same_one_the_second_is_told_that_it_lost(project):
    store = StateRef(project.root)
    before = store.read("m").version
    assert store.write("m", "{}", before)
    assert not store.write("m", "[]", before)
    assert store.read("m").text == "{}"
