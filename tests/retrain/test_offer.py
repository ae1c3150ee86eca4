"""A challenger that was made is offered: once, in one pull request, whatever goes wrong in between."""

import json
import shutil
import threading

import pytest
from markdown_it import MarkdownIt
from seasons import AUGUST, JULY, MAY, OCTOBER

from mlci.errors import WorldError
from mlci.flows.retrain import offer_made, retrain
from mlci.render.monitor_issue import marker as issue_marker

pytestmark = pytest.mark.slow


@pytest.fixture
def offer(project, better, env, tmp_path):
    """Offer July's challenger, or another folder."""

    def offered(files=better, now=JULY, **given):
        mine = tmp_path / f"{files.parent.name}-{len(list(tmp_path.iterdir()))}"
        shutil.copytree(files, mine)
        return offer_made(project.asked(now, env, **given), mine)

    return offered


def test_one_pull_request_says_why_what_changed_what_it_cost_and_the_verdict(offer, project, github):
    done = offer()
    assert (done.offer, done.exit_code, done.problems) == ("opened", 0, ())
    (pull,) = github.pulls()
    assert pull["title"] == "Train shop again: data.until=2013-06"
    assert pull["head"]["sha"] == project.tip()
    assert {label["name"] for label in pull["labels"]} == {"mlci", "retraining"}
    body = pull["body"]
    for told in (
        "a person asked for it",
        "### What changed",
        "1,500 → 1,500 rows",
        "EUR",
        "Safe: accuracy",
        "1,500 rows that neither",
    ):
        assert told in body
    assert "Safe" in github.comments(pull["number"])[0]["body"]
    assert project.show("retrain/shop", "params.yaml").splitlines()[2] == '  until: "2013-06" # a month'
    assert project.state() == [("data.until=2013-06", "offered", 1)]


def test_the_gate_is_on_its_head_under_the_name_that_a_branch_requires(offer, project, github):
    offer()
    checks = {run["name"]: run["conclusion"] for run in github.checks(project.tip())}
    assert checks == {"mlci": "success", "mlci verdict": "success"}


def test_offering_again_changes_nothing(offer, project, github):
    offer()
    before = github.pulls(), project.tip(), project.state(), len(github.checks(project.tip()))
    assert offer().offer == "kept"
    assert (github.pulls(), project.tip(), project.state(), len(github.checks(project.tip()))) == before


def test_a_worse_challenger_is_refused_says_why_and_is_not_made_again(offer, worse, project, github, env):
    done = offer(worse, OCTOBER)
    assert (done.offer, done.exit_code) == ("refused", 1)
    assert "Blocked: accuracy" in done.headline
    assert (github.pulls(), project.tip()) == ([], "")
    assert project.state() == [("data.until=2013-09", "refused", None)]
    again = retrain(project.asked(OCTOBER, env, by_hand=True))
    assert (again.decision.action, again.decision.held[0].guard) == ("wait", "refused")
    assert "Blocked: accuracy" in again.headline


def test_the_issue_of_an_alarm_is_told_once_what_came_of_it(offer, better, worse, project, github):
    github.open_issue(
        "shop: performance has changed", f"{issue_marker('shop', 'performance')}\n...", "github-actions[bot]"
    )
    github.open_issue("shop: inputs have drifted", f"{issue_marker('shop', 'drift')}\n...", "github-actions[bot]")
    project.alarm("performance")
    offer(worse, OCTOBER)
    (told,) = github.comments(1)
    assert "refused" in told["body"]
    assert "accuracy, all rows" in told["body"]
    offer(better, JULY)
    (told,) = github.comments(1)
    assert "is offered in #3" in told["body"]
    assert github.comments(2) == []


def test_what_a_person_closed_is_not_offered_again(offer, project, github, env):
    offer()
    github.close(1)
    again = retrain(project.asked(JULY, env, by_hand=True))
    assert [each.guard for each in again.decision.held] == ["closed"]
    assert retrain(project.asked(AUGUST, env, by_hand=True, dry_run=True)).decision.action == "open"


@pytest.mark.parametrize(
    ("path", "trouble"),
    [
        ("/pulls$", {"status": 502}),
        ("/pulls$", {"drop": "after"}),
        ("/check-runs$", {"status": 502}),
        ("/comments$", {"status": 502}),
    ],
)
def test_a_forge_that_goes_down_is_made_up_for_by_the_next_run(offer, project, github, path, trouble):
    github.fault(method="POST", path=path, times=2, **trouble)
    try:
        assert offer().problems
    except WorldError:
        assert project.tip()
    github.clear_faults()
    assert offer().problems == ()
    assert [pull["state"] for pull in github.pulls()].count("open") == 1
    assert {run["name"] for run in github.checks(project.tip())} == {"mlci", "mlci verdict"}
    assert len(github.comments(1)) == 1
    assert project.state() == [("data.until=2013-06", "offered", 1)]


def test_a_run_that_ended_before_it_kept_anything_is_known_by_its_pull_request(offer, project, github, env):
    offer()
    project.bare("update-ref", "-d", "refs/mlci/retrain")
    project.git("update-ref", "-d", "refs/mlci/retrain")
    again = retrain(project.asked(JULY, env, by_hand=True))
    assert (again.decision.action, len(github.pulls())) == ("keep", 1)


def test_an_open_pull_request_says_what_asks_for_it_by_now(offer, project, github, env):
    offer()
    head = project.tip()
    project.alarm("performance")
    assert retrain(project.asked(JULY, env)).offer == "updated"
    assert "performance alarm" in github.pulls()[0]["body"]
    assert retrain(project.asked(JULY, env)).offer == "kept"
    project.alarm()
    retrain(project.asked(JULY, env))
    assert "Nothing asks for it any more" in github.pulls()[0]["body"]
    assert (project.tip(), len(github.pulls())) == (head, 1)


def test_an_open_pull_request_says_why_newer_data_is_not_offered_instead(offer, worse, project, github, env):
    offer()
    project.alarm("performance")
    assert offer(worse, OCTOBER).offer == "refused"
    assert retrain(project.asked(OCTOBER, env)).offer == "updated"
    (pull,) = github.pulls()
    (line,) = [each for each in pull["body"].splitlines() if "is not offered instead" in each]
    assert "data.until=2013-09" in line
    assert "was refused on 2013-10-02: Blocked" in line
    assert pull["title"].endswith("data.until=2013-06")


def test_a_branch_that_somebody_pushed_to_is_left_alone(offer, project, env):
    offer()
    project.git("fetch", "-q", "origin", "retrain/shop")
    project.git("switch", "-q", "--detach", "FETCH_HEAD")
    project.git("commit", "-q", "--allow-empty", "-m", "Mine")
    project.git("push", "-q", "origin", "HEAD:refs/heads/retrain/shop")
    project.git("switch", "-q", "main")
    theirs = project.tip()
    again = retrain(project.asked(AUGUST, env, by_hand=True))
    assert [each.guard for each in again.decision.held] == ["foreign branch"]
    with pytest.raises(WorldError, match="somebody else pushed"):
        offer()
    assert project.tip() == theirs


def test_two_that_offer_at_once_leave_one(better, project, github, env, tmp_path):
    github.fault(method="POST", path="/pulls$", wait=2, times=2)
    done = []

    def run(number):
        mine = tmp_path / f"mine-{number}"
        shutil.copytree(better, mine)
        done.append(offer_made(project.asked(JULY, env), mine))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert {each.pull for each in done} == {1}
    assert [pull["state"] for pull in github.pulls()].count("open") == 1
    assert project.state() == [("data.until=2013-06", "offered", 1)]


@pytest.mark.parametrize(("merge", "state"), [("never", "offered"), ("pass", "merged")])
def test_it_is_merged_by_itself_only_where_the_policy_says_so(better, project, github, env, tmp_path, merge, state):
    if merge == "pass":
        project.policy(pull={"merge": "pass"})
    shutil.copytree(better, tmp_path / "mine")
    done = offer_made(project.asked(JULY, env), tmp_path / "mine")
    assert project.state() == [("data.until=2013-06", state, 1)]
    assert done.offer == ("merged" if merge == "pass" else "opened")
    assert (github.pulls()[0]["merged_at"] is not None) == (merge == "pass")


def test_a_challenger_that_did_not_pass_is_never_merged_by_itself(better, project, github, env, tmp_path):
    project.policy(pull={"merge": "pass"})
    shutil.copytree(better, tmp_path / "mine")
    told = json.loads((tmp_path / "mine/challenger.json").read_text()) | {"outcome": "inconclusive"}
    (tmp_path / "mine/challenger.json").write_text(json.dumps(told))
    assert offer_made(project.asked(JULY, env), tmp_path / "mine").offer == "opened"
    conclusions = {run["name"]: run["conclusion"] for run in github.checks(project.tip())}
    assert conclusions["mlci"] == "neutral"


def test_a_commit_that_is_not_the_one_that_was_judged_is_not_pushed(better, project, env, tmp_path):
    shutil.copytree(better, tmp_path / "mine")
    told = json.loads((tmp_path / "mine/challenger.json").read_text()) | {"commit": "0" * 40}
    (tmp_path / "mine/challenger.json").write_text(json.dumps(told))
    with pytest.raises(WorldError, match="not the one that was judged"):
        offer_made(project.asked(JULY, env), tmp_path / "mine")
    assert project.tip() == ""


def test_a_token_that_may_not_write_is_told_what_it_needs(better, project, github, env, tmp_path):
    shutil.copytree(better, tmp_path / "mine")
    given = {**env, "GITHUB_TOKEN": github.token(permissions={**MAY, "pull-requests": "read"})}
    with pytest.raises(WorldError, match="does not let this token") as raised:
        offer_made(project.asked(JULY, given), tmp_path / "mine")
    assert "Allow GitHub Actions to create" in raised.value.mend


def test_hostile_alarms_stay_text(offer, project, github, env):
    offer()
    project.alarm("performance", said="@someone <img src=x onerror=alert(1)> [x](http://evil.example)\n## heading -->")
    retrain(project.asked(JULY, env))
    body = github.pulls()[0]["body"]
    html = MarkdownIt("gfm-like", {"html": True}).render(body)
    for sign in ("<img", 'evil.example">', "<h2", "@someone "):
        assert sign not in html
