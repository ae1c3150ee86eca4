"""Publishing while things go wrong: races, lost answers, refusals, wrong calls. What can be told is told."""

import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from forge_proxy import ACTIONS
from publishing import LINE, NEWER, SHA, Job, finding, leave, report

from mlci.edges.github import GitHub
from mlci.flows.publish_run import Asked, run, wanted
from mlci.flows.sticky import Sticky, stick
from mlci.nouns.forge import Patience

QUICK = Patience(tries=4, pause=0.01, limit=0.01, longest=3)


@pytest.fixture
def job(github, tmp_path):
    (tmp_path / "job").mkdir()
    return Job(github, tmp_path / "job")


@pytest.fixture
def left(tmp_path):
    return leave(tmp_path / "left", top=report("pass"))


def published(job, left, **asked):
    """The command without its options, and with less patience than GitHub needs."""
    return run(Asked(wanted(job.root, (), left, ""), patience=QUICK, **asked), job.env)


def test_lost_answer_leaves_no_second_comment(github, job, left):
    number = github.pull("feature", SHA)
    github.fault(method="POST", path="/comments$", drop="after")
    done = published(job.event(number), left)
    assert done.exit_code == 0
    assert len(github.comments(number)) == 1


def test_lost_answer_to_an_edit_is_asked_again(github, job, left):
    number = github.pull("feature", SHA)
    published(job.event(number), left)
    leave(left, top=report("fail"))
    github.fault(method="PATCH", path="/comments/", drop="after")
    assert published(job.event(number), left).exit_code == 1
    [comment] = github.comments(number)
    assert "Blocked" in comment["body"]


@pytest.mark.parametrize("publishers", [2, 4])
@pytest.mark.parametrize(("method", "path"), [("POST", r"/issues/\d+/comments$"), ("GET", r"/issues/\d+/comments$")])
def test_publishers_at_once_leave_one_comment(github, job, left, publishers, method, path):
    number = github.pull("feature", SHA)
    job.event(number)
    github.fault(method=method, path=path, wait=publishers, times=publishers)
    with ThreadPoolExecutor(publishers) as pool:
        done = list(pool.map(lambda _: published(job, left), range(publishers)))
    assert [each.exit_code for each in done] == [0] * publishers
    [comment] = github.comments(number)
    assert comment["body"].startswith(LINE)
    assert {each.posted[0].comment_urls for each in done} == {done[0].posted[0].comment_urls}


def test_pull_requests_at_once_do_not_mix(github, tmp_path):
    shas = [letter * 40 for letter in "1234"]
    numbers = [github.pull(f"feature-{sha[0]}", sha) for sha in shas]

    def one(pair):
        number, sha = pair
        (tmp_path / sha).mkdir()
        own = Job(github, tmp_path / sha)
        return published(own.event(number), leave(tmp_path / sha / "left", top=report("pass", commit=sha)))

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(one, zip(numbers, shas, strict=True)))
    assert all(each.exit_code == 0 for each in done)
    for number, sha in zip(numbers, shas, strict=True):
        [comment] = github.comments(number)
        assert sha[:7] in comment["body"]
        assert [check["conclusion"] for check in github.checks(sha)] == ["success"]


def test_comment_that_somebody_removed_meanwhile_is_written_again(github, job, left):
    number = github.pull("feature", SHA)
    published(job.event(number), left)
    leave(left, top=report("fail"))
    github.fault(method="PATCH", path="/issues/comments/", status=404)
    assert published(job.event(number), left).exit_code == 1
    [comment] = github.comments(number)
    assert "Blocked" in comment["body"]


def test_comment_that_is_always_removed_is_given_up(github, job, left):
    number = github.pull("feature", SHA)
    published(job.event(number), left)
    leave(left, top=report("fail"))
    github.fault(method="PATCH", path="/issues/comments/", status=404, times=99)
    done = published(job.event(number), left)
    assert done.exit_code == 3
    assert "removed as often as it is written" in done.problems[0]


def test_nothing_is_written_once_there_is_a_newer_commit(github):
    number = github.pull("feature", SHA)
    forge = GitHub(github.repository, github.token(), github.url, QUICK)
    stuck = stick(forge, Sticky(number, LINE, lambda _: f"{LINE}\nold news", create=True, current=lambda: False))
    forge.close()
    assert stuck.action == "outdated"
    assert github.writes == []


def test_push_between_looking_and_writing_is_noticed(github, job, left):
    number = github.pull("feature", SHA)
    job.event(number)
    fault = github.fault(method="GET", path=rf"/pulls/{number}$", wait=2)
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(published, job, left)
        while not fault.met.n_waiting and not late.done():
            time.sleep(0.01)
        github.push(number, NEWER)
        fault.met.wait(timeout=60)
        done = late.result()
    assert done.posted[0].comment == {number: "outdated"}
    assert github.comments(number) == []


@pytest.mark.parametrize("allowed", ["statuses", "nothing"])
def test_check_that_is_refused_becomes_a_status_or_a_problem(github, job, left, allowed):
    number = github.pull("feature", SHA)
    permissions = {"pull-requests": "write"} | ({"statuses": "write"} if allowed == "statuses" else {})
    job.env["GITHUB_TOKEN"] = github.token(permissions=permissions)
    done = published(job.event(number), left)
    assert len(github.comments(number)) == 1
    assert github.checks(SHA) == []
    if allowed == "statuses":
        assert (done.exit_code, done.posted[0].check) == (0, "status")
        assert [each["state"] for each in github.statuses(SHA)] == ["success"]
    else:
        assert done.exit_code == 3
        assert "permissions: checks: write" in done.problems[0]


def test_comment_that_is_refused_leaves_the_check(github, job, left):
    number = github.pull("feature", SHA)
    job.env["GITHUB_TOKEN"] = github.token(permissions={"checks": "write"})
    done = published(job.event(number), left)
    assert done.exit_code == 3
    assert "permissions: pull-requests: write" in done.problems[0]
    assert [check["conclusion"] for check in github.checks(SHA)] == ["success"]
    assert job.outputs()["outcome"] == "pass"
    assert job.summary()


def test_forge_that_stays_in_trouble_is_told_with_the_rest(github, job, left):
    number = github.pull("feature", SHA)
    github.fault(path="/comments", status=502, times=99)
    done = published(job.event(number), left)
    assert done.exit_code == 3
    assert "githubstatus" in done.problems[0]
    assert [check["conclusion"] for check in github.checks(SHA)] == ["success"]


def test_check_is_not_done_before_its_last_remark(github, job, left):
    number = github.pull("feature", SHA)
    leave(left, top=report(findings=tuple(finding("fail", check=f"gate.m{place}") for place in range(60))))
    github.fault(method="PATCH", path="/check-runs/", status=500, times=99)
    done = published(job.event(number, conclusion="failure"), left)
    assert done.exit_code == 3
    assert [check["status"] for check in github.checks(SHA)] == ["in_progress"]


def test_rate_limit_is_waited_for(github, job, left):
    number = github.pull("feature", SHA)
    github.fault(method="POST", path="/check-runs", status=429, headers={"Retry-After": "1"})
    github.fault(method="POST", path="/comments", status=403, message="You have exceeded a secondary rate limit.")
    assert published(job.event(number), left).exit_code == 0
    assert len(github.comments(number)) == 1
    assert len(github.checks(SHA)) == 1


def test_app_whose_name_nobody_told_keeps_one_comment(github, job, left):
    number = github.pull("feature", SHA)
    job.env["GITHUB_TOKEN"] = github.token("robot", permissions={"checks": "write", "pull-requests": "write"})
    published(job.event(number), left)
    leave(left, top=report("fail"))
    published(job.event(number), left)
    [comment] = github.comments(number)
    assert (comment["login"], "Blocked" in comment["body"]) == ("robot", True)
    github.comment(number, f"{LINE}\nthe workflow's own", login=ACTIONS)
    leave(left, top=report("pass"))
    done = published(job.event(number), left, author="robot")
    assert done.posted[0].comment == {number: "edited"}
    assert [each["body"] for each in github.comments(number)][1] == f"{LINE}\nthe workflow's own"


@pytest.mark.parametrize("fork", ["", "mallory"])
def test_comment_of_a_vast_report_fits(github, job, left, fork):
    number = github.pull("feature", SHA, fork=fork)
    vast = tuple(finding("fail", check=f"gate.m{place}", title="é@" * 200, message="&" * 3_000) for place in range(250))
    leave(left, top=report(findings=vast, headline="Blocked: " + "漢" * 5_000))
    for _ in range(2):
        done = published(job.event(number, conclusion="failure"), left)
        assert done.exit_code == 1
    [comment] = github.comments(number)
    assert len(comment["body"].encode()) < 65_536
    assert len(github.checks(SHA)[0]["annotations"]) == 200


def test_token_is_in_no_log(github, job, left, caplog):
    caplog.set_level(logging.DEBUG)
    number = github.pull("feature", SHA)
    github.fault(method="POST", path="/comments", status=403, times=99)
    github.fault(method="POST", path="/check-runs", status=500)
    done = published(job.event(number), left)
    assert done.problems
    assert "check-runs" in caplog.text
    assert job.env["GITHUB_TOKEN"] not in caplog.text + "".join(done.problems)


def test_outcome_is_there_for_machines(github, job, left):
    number = github.pull("feature", SHA)
    done = job.event(number).publish("--from", left, "--json")
    told = json.loads(done.stdout)
    assert told["posted"][0]["comment"] == {str(number): "created"}
    assert (told["sha"], told["posted"][0]["check"], told["problems"]) == (SHA, "check", [])


@pytest.mark.parametrize(
    ("arguments", "env", "code", "said"),
    [
        ([], {"GITHUB_TOKEN": ""}, 2, "there is no token in GITHUB_TOKEN or GH_TOKEN"),
        (["--token-env", "NOT_SET"], {}, 2, "there is no token in NOT_SET"),
        ([], {"GITHUB_REPOSITORY": "", "GITHUB_EVENT_PATH": ""}, 2, "which repository"),
        ([], {"GITHUB_EVENT_PATH": ""}, 2, "which commit"),
        (["--event", "reports/report.json"], {}, 2, "which commit"),
        ([], {"GITHUB_REPOSITORY": "a/../../user"}, 2, "never says: repository"),
        ([], {"GITHUB_SERVER_URL": "javascript:alert(1)"}, 2, "never says"),
        (["--repo", "flights"], {}, 2, "OWNER/NAME"),
        (["--sha", "main"], {}, 2, "git rev-parse HEAD"),
        (["--run-url", "javascript:alert(1)"], {}, 2, "--run-url"),
        (["--key", "--> <!--"], {}, 2, "--key"),
        (["--project", "../elsewhere"], {}, 2, "not in the repository"),
        (["--pr", "4711"], {}, 3, "shows nothing where we want to read pull request #4711"),
        (["--event", "missing.json"], {}, 3, "missing.json cannot be read"),
        ([], {"GITHUB_REPOSITORY": "acme/elsewhere"}, 3, "shows nothing where we want to read pull request"),
        (["--token-env", "WRONG"], {"WRONG": "ghp_wrong"}, 3, "does not accept the token"),
        ([], {"GITHUB_OUTPUT": "/missing/folder/output"}, 3, "GITHUB_OUTPUT"),
    ],
    ids=lambda given: " ".join(map(str, given))[:40] if isinstance(given, list | dict) else str(given)[:20],
)
def test_wrong_call_says_what_to_do(github, job, arguments, env, code, said):
    number = github.pull("feature", SHA)
    leave(job.root / "reports", top=report("pass"))
    done = job.event(number, "pull_request").publish(*arguments, **env)
    assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "payload", ["", "[]", "{", '{"workflow_run": {}}', '{"pull_request": {"number": "x"}}', "[" * 9_999]
)
def test_event_that_is_none_of_githubs_is_refused(job, payload):
    (job.root / "event.json").write_text(payload)
    done = job.publish("--event", "event.json")
    assert done.returncode == 3
    assert "is none of GitHub's" in done.stderr


def test_report_that_is_not_there_is_a_run_that_died_in_a_job(github, job):
    number = github.pull("feature", SHA)
    done = job.event(number, "pull_request").publish()
    assert done.returncode == 1
    assert "is not there" in github.comments(number)[0]["body"]
    assert [check["conclusion"] for check in github.checks(SHA)] == ["failure"]


def test_report_that_is_not_there_is_told_to_a_person(github, job):
    number = github.pull("feature", SHA)
    job.env = {"GITHUB_API_URL": github.url, "GH_TOKEN": github.token("robot")}
    done = job.publish("--repo", "acme/flights", "--pr", number)
    assert done.returncode == 3
    assert "reports/report.json is not there" in done.stderr
    assert github.writes == []
