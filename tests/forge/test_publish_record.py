"""The trusted half counts the uses of the test set, by a verdict that nobody trusts."""

import subprocess

import pytest
from publishing import NEWER, SHA, Job, leave, report, untouched

from mlci.edges.ledger import LedgerRef
from mlci.nouns.finding import Comparison, Digests

GOOD = {"predictions": "d" * 64, "test": "7" * 64, "gate": "9" * 64}


def git(folder, *arguments):
    subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True)


@pytest.fixture
def clone(tmp_path):
    """A clone of a repository's default branch, as a trusted job has it."""
    origin, root = tmp_path / "origin.git", tmp_path / "clone"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(origin))
    git(tmp_path, "clone", "-q", origin.as_uri(), str(root))
    return root


@pytest.fixture
def job(github, clone):
    return Job(github, clone)


@pytest.fixture
def uses(clone):
    return lambda: LedgerRef(clone.parent / "origin.git").read().uses


def test_use_is_counted_by_the_forges_word(github, job, uses, tmp_path):
    number = github.pull("feature", SHA, fork="mallory")
    left = leave(tmp_path / "left", top=report("pass"))
    for _ in range(2):
        done = job.event(number).publish("--from", left, "--record")
        assert done.returncode == 0, done.stderr
    [use] = uses()
    assert (use.commit, use.change, use.outcome) == (SHA, str(number), "pass")
    assert use.key == ("7" * 64, "d" * 64, ("e" * 64,), "9" * 64)


def test_late_verdict_of_an_older_commit_counts_too(github, job, uses, tmp_path):
    number = github.pull("feature", SHA)
    job.event(number)
    github.push(number, NEWER)
    job.publish("--from", leave(tmp_path / "left", top=report("fail")), "--record")
    assert [(use.commit, use.change) for use in uses()] == [(SHA, str(number))]


def test_nothing_is_counted_unless_asked_for_or_where_nothing_was_asked(github, job, uses, tmp_path):
    number = github.pull("feature", SHA)
    job.event(number).publish("--from", leave(tmp_path / "one", top=report("pass")))
    same = (Comparison(baseline="merge-base", status="unchanged", model="e" * 64),)
    for place, told in enumerate([untouched(), report("pass", comparisons=same), report("pass", commit=NEWER), "{}"]):
        done = job.event(number).publish("--from", leave(tmp_path / f"left-{place}", top=told), "--record")
        assert "nothing new was asked" in done.stderr
    assert uses() == ()


@pytest.mark.parametrize(
    "digests",
    [
        GOOD | {"test": "../../etc/passwd"},
        GOOD | {"test": "7" * 63},
        GOOD | {"predictions": "D" * 64},
        GOOD | {"predictions": "\n" * 64},
        GOOD | {"gate": "x" * 1_000_000},
        GOOD | {"gate": ""},
        GOOD | {"test": ""},
    ],
    ids=lambda digests: str(digests)[:30],
)
def test_digest_that_is_none_is_not_counted(github, job, uses, tmp_path, digests):
    number = github.pull("feature", SHA)
    told = report("pass", digests=Digests(**digests))
    done = job.event(number).publish("--from", leave(tmp_path / "left", top=told), "--record")
    assert done.returncode in {0, 1}
    assert uses() == ()


def test_baselines_without_end_are_not_counted(github, job, uses, tmp_path):
    number = github.pull("feature", SHA)
    many = tuple(Comparison(baseline=f"b{n}", status="compared", model=f"{n:064x}") for n in range(5_000))
    evil = (Comparison(baseline="b", status="compared", model="../x"),)
    for place, comparisons in enumerate((many, evil)):
        left = leave(tmp_path / f"left-{place}", top=report("pass", comparisons=comparisons))
        assert job.event(number).publish("--from", left, "--record").returncode == 0
    assert uses() == ()


def test_use_is_kept_where_the_remote_is_gone(github, job, clone, tmp_path):
    number = github.pull("feature", SHA)
    git(clone, "remote", "set-url", "origin", (tmp_path / "gone.git").as_uri())
    done = job.event(number).publish("--from", leave(tmp_path / "left", top=report("pass")), "--record")
    assert done.returncode == 0
    assert "not sent" in done.stderr
    assert len(LedgerRef(clone).read().uses) == 1


def test_folder_without_a_repository_cannot_count(github, tmp_path):
    (tmp_path / "job").mkdir()
    number = github.pull("feature", SHA)
    done = (
        Job(github, tmp_path / "job")
        .event(number)
        .publish("--from", leave(tmp_path / "left", top=report("pass")), "--record")
    )
    assert done.returncode == 3
    assert "needs a Git repository" in done.stderr
    assert len(github.comments(number)) == 1
