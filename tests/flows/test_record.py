"""Counting the uses of a test set while comparing."""

from __future__ import annotations

import json

import pytest

from mlci.edges.ledger import LedgerRef
from mlci.edges.ledger_tree import REF
from mlci.flows.ledger import verdict_key
from mlci.flows.report import load

POLICY = """\
mlci:
  model: {name: people, label: ill, id: person}
  gate:
    test: test.parquet
    predictions: predictions.parquet
    reuse: 2
    metrics: {accuracy: {drop: 0.05}}
"""


@pytest.fixture
def judged(project, people, tmp_path):
    """A repository with a remote, a first model on main and a change of it on a branch."""
    (project.root / "params.yaml").write_text(POLICY)
    (project.root / "predictions.parquet").unlink(missing_ok=True)
    project.write("predictions.parquet", **people.answers(people.wrong(0.1)))
    project.commit()
    project.git("clone", "-q", "--bare", ".", str(tmp_path / "origin.git"))
    project.git("remote", "add", "origin", (tmp_path / "origin.git").as_uri())
    project.git("checkout", "-qb", "feature")
    return project


def try_model(project, people, number: int) -> None:
    wrong = people.wrong(0.1)
    wrong[number] ^= True
    project.write("predictions.parquet", **people.answers(wrong))
    project.commit(f"Try {number}")


def compare(project, *arguments) -> dict:
    done = project.mlci("compare", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["verdict"]


def test_nothing_is_recorded_unless_asked_for(judged, people):
    try_model(judged, people, 1)
    verdict = compare(judged)
    assert verdict["footer"].startswith("A model that is no worse")
    assert compare(judged) == verdict
    assert not LedgerRef(judged.root).begun


def test_uses_are_counted_once_each_and_shared(judged, people, tmp_path):
    try_model(judged, people, 1)
    first = compare(judged, "--record")
    again = judged.mlci("compare", "--record", "--json")
    assert json.loads(again.stdout)["verdict"] == first
    assert "recorded this use" in again.stderr
    assert first["footer"].startswith("Use 1 of 2")
    try_model(judged, people, 2)
    assert compare(judged, "--record", "--change", "#7")["footer"].startswith("Use 2 of 2")
    one, two = LedgerRef(tmp_path / "origin.git").read().uses
    assert (one.change, two.change) == ("feature", "#7")
    assert one.test == two.test == first["digests"]["data"]["test.parquet"]
    assert one.candidate == first["digests"]["predictions"]
    assert one.commit == first["commit"]
    assert one.outcome == first["outcome"]
    assert len(one.baselines) == 1
    assert two.key == verdict_key(load(judged.root).verdict)


def test_another_clone_counts_on(judged, people, tmp_path):
    try_model(judged, people, 1)
    compare(judged, "--record")
    judged.git("update-ref", "-d", REF)
    try_model(judged, people, 2)
    assert compare(judged)["footer"].startswith("A model")
    assert compare(judged, "--record")["footer"].startswith("Use 2 of 2 of this test set. A model that is no worse")
    assert compare(judged)["footer"].startswith("Use 2 of 2")
    assert len(LedgerRef(tmp_path / "origin.git").read().uses) == 2


def test_a_spent_budget_warns_without_blocking(judged, people):
    for number in (1, 2, 3):
        try_model(judged, people, number)
        verdict = compare(judged, "--record")
    assert verdict["footer"].startswith("Use 3 of 2")
    (finding,) = (item for item in verdict["findings"] if item["check"] == "gate.reuse")
    assert finding["level"] == "warn"
    assert "fresh rows" in finding["mend"]
    assert finding["place"] == {"file": "params.yaml", "line": 6}
    assert verdict["outcome"] == "pass"
    said = judged.mlci("compare").stdout
    assert "the test set is not used" in said
    assert "none is left" in judged.mlci("status").stdout


def test_an_unchanged_model_asks_nothing_new(judged):
    judged.commit("Something else")
    done = judged.mlci("compare", "--record")
    assert "nothing new was asked" in done.stderr
    assert "Use " not in done.stdout
    assert not LedgerRef(judged.root).read().uses


def test_a_first_run_is_a_use(judged):
    judged.git("remote", "remove", "origin")
    judged.git("checkout", "-q", "--orphan", "fresh")
    judged.git("branch", "-D", "main")
    done = judged.mlci("compare", "--record")
    assert "there is no remote" in done.stderr
    (use,) = LedgerRef(judged.root).read().uses
    assert (use.baselines, use.commit, use.change) == ((), "", "fresh")


def test_other_limits_on_the_data_are_no_new_use(judged, people):
    try_model(judged, people, 1)
    compare(judged, "--record")
    (judged.root / "params.yaml").write_text(POLICY + "  engine: {threads: 1}\n")
    assert compare(judged, "--record")["footer"].startswith("Use 1 of 2")
    (judged.root / "params.yaml").write_text(POLICY.replace("0.05", "0.06"))
    assert compare(judged, "--record")["footer"].startswith("Use 2 of 2")


def test_a_remote_that_is_away_delays_only_the_sharing(judged, people, tmp_path):
    (tmp_path / "origin.git").rename(tmp_path / "away.git")
    try_model(judged, people, 1)
    done = judged.mlci("compare", "--record")
    assert done.returncode == 0
    assert "could not be asked" in done.stderr
    assert "sent with the next one" in done.stderr
    assert "wait to be sent" in judged.mlci("status").stdout
    (tmp_path / "away.git").rename(tmp_path / "origin.git")
    try_model(judged, people, 2)
    assert "recorded this use of the test set" in judged.mlci("compare", "--record").stderr
    assert len(LedgerRef(tmp_path / "origin.git").read().uses) == 2


def test_recording_needs_a_repository(judged, tmp_path):
    (judged.root / ".git").rename(tmp_path / "gone")
    done = judged.mlci("compare", "--record")
    assert done.returncode == 3
    assert "needs a Git repository" in done.stderr


def test_a_broken_ledger_ends_with_its_mend(judged, people):
    try_model(judged, people, 1)
    judged.git("update-ref", REF, judged.git("hash-object", "-w", "params.yaml"))
    for command in ("compare", "status", "plan"):
        done = judged.mlci(command)
        assert done.returncode == 3
        assert "mend: `git log -p refs/mlci/ledger`" in done.stderr


def test_looks_of_a_pull_request_share_alpha(judged, people):
    try_model(judged, people, 1)
    first = compare(judged, "--record", "--change", "7")
    assert first["look"] == 1
    assert "1st look of this pull request" in first["footer"]
    assert "this one in 2.5 of 100" in first["footer"]
    assert "of 100 pull requests, over all looks" in first["footer"]
    assert "mlci compare --change 7" in json.loads((judged.root / "reports/report.json").read_text())["repeat"]
    assert compare(judged, "--record", "--change", "7") == first
    try_model(judged, people, 2)
    # Asking is enough: nothing is entered, and a run that asks again is told the same.
    before = judged.git("rev-parse", REF)
    assert [compare(judged, "--change", "7")["look"] for _ in range(2)] == [2, 2]
    assert compare(judged, "--change", "8")["look"] == 1
    assert judged.git("rev-parse", REF) == before
    # Nobody said which pull request it is: each run has an alpha of its own, and says so.
    verdict = compare(judged)
    assert verdict["look"] is None
    assert "of 100 comparisons, over all checks together." in verdict["footer"]


def test_two_pull_requests_that_ask_the_same_look_both_and_use_once(judged, people, tmp_path):
    try_model(judged, people, 1)
    compare(judged, "--record", "--change", "7")
    verdict = compare(judged, "--record", "--change", "8")
    assert (verdict["look"], verdict["footer"][:10]) == (1, "Use 1 of 2")
    assert [use.change for use in LedgerRef(tmp_path / "origin.git").read().uses] == ["7", "8"]
    try_model(judged, people, 2)
    verdict = compare(judged, "--record", "--change", "8")
    assert (verdict["look"], verdict["footer"][:10]) == (2, "Use 2 of 2")


def test_a_later_look_needs_more_to_block(judged, people):
    """Five rows got worse and none better: p is 1/64, which is below alpha and above alpha / 4."""
    judged.git("checkout", "-q", "main")
    (judged.root / "params.yaml").write_text(POLICY.replace("0.05", "0"))
    judged.commit("Allow nothing")
    judged.git("checkout", "-qB", "feature")
    try_model(judged, people, 1)
    judged.mlci("compare", "--record", "--change", "7")
    wrong = people.wrong(0.1)
    wrong[(~wrong).nonzero()[0][:5]] = True
    judged.write("predictions.parquet", **people.answers(wrong))
    judged.commit("Five rows worse")
    outcomes = [
        json.loads(judged.mlci("compare", "--json", *named).stdout)["verdict"]["outcome"]
        for named in ((), ("--change", "8"), ("--change", "7"))
    ]
    assert outcomes == ["fail", "fail", "inconclusive"]
