"""Pull requests, as GitHub would run them: both halves under a real runner, against Git and an emulated GitHub."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from pulls import comments, conclusions, edited, ledger, opened, report_of, stored

pytestmark = [pytest.mark.slow]


def test_a_pull_request_that_holds(loop):
    pull = opened(loop, "more-steps")
    measured, reported = loop.both(pull)
    assert measured.outcome == "success", measured.story
    assert measured.outputs["outcome"] == "held"
    assert report_of(loop, measured)["verdict"]["commit"] == pull.head
    assert reported.outcome == "success", reported.story
    assert "accuracy" in reported.summary
    (comment,) = comments(loop, pull)
    assert "accuracy" in comment
    assert conclusions(loop, pull) == ["success"]
    assert loop.refs() == ["refs/mlci/ledger"], reported.story


def test_a_pull_request_that_is_worse_is_stopped(loop):
    pull = opened(loop, "cap-ages")
    measured, reported = loop.both(pull)
    assert measured.outcome == "failure", measured.story
    assert measured.outputs["outcome"] == "failed"
    assert reported.outcome == "success", reported.story
    (comment,) = comments(loop, pull)
    assert "over 50s" in comment
    assert conclusions(loop, pull) == ["failure"]


GREEDY = """\
      - name: Try to write
        if: always()
        env:
          GITHUB_TOKEN: ${{ github.token }}
        run: |
          git config credential.helper '!f() { echo username=x; echo "password=$GITHUB_TOKEN"; }; f'
          ! git push origin HEAD:refs/heads/mine
          ! git push origin HEAD:refs/mlci/ledger
"""
"""A step that somebody may put into the workflow file of their own fork."""


def test_a_forks_pull_request_writes_nothing_until_the_trusted_half_posts(loop):
    file = ".github/workflows/pr.yml"
    edited(loop, "from-outside", (file, "contents: read", "contents: write"), start="more-steps")
    loop.project.write(file, (loop.project.root / file).read_text() + GREEDY)
    loop.project.commit("Take all")
    pull = opened(loop, "from-outside", fork=True)
    measured = loop.measure(pull)
    assert measured.outcome == "success", measured.story
    assert measured.steps["Try to write"] == "success"
    assert len(loop.host.refused) == 2
    assert loop.refs() == loop.refs("mallory/flights")
    assert loop.github.writes == []
    assert comments(loop, pull) == []
    reported = loop.report(pull, measured)
    assert reported.outcome == "success", reported.story
    assert len(comments(loop, pull)) == 1
    assert conclusions(loop, pull) == ["success"]


def test_a_second_push_edits_the_comment(loop):
    pull = opened(loop, "cap-ages")
    loop.both(pull)
    loop.project.git("switch", "--quiet", "no-cap")
    loop.push(pull)
    loop.both(pull)
    (comment,) = comments(loop, pull)
    assert [item["login"] for item in loop.github.comments(pull.number)] == ["github-actions[bot]"]
    now, earlier = comment.split("<summary>Earlier verdict</summary>")
    assert "Safe" in now
    assert "blocked" in earlier
    assert conclusions(loop, pull) == ["success"]


def test_a_crash_overwrites_the_green_of_before(loop):
    pull = opened(loop, "more-steps")
    loop.both(pull)
    (green,) = comments(loop, pull)
    edited(loop, "crash", ("models/train.py", "import csv\n", "import csv\n\nraise MemoryError\n"), start="more-steps")
    loop.push(pull)
    measured, _ = loop.both(pull)
    assert measured.outcome == "failure"
    (comment,) = comments(loop, pull)
    assert comment.splitlines()[:3] != green.splitlines()[:3]
    assert "train" in comment
    assert conclusions(loop, pull) == ["failure"]


def test_a_run_that_left_nothing_overwrites_the_green_of_before(loop):
    pull = opened(loop, "more-steps")
    measured, _ = loop.both(pull)
    measured.id = 777  # the machine was lost: there is no artefact of this run
    reported = loop.report(pull, measured, conclusion="failure")
    assert reported.steps["Download what the pull request's run left"] == "failure"
    assert reported.outcome == "success", reported.story
    assert conclusions(loop, pull)[-1] == "failure"
    (comment,) = comments(loop, pull)
    assert "accuracy" not in comment.splitlines()[0]


def test_a_change_of_the_documents_is_answered_without_the_pipeline(loop):
    edited(loop, "words", ("README.md", "Who buys?", "Who will buy?"))
    pull = opened(loop, "words")
    measured, reported = loop.both(pull)
    assert measured.outcome == "success", measured.story
    assert reported.outcome == "success", reported.story
    assert "Install the project's packages and mlci" not in measured.steps
    assert comments(loop, pull) == []
    assert conclusions(loop, pull) == ["success"]


def test_two_pull_requests_at_once_do_not_meet(loop):
    pulls = opened(loop, "more-steps"), opened(loop, "cap-ages")
    with ThreadPoolExecutor() as machines:
        both = list(machines.map(loop.both, pulls))
    assert [reported.outcome for _, reported in both] == ["success"] * 2, [reported.story for _, reported in both]
    assert [conclusions(loop, pull) for pull in pulls] == [["success"], ["failure"]]
    for pull, other in (pulls, reversed(pulls)):
        (comment,) = comments(loop, pull)
        assert pull.head[:7] in comment
        assert other.head[:7] not in comment
    # Each counted its use of the test set, and neither lost the other's.
    assert all(pull.head in ledger(loop) for pull in pulls)


def test_a_first_run_has_no_baseline_and_is_no_error(loop):
    # The default branch holds the workflows and the policy, and no model yet.
    loop.project.git("switch", "--quiet", "--create", "empty")
    loop.project.git("rm", "--quiet", "dvc.lock", "dvc.yaml", "reports/data.json")
    before = loop.project.commit("No model yet")
    loop.project.git("push", "--quiet", "--force", str(loop.bare), "HEAD:refs/heads/main")
    loop.project.git("revert", "--no-edit", before)
    pull = loop.open("first")
    measured, reported = loop.both(pull)
    assert measured.outcome == "success", measured.story
    assert reported.outcome == "success", reported.story
    assert "First run" in comments(loop, pull)[0]


def test_what_was_merged_is_pushed_and_recorded(loop):
    before = loop.project.git("rev-parse", "main")
    edited(loop, "other-steps", ("params.yaml", "steps: 40", "steps: 43"))
    loop.project.call("dvc", "repro", "--quiet")
    after = loop.project.commit("The model of it, which nobody pushed")
    made = set(stored(loop))
    run = loop.merge(before)
    assert "data was not pushed: models/model.json" in run.story
    assert run.outcome == "failure"
    assert run.steps["Push data and models to DVC's remote"] == "success", run.story
    assert len(set(stored(loop)) - made) >= 2  # the model and its predictions
    assert loop.refs() == ["refs/mlci/ledger"]
    assert after in ledger(loop)
    assert not loop.host.refused
    assert loop.merge(before).outcome == "success"


def test_words_that_were_merged_push_and_record_nothing(loop):
    before = loop.project.git("rev-parse", "main")
    edited(loop, "words", ("README.md", "Who buys?", "Who will buy?"))
    run = loop.merge(before)
    assert run.outcome == "success", run.story
    assert run.outputs["changed"] == "false"
    assert "Push data and models to DVC's remote" not in run.steps
    assert loop.refs() == []
