"""Which verdicts speak for a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlci.edges.git import History
from mlci.edges.ledger import LedgerRef
from mlci.errors import PolicyError
from mlci.flows.evidence import Evidence, evidence_at, policy_at

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def judged(project, people):
    """Two versions of a model; the second is judged and recorded."""
    project.write("predictions.parquet", **people.answers(people.wrong(0.1)))
    project.commit("First")
    project.write("predictions.parquet", **people.answers(people.wrong(0.05)))
    project.commit("Second")
    return project


def evidence(root: Path, rev: str = "HEAD") -> Evidence:
    history = History(root)
    commit = history.commit(rev)
    return evidence_at(root, history, commit, policy_at(history, commit, "params.yaml"))


def test_a_recorded_verdict_speaks_for_every_commit_with_the_same_content(judged):
    done = judged.mlci("compare", "--record")
    assert done.returncode == 0, done.stdout
    (judged.root / "reports/report.json").unlink()
    (recorded,) = evidence(judged.root).verdicts
    assert recorded.outcome == "pass"
    judged.commit("A merge that changes nothing of it")
    assert evidence(judged.root).verdicts == (recorded,)
    assert evidence(judged.root, "HEAD~2").verdicts == ()


def test_the_last_verdict_speaks_too_until_something_changes(judged, people):
    judged.mlci("compare")
    assert [one.outcome for one in evidence(judged.root).verdicts] == ["pass"]
    policy = (judged.root / "params.yaml").read_text()
    (judged.root / "params.yaml").write_text(policy.replace("drop: 0.01", "drop: 0.5"))
    judged.write("predictions.parquet", **people.answers(people.wrong(0.2)))
    judged.commit("A worse model, and a looser policy")
    found = evidence(judged.root)
    assert found.verdicts == ()
    assert found.differs == ("predictions.parquet", "the policy")


def test_recording_twice_keeps_one_verdict_and_no_rows(judged):
    judged.mlci("compare", "--record")
    judged.mlci("compare", "--record")
    (judged.root / "reports/report.json").unlink()
    (recorded,) = evidence(judged.root).verdicts
    assert all(flip.examples is None for one in recorded.comparisons for flip in one.flips)


def test_evidence_of_two_clones_is_joined(judged, tmp_path):
    judged.git("clone", "-q", "--bare", ".", str(tmp_path / "origin.git"))
    judged.git("remote", "add", "origin", (tmp_path / "origin.git").as_uri())
    judged.mlci("compare", "--record")
    other = tmp_path / "other"
    judged.git("clone", "-q", (tmp_path / "origin.git").as_uri(), str(other))
    LedgerRef(other).fetch("2026-01-01T00:00:00.000000Z")
    assert [one.outcome for one in evidence(other).verdicts] == ["pass"]


def test_a_commit_without_a_policy(judged):
    (judged.root / "params.yaml").unlink()
    judged.commit("No policy")
    history = History(judged.root)
    with pytest.raises(PolicyError, match=r"has no params\.yaml"):
        policy_at(history, history.head, "params.yaml")
