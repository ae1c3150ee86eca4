from __future__ import annotations

import json

import pytest

from mlci.edges.ledger import LedgerRef
from mlci.nouns.ledger import Use

POLICY = """\
mlci:
  model: {name: people, label: ill, id: person}
  gate:
    test: test.parquet
    predictions: predictions.parquet
    reuse: 20
    metrics:
      accuracy: {drop: 0.01, floor: 0.8, critical: true}
      roc_auc: {drop: 0.02}
    slices:
      over 50s: {where: "age > 50"}
      oldest: {where: "age > 88"}
"""


def planned(project, *arguments):
    done = project.mlci("plan", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_supposed_rows_need_no_project(project):
    (project.root / "params.yaml").unlink()
    plan = planned(project, "--rows", "2000", "--differ", "5%", "--drop", "1pt")
    assert [need["needed_rows"] for need in plan["needs"]] == [3_092, 7_730]
    assert plan["needs"][0]["sees"] == pytest.approx(0.012, abs=0.0005)
    assert plan["peers"][0]["condition"] == "n - o > -0.01 +/- 0.01"
    said = project.mlci("plan", "--rows", "2000").stdout
    for words in ("3,090", "7,730", "1.2 pt", "ease.ml/ci"):
        assert words in said


def test_steps_confidence_and_adaptivity_change_the_answer(project):
    (project.root / "params.yaml").unlink()
    usual, sure, once, full = (
        planned(project, "--differ", "10%", *more)
        for more in ((), ("--confidence", "99%"), ("--steps", "1"), ("--adaptivity", "full"))
    )
    needed = [[need["needed_rows"] for need in plan["needs"]] for plan in (usual, sure, once, full)]
    assert needed[1][0] > needed[0][0]
    assert needed[2][0] == needed[2][1] == needed[0][0]
    assert needed[3][0] == needed[0][0]
    assert needed[3][1] > 5 * needed[0][1]
    peers = [plan["peers"][0]["rows"] for plan in (usual, sure, once, full)]
    assert peers[2] < peers[0] < peers[1] < peers[3]


def test_a_condition_of_the_peer(project):
    asked = ("--condition", "n - o > 0.02 +/- 0.01", "--confidence", "99.99%", "--steps", "32", "--rows", "100")
    assert abs(planned(project, *asked)["peers"][0]["rows"] - 267_385) <= 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--differ", "much"), "--differ"),
        (("--differ", "150%"), "--differ lies between"),
        (("--confidence", "0"), "--confidence lies between"),
        (("--drop", "5%", "--differ", "1%"), "at least as many rows"),
        (("--condition", "n is better"), "n - o >"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(project, arguments, said):
    done = project.mlci("plan", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "mend:" in done.stderr


def test_without_a_gate_it_says_what_to_suppose(project):
    (project.root / "params.yaml").write_text("mlci: {data: {}}\n")
    done = project.mlci("plan")
    assert done.returncode == 2
    assert "--rows 2000" in done.stderr
    assert planned(project, "--rows", "100")["project"]


def test_a_first_model_is_planned_by_supposition(project, people):
    (project.root / "params.yaml").write_text(POLICY)
    project.write("predictions.parquet", **people.answers(people.wrong(0.1)))
    project.commit()
    plan = planned(project)
    assert "no other model" in plan["notes"][0]
    by = {(need["metric"], need["slice"], need["kind"]): need for need in plan["needs"]}
    assert by["accuracy", None, "value"]["needed_rows"] > 0
    assert by["accuracy", None, "change"]["differ"] == 0.05
    assert by["accuracy", None, "change"]["critical"]
    assert by["accuracy", "over 50s", "change"]["rows"] < people.n


def test_two_models_are_planned_by_what_they_said(project, people):
    (project.root / "params.yaml").write_text(POLICY)
    project.write("predictions.parquet", **people.answers(people.wrong(0.1)))
    project.commit()
    wrong = people.wrong(0.1)
    wrong[:60] ^= True
    project.write("predictions.parquet", **people.answers(wrong))
    plan = planned(project)
    by = {(need["metric"], need["slice"], need["kind"]): need for need in plan["needs"]}
    whole = by["accuracy", None, "change"]
    assert whole["differ"] == 60 / people.n
    assert whole["risk"] == pytest.approx(0.05 / 20)
    assert whole["needed_labels"] == -(-whole["needed_rows"] * 60 // people.n)
    assert not by["accuracy", "over 50s", "change"]["critical"]
    assert by["accuracy", "over 50s", "change"]["sees"] > whole["sees"]
    assert by["roc_auc", None, "change"]["needed_rows"] > 0
    oldest = by["accuracy", "oldest", "change"]
    assert oldest["note"].startswith("fewer than 30 rows")
    assert oldest["differ"] == whole["differ"]
    assert 0 < oldest["needed_rows"] < whole["needed_rows"]
    assert plan["tests"] >= 4
    assert plan["peers"][0]["changed"] == 60 / people.n
    assert plan["budget"]["used"] == 0
    assert plan["budget"]["planned"] == 20
    # After the commit the model is the merge base's own: the one before it is what a plan compares with.
    project.commit()
    again = planned(project)
    assert "previous" in again["notes"][0]
    assert {**whole, "baseline": "previous"} in again["needs"]
    said = project.mlci("plan").stdout
    for words in ("was used 0 times of 20: 20 are left", "over 50s", "fewer than 30 rows", "* critical"):
        assert words in said


def test_status_without_a_verdict_a_ledger_or_a_repository(project, tmp_path):
    said = project.mlci("status").stdout
    assert "no verdict yet" in said
    assert "was used 0 times of 50" in said
    (project.root / ".git").rename(tmp_path / "gone")
    assert "no use is counted" in project.mlci("status").stdout


def test_status_tells_the_newest_uses_of_every_test_set(project):
    test = json.loads(project.mlci("status", "--json").stdout)["test_sets"][0]["test"]
    uses = [
        Use(
            test=test if number else "0" * 64,
            candidate=f"{number:064x}",
            policy="p",
            change="[red]feature",
            outcome="fail",
            at=f"2026-03-01T12:00:{number:02}Z",
        )
        for number in range(60)
    ]
    LedgerRef(project.root).add(uses, "2026-03-02T12:00:00Z")
    status = json.loads(project.mlci("status", "--json").stdout)
    own, other = status["test_sets"]
    assert (own["path"], own["used"], own["planned"]) == ("test.parquet", 59, 50)
    assert [use["at"][-3:-1] for use in own["uses"]] == ["59", "58", "57", "56", "55"]
    assert (other["test"], other["used"], other["planned"]) == ("0" * 64, 1, None)
    said = project.mlci("status", "--ledger").stdout
    assert "was used 59 times of 50: none is left" in said
    assert "0000000000 was used once." in said
    assert "[red]feature" in said
