"""The emulated GitHub behaves as GitHub does where our client depends on it."""

import requests

SHA, NEWER = "a" * 40, "b" * 40


def ask(github, token, method, path, given=None):
    """Status and answer of the API, as a client sees them."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.request(method, github.url + path, json=given, headers=headers, timeout=30)
    return answer.status_code, answer.json() if answer.content else None


def test_real_commits_are_the_heads_of_pull_requests(github):
    number = github.pull("feature", SHA, fork="mallory")
    token = github.token()
    _, listed = ask(github, token, "GET", "/repos/acme/flights/pulls?head=mallory:feature&state=open")
    assert [(one["number"], one["head"]["sha"]) for one in listed] == [(number, SHA)]
    github.push(number, NEWER)
    _, one = ask(github, token, "GET", f"/repos/acme/flights/pulls/{number}")
    assert one["head"]["sha"] == NEWER
    assert github.event(number)["workflow_run"]["pull_requests"] == []


def test_check_runs_gather_annotations_as_on_github(github):
    github.pull("feature", SHA)
    token = github.token()
    note = {"path": "params.yaml", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "no"}
    given = {"name": "mlci", "head_sha": SHA, "output": {"title": "t", "summary": "s", "annotations": [note]}}
    _, run = ask(github, token, "POST", "/repos/acme/flights/check-runs", given)
    more = {"output": {"title": "t", "summary": "s", "annotations": [note]}}
    ask(github, token, "PATCH", f"/repos/acme/flights/check-runs/{run['id']}", more)
    [shown] = github.checks(SHA)
    assert len(shown["annotations"]) == 2
    status, told = ask(github, token, "GET", f"/repos/acme/flights/check-runs/{run['id']}/annotations")
    assert status == 200
    assert len(told) == 2


def test_statuses_are_kept(github):
    github.pull("feature", SHA)
    given = {"state": "success", "context": "mlci", "description": "held"}
    assert ask(github, github.token("robot"), "POST", f"/repos/acme/flights/statuses/{SHA}", given)[0] == 201
    assert [one["state"] for one in github.statuses(SHA)] == ["success"]


def test_tokens_may_do_what_github_lets_them(github):
    number = github.pull("feature", SHA)
    comments = f"/repos/acme/flights/issues/{number}/comments"
    check = {"name": "mlci", "head_sha": SHA}
    assert ask(github, "nobody's", "GET", comments)[0] == 401
    assert ask(github, github.token(permissions={}), "POST", comments, {"body": "hello"})[0] == 403
    assert ask(github, github.token(permissions={}), "GET", comments) == (200, [])
    assert ask(github, github.token(), "GET", "/user")[0] == 403
    assert ask(github, github.token("robot"), "GET", "/user")[1]["login"] == "robot"
    assert ask(github, github.token("robot"), "POST", "/repos/acme/flights/check-runs", check)[0] == 403
    assert ask(github, github.token(), "POST", comments, {"body": "x" * 65_537})[0] == 422
    assert ask(github, github.token(), "POST", comments, {"body": "x" * 65_536})[0] == 201
    assert [one["login"] for one in github.comments(number)] == ["github-actions[bot]"]


def test_faults_happen_as_often_as_they_should(github):
    number = github.pull("feature", SHA)
    token, comments = github.token(), f"/repos/acme/flights/issues/{number}/comments"
    github.fault(status=429, method="POST", headers={"Retry-After": "1"})
    assert ask(github, token, "POST", comments, {"body": "hello"})[0] == 429
    assert ask(github, token, "POST", comments, {"body": "hello"})[0] == 201
    assert [one.injected for one in github.exchanges] == [True, False]


def test_exchanges_are_checked_against_githubs_description(emulator, github):
    number = github.pull("feature", SHA)
    ask(github, github.token(), "POST", f"/repos/acme/flights/issues/{number}/comments", {"text": "hello"})
    assert "'body' is a required property" in github.problems[0]
    emulator.proxy.shown.problems.clear()
