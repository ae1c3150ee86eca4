"""Labels as one pull request: whatever goes wrong in between, nothing is lost and nothing offered twice."""

import io
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from clinic import NOW, git, make

from mlci.edges.policy_file import load_policy
from mlci.errors import WorldError
from mlci.flows.feedback import Collecting
from mlci.flows.feedback_offer import offer
from mlci.nouns.forge import Patience

pytestmark = pytest.mark.slow
MAY = {"contents": "write", "pull-requests": "write", "issues": "write"}
BRANCH = "feedback/people"


@pytest.fixture
def shared(tmp_path, monkeypatch):
    """The clinic with a remote and DVC's storage."""
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    clinic = make(tmp_path, f"sqlite:///{tmp_path / 'log.db'}")
    clinic.origin = tmp_path / "origin.git"
    subprocess.run(["git", "init", "-q", "--bare", "--initial-branch", "main", str(clinic.origin)], check=True)
    git(clinic.root, "init", "-q", "--initial-branch", "main")
    git(clinic.root, "config", "user.name", "someone")
    git(clinic.root, "config", "user.email", "someone@localhost")
    git(clinic.root, "remote", "add", "origin", str(clinic.origin))
    dvc = [sys.executable, "-m", "dvc"]
    subprocess.run([*dvc, "init", "-q"], cwd=clinic.root, check=True)
    subprocess.run(
        [*dvc, "remote", "add", "-q", "-d", "storage", str(tmp_path / "storage")], cwd=clinic.root, check=True
    )
    clinic.policy(store="dvc")
    git(clinic.root, "add", "-A")
    git(clinic.root, "commit", "-qm", "Begin")
    git(clinic.root, "push", "-q", "-u", "origin", "main")
    return clinic


@pytest.fixture
def collect(shared, github):
    def run(now=NOW, **policy):
        if policy:
            shared.policy(store="dvc", **policy)
        env = {
            "GITHUB_API_URL": github.url,
            "GITHUB_REPOSITORY": github.repository,
            "GITHUB_TOKEN": github.token(permissions=MAY),
        }
        asked = Collecting(shared.root, load_policy(shared.root), now)
        return offer(asked, env, patience=Patience(tries=2, longest=0.1))

    return run


def rows(clinic, rev=BRANCH):
    """The table of a revision of the remote, out of DVC's cache."""
    pointer = git(clinic.origin, "show", f"{rev}:data/feedback.parquet.dvc")
    md5 = next(line.split()[-1] for line in pointer.splitlines() if "md5:" in line and "hash" not in line)
    file = next(clinic.root.parent.joinpath("storage").rglob(f"{md5[:2]}/{md5[2:]}"))
    return {row["visit"]: row["ill"] for row in pq.read_table(io.BytesIO(file.read_bytes())).to_pylist()}


def tip(clinic):
    return git(clinic.origin, "rev-parse", BRANCH)


def said(clinic, *names, day=1, value=1, source="user"):
    clinic.predict(*names, day=0)
    for name in names:
        clinic.label(name, value, source, day=day)


def test_one_pull_request_with_the_data_and_the_next_run_updates_it(shared, collect, github):
    said(shared, "a", "b")
    found = collect()
    assert (found.action, found.new) == ("opened", 2)
    (pull,) = github.pulls()
    assert "missed 2 of the new rows that were positive" in pull["body"]
    assert {label["name"] for label in pull["labels"]} == {"mlci", "feedback"}
    assert rows(shared) == {"a": 1, "b": 1}
    assert git(shared.root, "status", "--porcelain") == ""
    before = tip(shared)
    assert (collect().action, tip(shared)) == ("kept", before)
    said(shared, "c")
    assert collect().action == "updated"
    assert (rows(shared), len(github.pulls())) == ({"a": 1, "b": 1, "c": 1}, 1)


def test_rows_that_the_log_forgot_meanwhile_stay_in_the_open_one(shared, collect, github):
    said(shared, "a")
    collect()
    Path(shared.log.removeprefix("sqlite:///")).unlink()
    said(shared, "b")
    collect()
    assert rows(shared) == {"a": 1, "b": 1}
    assert len(github.pulls()) == 1


def test_what_was_merged_is_not_offered_again(shared, collect, github):
    said(shared, "a")
    collect()
    git(shared.root, "fetch", "-q", "origin")
    git(shared.root, "merge", "-q", "--ff-only", f"origin/{BRANCH}")
    git(shared.root, "push", "-q", "origin", "main")
    github.close(1)
    assert (collect().action, len(github.pulls())) == ("", 1)
    said(shared, "b")
    found = collect()
    assert (found.new, rows(shared)) == (1, {"a": 1, "b": 1})
    assert [(each.table, each.added) for each in found.diffs] == [("labels", 1)]
    assert "What changed in the data" in github.pulls()[-1]["body"]


def test_a_decision_that_a_person_commits_to_the_branch_is_taken(shared, collect, github):
    said(shared, "a")
    shared.label("a", 0, "doctor", day=2)
    said(shared, "b")
    found = collect()
    assert [each.id for each in found.open] == ["a"]
    assert "contradictions to decide" in github.pulls()[0]["body"]
    git(shared.root, "fetch", "-q", "origin")
    git(shared.root, "checkout", "-q", "-b", "mine", f"origin/{BRANCH}")
    file = shared.root / "data/feedback-conflicts.csv"
    file.write_text(file.read_text().replace(']",\n', ']",1\n'))
    git(shared.root, "commit", "-qam", "Decide")
    git(shared.root, "push", "-q", "origin", f"mine:{BRANCH}")
    theirs = tip(shared)
    git(shared.root, "checkout", "-q", "main")
    found = collect()
    assert (found.open, found.new, rows(shared)) == ((), 2, {"a": 1, "b": 1})
    assert git(shared.origin, "merge-base", theirs, BRANCH) == theirs


def test_what_a_person_closed_is_not_opened_again_until_there_are_other_labels(shared, collect, github):
    said(shared, "a")
    collect()
    github.close(1)
    assert (collect().action, [pull["state"] for pull in github.pulls()]) == ("", ["closed"])
    said(shared, "b")
    assert collect().action == "opened"
    assert sorted(pull["state"] for pull in github.pulls()) == ["closed", "open"]


def test_a_forge_that_is_down_between_push_and_pull_request_is_made_up_for(shared, collect, github):
    said(shared, "a")
    github.fault(method="POST", path="/pulls$", status=502, times=3)
    with pytest.raises(WorldError):
        collect()
    assert rows(shared) == {"a": 1}
    pushed = tip(shared)
    github.clear_faults()
    assert (collect(now=NOW + timedelta(hours=1)).action, tip(shared)) == ("opened", pushed)
    assert len(github.pulls()) == 1


def test_without_labels_there_is_no_pull_request(shared, collect, github):
    shared.predict("a")
    assert (collect().action, github.pulls()) == ("", [])


def test_private_inputs_and_values_are_in_neither_data_nor_text(shared, collect, github):
    shared.predict("a", fever=0.123456)
    shared.label("a", 1)
    collect(private=["fever"])
    assert "0.123456" not in github.pulls()[0]["body"]
