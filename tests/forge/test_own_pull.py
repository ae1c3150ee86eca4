"""One pull request of ours, from a branch that is pushed only over what is ours; whatever goes wrong in between."""

import subprocess
import threading

import pytest

from mlci.edges.forge import NotAllowedError
from mlci.edges.github_pulls import GitHubPulls
from mlci.edges.own_branch import OwnBranch
from mlci.errors import WorldError
from mlci.flows.own_pull import OwnPull, bring, own_pulls
from mlci.nouns.forge import Patience

MARKER = "<!-- mlci retrain flights -->"
BRANCH = "retrain/flights"


def git(folder, *arguments):
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path, github):
    bare, root = tmp_path / "bare.git", tmp_path / "work"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", bare], check=True)
    subprocess.run(["git", "clone", "-q", bare, root], check=True, capture_output=True)
    git(root, "config", "user.name", "someone")
    git(root, "config", "user.email", "someone@example.org")
    (root / "a.txt").write_text("a\n")
    (root / "b.txt").write_text("b\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "Begin")
    git(root, "push", "-q", "origin", "HEAD:main")
    github.follow(bare)
    return root


@pytest.fixture
def forge(github):
    forge = GitHubPulls(github.repository, github.token(permissions=MAY), github.url, Patience(tries=2, pause=0.01))
    yield forge
    forge.close()


MAY = {"contents": "write", "pull-requests": "write"}


def wanted(body="Because.", **given):
    return OwnPull(
        **{"marker": MARKER, "branch": BRANCH, "base": "main", "title": "Train again", "body": body, **given}
    )


def pushed(clone, text="new\n"):
    """A commit of ours that changes a file, removes one and adds one, on the branch."""
    branch = OwnBranch(clone, BRANCH)
    (clone.parent / "file").write_text(text)
    files = {"a.txt": clone.parent / "file", "b.txt": None, "deep/c.txt": clone.parent / "file"}
    commit = branch.commit(branch.newest("main"), files, "Train again\n\nData: 2013-06")
    assert branch.push(commit, branch.tip().commit)
    return commit


def test_a_commit_of_ours_touches_nothing_of_the_users(clone):
    (clone / "a.txt").write_text("being edited\n")
    before = git(clone, "status", "--porcelain"), git(clone, "rev-parse", "HEAD"), git(clone, "branch")
    commit = pushed(clone)
    assert (git(clone, "status", "--porcelain"), git(clone, "rev-parse", "HEAD"), git(clone, "branch")) == before
    assert git(clone, "ls-tree", "-r", "--name-only", commit).split() == ["a.txt", "deep/c.txt"]
    assert git(clone, "show", f"{commit}:a.txt") == "new"
    tip = OwnBranch(clone, BRANCH).tip()
    assert (tip.commit, tip.ours, tip.message) == (commit, True, "Train again\n\nData: 2013-06")


def test_a_branch_that_somebody_pushed_to_is_not_ours_and_not_overwritten(clone):
    first = pushed(clone)
    git(clone, "fetch", "-q", "origin", BRANCH)
    git(clone, "switch", "-q", "--detach", "FETCH_HEAD")
    git(clone, "commit", "-q", "--allow-empty", "-m", "Mine")
    git(clone, "push", "-q", "origin", f"HEAD:refs/heads/{BRANCH}")
    branch = OwnBranch(clone, BRANCH)
    assert not branch.tip().ours
    assert not branch.push(first, first)
    assert git(clone, "rev-parse", "HEAD") == branch.tip().commit


def test_opened_then_kept_then_updated(clone, forge, github):
    head = pushed(clone)
    first = bring(forge, wanted(labels=("mlci", "retraining")))
    assert (first.action, bring(forge, wanted()).action) == ("opened", "kept")
    newer = pushed(clone, "newer\n")
    again = bring(forge, wanted("Still, because."))
    assert (again.action, again.pull.number) == ("updated", first.pull.number)
    (pull,) = github.pulls()
    assert pull["body"].startswith(f"{MARKER}\nStill")
    assert (first.pull.head_sha, pull["head"]["sha"], pull["user"]["login"]) == (head, newer, "github-actions[bot]")
    assert {label["name"] for label in pull["labels"]} == {"mlci", "retraining"}


def test_what_somebody_copied_is_not_ours(clone, forge, github):
    pushed(clone)
    theirs = github.open_pull(BRANCH, "Train again", f"{MARKER}\nBecause.")
    assert own_pulls(forge, BRANCH, MARKER) == ()
    github.close(theirs)
    assert bring(forge, wanted()).action == "opened"


def test_two_at_once_leave_one(clone, github):
    pushed(clone)
    github.fault(method="POST", path="/pulls$", wait=2, times=2)
    done = []

    def run():
        forge = GitHubPulls(github.repository, github.token(permissions=MAY), github.url, Patience(tries=2, pause=0.01))
        done.append(bring(forge, wanted()))
        forge.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len({each.pull.number for each in done}) == 1
    assert [pull["state"] for pull in github.pulls()].count("open") == 1


@pytest.mark.parametrize("drop", ["", "after"])
def test_a_forge_that_was_down_is_made_up_for_by_the_next_run(clone, forge, github, drop):
    pushed(clone)
    given = {"drop": drop} if drop else {"status": 502}
    github.fault(method="POST", path="/pulls$", times=2, **given)
    try:
        bring(forge, wanted())
    except WorldError:
        github.clear_faults()
    assert bring(forge, wanted()).pull.number == github.pulls()[0]["number"]
    assert [pull["state"] for pull in github.pulls()].count("open") == 1


def test_a_token_that_may_not_open_is_told_the_setting(clone, github):
    pushed(clone)
    forge = GitHubPulls(
        github.repository, github.token(permissions={"contents": "write"}), github.url, Patience(tries=1)
    )
    with pytest.raises(NotAllowedError) as raised:
        bring(forge, wanted())
    forge.close()
    assert "Allow GitHub Actions to create" in raised.value.mend


def test_a_pull_request_is_merged_only_at_the_commit_that_was_judged(clone, forge):
    head = pushed(clone)
    pull = bring(forge, wanted()).pull
    assert not forge.merge_pull(pull, "0" * 40)
    assert forge.merge_pull(pull, head)
    (merged,) = own_pulls(forge, BRANCH, MARKER)
    assert (merged.open, merged.merged) == (False, True)
