"""What a pull request sees: one comment that stays, a check on its head, a summary, outputs."""

import subprocess

import pytest
from forge_proxy import ACTIONS
from publishing import LINE, NEWER, OLDER, SHA, Job, finding, leave, report, untouched

from mlci.render.history import earlier_verdicts


@pytest.fixture
def job(github, tmp_path):
    (tmp_path / "job").mkdir()
    return Job(github, tmp_path / "job")


@pytest.fixture
def left(tmp_path):
    return tmp_path / "left"


@pytest.mark.parametrize("fork", ["", "mallory"])
@pytest.mark.parametrize(
    ("outcomes", "conclusion", "code"),
    [(["pass"], "success", 0), (["pass", "fail"], "failure", 1), (["pass", "inconclusive"], "neutral", 0)],
)
def test_verdict_is_told_once(github, job, left, fork, outcomes, conclusion, code):
    number = github.pull("feature", SHA, fork=fork)
    told = report(*outcomes)
    ended = "failure" if code else "success"
    done = job.event(number, conclusion=ended).publish("--from", leave(left, top=told))
    assert done.returncode == code, done.stderr
    [comment] = github.comments(number)
    assert comment["login"] == ACTIONS
    assert comment["body"].startswith(f"{LINE}\n<!-- mlci-verdicts:")
    assert told.verdict.headline.partition(":")[0] in comment["body"]
    assert ("from a fork" in comment["body"]) == bool(fork)
    [check] = github.checks(SHA)
    assert (check["name"], check["conclusion"], check["output"]["title"]) == (
        "mlci verdict",
        conclusion,
        told.verdict.headline,
    )
    assert check["details_url"] == "https://github.com/acme/flights/actions/runs/1"
    remarks = [(each["path"], each["start_line"], each["annotation_level"]) for each in check["annotations"]]
    assert remarks == [("params.yaml", 7, "failure" if code else "warning")] * (len(outcomes) - 1)
    outputs = job.outputs()
    assert outputs["outcome"] == told.verdict.outcome
    assert outputs["pull-request"] == str(number)
    assert outputs["sha"] == SHA
    assert outputs["comment-url"].endswith(f"#issuecomment-{comment['id']}")
    assert outputs["check-url"] == check["html_url"]
    assert told.verdict.headline.partition(":")[0] in job.summary()
    assert "<!--" not in job.summary()


def test_second_push_edits_the_same_comment_and_folds_the_first_verdict(github, job, left):
    number = github.pull("feature", SHA)
    job.event(number).publish("--from", leave(left, top=report("fail")))
    [first] = github.comments(number)
    github.push(number, NEWER)
    job.event(number).publish("--from", leave(left, top=report("pass", commit=NEWER)))
    [second] = github.comments(number)
    assert second["id"] == first["id"]
    assert [(each.commit, each.outcome) for each in earlier_verdicts(second["body"])] == [
        (NEWER, "pass"),
        (SHA, "fail"),
    ]
    assert "Earlier verdict" in second["body"]
    assert [check["conclusion"] for check in github.checks(SHA) + github.checks(NEWER)] == ["failure", "success"]


def test_same_verdict_again_writes_nothing(github, job, left):
    number = github.pull("feature", SHA)
    job.event(number).publish("--from", leave(left, top=report("pass")))
    wrote = len(github.writes)
    done = job.event(number).publish("--from", left)
    assert done.returncode == 0
    assert len(github.writes) == wrote
    assert "as it was" in done.stdout


def test_report_of_another_commit_is_named_and_not_green(github, job, left):
    number = github.pull("feature", SHA)
    done = job.event(number).publish("--from", leave(left, top=report("pass", commit=OLDER)))
    assert done.returncode == 1
    [comment] = github.comments(number)
    assert "cccccccccc" in comment["body"].replace("<wbr>", "").replace("&#8203;", "") or "speaks of" in comment["body"]
    assert "✅" not in comment["body"]
    assert [check["conclusion"] for check in github.checks(SHA)] == ["failure"]


@pytest.mark.parametrize("ended", ["failure", "cancelled", "timed_out", "startup_failure"])
def test_crash_overwrites_an_old_green(github, job, left, tmp_path, ended):
    number = github.pull("feature", SHA)
    job.event(number).publish("--from", leave(left, top=report("pass")))
    github.push(number, NEWER)
    done = job.event(number, conclusion=ended).publish("--from", tmp_path / "nothing")
    assert done.returncode == 1
    [comment] = github.comments(number)
    assert "The run died" in comment["body"]
    assert "withdrawn" in comment["body"]
    assert ended.replace("_", "&#95;") in comment["body"]
    [check] = github.checks(NEWER)
    assert (check["conclusion"], job.outputs()["outcome"]) == ("failure", "crashed")


def test_green_report_of_a_run_that_failed_is_not_green(github, job, left):
    number = github.pull("feature", SHA)
    done = job.event(number, conclusion="failure").publish("--from", leave(left, top=report("pass")))
    assert done.returncode == 1
    assert "although its report names nothing that blocks" in github.comments(number)[0]["body"]
    assert [check["conclusion"] for check in github.checks(SHA)] == ["failure"]


def test_crash_on_the_same_commit_takes_the_green_check_away(github, job, left, tmp_path):
    number = github.pull("feature", SHA)
    job.event(number).publish("--from", leave(left, top=report("pass")))
    job.event(number, conclusion="failure").publish("--from", tmp_path / "nothing")
    assert [check["conclusion"] for check in github.checks(SHA)] == ["success", "failure"]


def test_nothing_touched_needs_no_comment(github, job, left):
    number = github.pull("docs", SHA)
    done = job.event(number).publish("--from", leave(left, top=untouched()))
    assert done.returncode == 0
    assert github.comments(number) == []
    [check] = github.checks(SHA)
    assert check["conclusion"] == "success"
    assert "nothing to judge" in check["output"]["title"]
    assert job.outputs()["outcome"] == "unchanged"


def test_nothing_touched_any_more_shrinks_the_comment(github, job, left):
    number = github.pull("feature", SHA)
    job.event(number).publish("--from", leave(left, top=report("fail")))
    github.push(number, NEWER)
    job.event(number).publish("--from", leave(left, top=untouched(NEWER)))
    [comment] = github.comments(number)
    assert "nothing to judge" in comment["body"]
    assert "Earlier verdict" in comment["body"]


def test_late_publisher_of_an_older_commit_leaves_the_newer_verdict(github, job, left, tmp_path):
    number = github.pull("feature", SHA)
    late = job.event(number)
    payload = (late.root / "event.json").read_text()
    github.push(number, NEWER)
    job.event(number).publish("--from", leave(left, top=report("pass", commit=NEWER)))
    [before] = github.comments(number)
    (late.root / "event.json").write_text(payload)
    done = late.publish("--from", leave(tmp_path / "old", top=report("fail")))
    assert done.returncode == 1
    assert github.comments(number) == [before]
    assert [check["conclusion"] for check in github.checks(SHA)] == ["failure"]
    assert [check["conclusion"] for check in github.checks(NEWER)] == ["success"]
    assert "newer commit" in done.stdout


def test_comments_of_others_are_never_touched(github, job, left):
    number = github.pull("feature", SHA)
    spoof = f"{LINE}\nAll is well, says somebody else"
    quoted = f"> {LINE}\n> see above"
    github.comment(number, spoof, login="mallory")
    github.comment(number, quoted, login=ACTIONS)
    job.event(number).publish("--from", leave(left, top=report("fail")))
    bodies = [comment["body"] for comment in github.comments(number)]
    assert bodies[:2] == [spoof, quoted]
    assert len(bodies) == 3


def test_comment_behind_many_others_is_found(github, job, left):
    number = github.pull("feature", SHA)
    for place in range(105):
        github.comment(number, f"talk {place}")
    job.event(number).publish("--from", leave(left, top=report("fail")))
    job.event(number).publish("--from", leave(left, top=report("pass")))
    own = [body for path, body in ((one.path, one.asked) for one in github.exchanges) if body and "body" in body]
    assert len(own) == 2
    writes = [method for method, path in github.writes if "/comments" in path]
    assert writes == ["POST", "PATCH"]


def test_duplicates_of_our_own_are_removed(github, job, left):
    number = github.pull("feature", SHA)
    for _ in range(3):
        github.comment(number, f"{LINE}\nan old one", login=ACTIONS)
    oldest = github.comments(number)[0]["id"]
    job.event(number).publish("--from", leave(left, top=report("pass")))
    [comment] = github.comments(number)
    assert comment["id"] == oldest


def test_two_pull_requests_of_a_branch_are_both_told(github, job, left):
    one = github.pull("feature", SHA)
    two = github.pull("feature", SHA)
    done = job.event(one).publish("--from", leave(left, top=report("pass")))
    assert done.returncode == 0
    assert [len(github.comments(number)) for number in (one, two)] == [1, 1]
    assert len(github.checks(SHA)) == 1


def test_closed_pull_request_is_left_alone(github, job, left):
    number = github.pull("feature", SHA)
    job.event(number)
    github.close(number)
    done = job.publish("--from", leave(left, top=report("pass")))
    assert done.returncode == 0
    assert github.comments(number) == []
    assert len(github.checks(SHA)) == 1


@pytest.mark.parametrize("ended", ["action_required", "skipped", "stale"])
def test_run_that_waits_for_approval_says_nothing(github, job, tmp_path, ended):
    number = github.pull("feature", SHA, fork="mallory")
    done = job.event(number, conclusion=ended).publish("--from", tmp_path / "nothing")
    assert done.returncode == 0
    assert github.writes == []


def test_pull_request_event_of_the_same_repository_posts_by_itself(github, job):
    number = github.pull("feature", SHA)
    leave(job.root / "reports", top=report("fail"))
    done = job.event(number, "pull_request").publish()
    assert done.returncode == 1
    assert len(github.comments(number)) == 1
    [check] = github.checks(SHA)
    assert check["details_url"] == "https://github.com/acme/flights/actions/runs/99"


def test_read_only_token_writes_nothing_and_says_what_to_do(github, job):
    number = github.pull("feature", SHA, fork="mallory")
    leave(job.root / "reports", top=report("pass"))
    job.env["GITHUB_TOKEN"] = github.token(permissions={})
    done = job.event(number, "pull_request").publish()
    assert done.returncode == 3
    assert "workflow_run" in done.stdout
    assert github.comments(number) == []
    assert github.checks(SHA) == []
    assert github.statuses(SHA) == []
    assert job.env["GITHUB_TOKEN"] not in done.stdout + done.stderr


def test_personal_token_shows_a_status_where_a_check_is_not_allowed(github, job):
    number = github.pull("feature", SHA)
    leave(job.root / "reports", top=report("fail"))
    job.env["MY_TOKEN"] = github.token("robot")
    done = job.event(number, "pull_request").publish("--token-env", "MY_TOKEN")
    assert done.returncode == 1
    assert github.checks(SHA) == []
    assert [(each["context"], each["state"]) for each in github.statuses(SHA)] == [("mlci verdict", "failure")]
    assert [comment["login"] for comment in github.comments(number)] == ["robot"]


def test_laptop_names_repository_and_pull_request(github, job):
    number = github.pull("feature", SHA)
    leave(job.root / "reports", top=report("pass"))
    job.env = {"GITHUB_API_URL": github.url, "GH_TOKEN": github.token("robot")}
    done = job.publish("--repo", "acme/flights", "--pr", number)
    assert done.returncode == 0, done.stderr
    assert len(github.comments(number)) == 1


def test_commit_without_a_pull_request_has_a_check(github, job):
    github.pull("feature", SHA)
    leave(job.root / "reports", top=report("pass"))
    done = job.publish(GITHUB_SHA=SHA, GITHUB_EVENT_NAME="push")
    assert done.returncode == 0
    assert [check["conclusion"] for check in github.checks(SHA)] == ["success"]


def test_preview_prints_the_bytes_of_the_comment(github, job, left):
    number = github.pull("feature", SHA)
    job.event(number).publish("--from", leave(left, top=report("fail")))
    github.push(number, NEWER)
    job.event(number)
    leave(left, top=report("pass", commit=NEWER))
    wrote = len(github.writes)
    shown = job.publish("--from", left, "--preview")
    assert len(github.writes) == wrote
    job.publish("--from", left)
    assert shown.stdout == github.comments(number)[0]["body"]
    assert shown.returncode == 0


def test_preview_needs_no_forge(github, job):
    leave(job.root / "reports", top=report("pass"))
    job.env = {}
    shown = job.publish("--preview")
    assert shown.returncode == 0
    assert shown.stdout.startswith(LINE)
    assert github.exchanges == ()


def test_every_project_has_its_own_comment_and_check(github, job, left):
    number = github.pull("feature", SHA)
    found = finding("fail", place=3)
    leave(left, **{"models/churn": report("pass", project="churn"), "flights": report(findings=(found,))})
    done = job.event(number, conclusion="failure").publish("--from", left)
    assert done.returncode == 1
    comments = github.comments(number)
    assert [comment["body"].splitlines()[0] for comment in comments] == [
        "<!-- mlci:./flights -->",
        "<!-- mlci:./models/churn -->",
    ]
    heads = [comment["body"].splitlines()[2] for comment in comments]
    assert "<code>flights</code> **" in heads[0]
    assert f"gh pr checkout {number}\ncd flights\n" in comments[0]["body"]
    assert "<code>models/churn</code> **" in heads[1]
    checks = {check["name"]: check for check in github.checks(SHA)}
    assert {name: check["conclusion"] for name, check in checks.items()} == {
        "mlci verdict / flights": "failure",
        "mlci verdict / models/churn": "success",
    }
    assert checks["mlci verdict / flights"]["annotations"][0]["path"] == "flights/params.yaml"
    assert "/blob/" + SHA + "/flights/params.yaml#L3" in comments[0]["body"]


def test_project_that_left_nothing_loses_its_green(github, job, left, tmp_path):
    number = github.pull("feature", SHA)
    job.event(number).publish("--from", leave(left, churn=report("pass"), flights=report("pass")))
    github.push(number, NEWER)
    after = leave(tmp_path / "after", flights=report("fail", commit=NEWER))
    job.event(number, conclusion="failure").publish("--from", after)
    bodies = {comment["body"].splitlines()[0]: comment["body"] for comment in github.comments(number)}
    assert "The run died" in bodies["<!-- mlci:./churn -->"]
    assert "Blocked" in bodies["<!-- mlci:./flights -->"]
    assert {check["name"]: check["conclusion"] for check in github.checks(NEWER)} == {
        "mlci verdict / flights": "failure",
        "mlci verdict / churn": "failure",
    }


def test_projects_that_are_named_must_leave_a_report(github, job, left):
    number = github.pull("feature", SHA)
    leave(left, churn=report("pass"))
    done = job.event(number, conclusion="failure").publish("--from", left, "-C", "churn", "-C", "./flights/")
    assert done.returncode == 1
    assert {check["name"]: check["conclusion"] for check in github.checks(SHA)} == {
        "mlci verdict / churn": "success",
        "mlci verdict / flights": "failure",
    }


def test_keys_tell_comments_of_one_project_apart(github, job, left):
    number = github.pull("feature", SHA)
    leave(left, top=report("pass"))
    for key in ("small", "large", "small"):
        job.event(number).publish("--from", left, "--key", key)
    assert [comment["body"].splitlines()[0] for comment in github.comments(number)] == [
        "<!-- mlci:./ small -->",
        "<!-- mlci:./ large -->",
    ]
    assert [check["name"] for check in github.checks(SHA)] == ["mlci verdict (small)", "mlci verdict (large)"]


def test_many_remarks_arrive_fifty_at_a_time(github, job, left):
    number = github.pull("feature", SHA)
    many = tuple(finding("fail", place=place, check=f"gate.m{place}") for place in range(1, 121))
    job.event(number, conclusion="failure").publish("--from", leave(left, top=report(findings=many)))
    [check] = github.checks(SHA)
    assert len(check["annotations"]) == 120
    sent = [
        len(one.asked["output"]["annotations"])
        for one in github.exchanges
        if one.path.endswith("check-runs") and one.asked
    ]
    assert sent == [50]


def test_crash_of_several_projects_is_told_for_each_that_the_default_branch_has(github, job, left):
    number = github.pull("feature", SHA)
    subprocess.run(["git", "init", "-q", job.root], check=True)
    for name in ("churn", "models/flights"):
        (job.root / name).mkdir(parents=True)
        (job.root / name / "params.yaml").write_text(f"mlci: {{model: {{name: {name[-7:]}, label: y, id: id}}}}\n")
        subprocess.run(["git", "-C", job.root, "add", name], check=True)
    done = job.event(number, conclusion="failure").publish("--from", left)
    assert done.returncode == 1
    assert sorted(check["name"] for check in github.checks(SHA)) == [
        "mlci verdict / churn",
        "mlci verdict / models/flights",
    ]
    assert ["The run died" in comment["body"] for comment in github.comments(number)] == [True, True]
