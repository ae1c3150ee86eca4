"""The client of GitHub, against the emulator: what it does, what it forgives, and how it says what it can't."""

import contextlib
import traceback

import pytest

from mlci.edges.forge import GoneError, NotAllowedError
from mlci.edges.github import ACTIONS, GitHub
from mlci.errors import WorldError
from mlci.nouns.comment import Annotation
from mlci.nouns.forge import Check, Patience

SHA, NEWER = "a" * 40, "b" * 40
QUICK = Patience(tries=4, pause=0.01, limit=0.01, longest=2)


@pytest.fixture
def client():
    """Makes clients, and closes them."""
    made = []

    def make(github, token=None, **given):
        made.append(GitHub(github.repository, token or github.token(), github.url, QUICK, **given))
        return made[-1]

    yield make
    for each in made:
        each.close()


def check(annotations=0, **given):
    remarks = tuple(
        Annotation(path="params.yaml", start_line=1 + place, level="failure", title=f"t{place}", message="m")
        for place in range(annotations)
    )
    told = {"name": "mlci", "sha": SHA, "key": "mlci:.", "conclusion": "failure", "title": "Blocked", "summary": "why"}
    return Check(**told | {"annotations": remarks} | given)


def test_pull_request_is_read_as_it_is_now(client, github):
    number = github.pull("feature", SHA, fork="mallory")
    github.push(number, NEWER)
    pull = client(github).pull(number)
    assert (pull.number, pull.head_sha, pull.head_branch, pull.head_repository, pull.open) == (
        number,
        NEWER,
        "feature",
        "mallory/flights",
        True,
    )
    github.close(number)
    assert not client(github).pull(number).open


def test_pull_requests_of_a_branch_are_those_of_that_repository(client, github):
    here, theirs = github.pull("feature", SHA), github.pull("feature", SHA, fork="mallory")
    other = github.pull("other", SHA)
    ours = client(github)
    assert [pull.number for pull in ours.pulls_from("acme/flights", "feature")] == [here]
    assert [pull.number for pull in ours.pulls_from("mallory/flights", "feature")] == [theirs]
    assert [pull.number for pull in ours.pulls_from("acme/flights", "other")] == [other]
    assert ours.pulls_from("mallory/elsewhere", "feature") == ()
    github.close(here)
    assert ours.pulls_from("acme/flights", "feature") == ()


def test_branch_with_odd_letters_is_looked_up(client, github):
    number = github.pull("a&state=all#?é/ü", SHA)
    assert [pull.number for pull in client(github).pulls_from("acme/flights", "a&state=all#?é/ü")] == [number]


def test_comments_come_with_all_pages(client, github):
    number = github.pull("feature", SHA)
    for place in range(205):
        github.comment(number, f"comment {place}")
    found = client(github).comments(number)
    assert [comment.body for comment in found] == [f"comment {place}" for place in range(205)]
    assert {comment.author for comment in found} == {"someone"}


def test_comment_is_written_edited_and_removed(client, github):
    number, ours = github.pull("feature", SHA), client(github)
    made = ours.add_comment(number, "one")
    assert made.author == ACTIONS == ours.author
    assert ours.edit_comment(number, made.id, "two").body == "two"
    assert [comment["body"] for comment in github.comments(number)] == ["two"]
    ours.remove_comment(number, made.id)
    ours.remove_comment(number, made.id)
    assert github.comments(number) == []


@pytest.mark.parametrize("count", [0, 1, 50, 51, 120])
def test_check_holds_all_annotations_and_is_done_with_the_last(client, github, count):
    github.pull("feature", SHA)
    shown = client(github).add_check(check(count))
    [run] = github.checks(SHA)
    assert (run["status"], run["conclusion"], run["output"]["title"]) == ("completed", "failure", "Blocked")
    assert [note["start_line"] for note in run["annotations"]] == list(range(1, count + 1))
    assert shown.done
    asked = [one.asked for one in github.exchanges if one.method != "GET"]
    assert all(one.get("status") == "in_progress" or "conclusion" in one or one is not asked[0] for one in asked)
    assert [one.get("conclusion") for one in asked] == [None] * (len(asked) - 1) + ["failure"]


def test_newest_check_with_our_key_is_found(client, github):
    github.pull("feature", SHA)
    ours = client(github)
    assert ours.shown_check(check()) is None
    ours.add_check(check(key="a job's"))
    assert ours.shown_check(check()) is None
    ours.add_check(check())
    newest = ours.add_check(check(title="Held", conclusion="success"))
    found = ours.shown_check(check())
    assert found is not None
    assert (found.id, found.title, found.conclusion) == (newest.id, "Held", "success")


@pytest.mark.parametrize(
    ("conclusion", "state"), [("success", "success"), ("failure", "failure"), ("neutral", "success")]
)
def test_status_is_set_in_one_line(client, github, conclusion, state):
    github.pull("feature", SHA)
    client(github, github.token("robot")).set_status(SHA, "mlci", conclusion, "x" * 200, "https://github.com/run")
    [told] = github.statuses(SHA)
    assert (told["state"], told["context"], told["target_url"]) == (state, "mlci", "https://github.com/run")
    assert len(told["description"]) == 140


def test_author_is_whose_token_it_is(client, github):
    assert client(github, github.token("robot")).author == "robot"
    assert client(github).author == ACTIONS
    assert not github.exchanges[1:]  # an installation's token is known by its first letters
    assert client(github, author="gate-keeper[bot]").author == "gate-keeper[bot]"


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "headers": {"Retry-After": "1"}},
        {"status": 429},
        {"status": 403, "headers": {"Retry-After": "1"}, "message": "Forbidden"},
        {"status": 403, "message": "You have exceeded a secondary rate limit. Please wait a few minutes."},
        {"status": 403, "message": "API rate limit exceeded for installation ID 1."},
        {"status": 500},
        {"status": 502, "body": b"<html>Bad gateway</html>"},
        {"status": 503, "headers": {"Retry-After": "1"}},
        {"drop": "before"},
    ],
    ids=lambda fault: "-".join(str(value)[:30] for value in fault.values()),
)
def test_trouble_that_passes_is_waited_for(client, github, fault):
    number = github.pull("feature", SHA)
    ours = client(github)
    made = ours.add_comment(number, "one")
    slow = "headers" in fault
    methods = ("POST",) if slow else ("GET", "POST", "PATCH", "DELETE")
    seen = [github.fault(method=method, times=1 if slow else 3, **fault) for method in methods]
    assert len(ours.comments(number)) == 1
    ours.edit_comment(number, made.id, "two")
    ours.add_comment(number, "three")
    ours.remove_comment(number, made.id)
    assert [comment["body"] for comment in github.comments(number)] == ["three"]
    assert not any(fault.times for fault in seen)


@pytest.mark.parametrize(
    ("fault", "kind", "problem", "mend"),
    [
        ({"status": 401}, NotAllowedError, "does not accept the token", "--token-env"),
        ({"status": 403}, NotAllowedError, "does not let this token comment on #", "permissions: pull-requests: write"),
        ({"status": 404}, GoneError, "shows nothing", "names of the repository"),
        ({"status": 410, "message": "Gone"}, GoneError, "shows nothing", "names of the repository"),
        ({"status": 422}, WorldError, "refuses to comment on #", "see what it names"),
        ({"status": 429}, WorldError, "rate limit", "run it again"),
        ({"status": 429, "headers": {"Retry-After": "3600"}}, WorldError, "rate limit", "in 3600 seconds"),
        (
            {"status": 403, "message": "API rate limit exceeded", "headers": {"X-RateLimit-Reset": "33333333333"}},
            WorldError,
            "rate limit",
            "run it again after",
        ),
        ({"status": 500}, WorldError, "in trouble (500)", "githubstatus"),
        ({"status": 502, "body": b"<html>"}, WorldError, "in trouble (502)", "githubstatus"),
        ({"drop": "before"}, WorldError, "cannot be reached", "network"),
        ({"status": 201, "body": b"<html>Sign in</html>"}, WorldError, "not what GitHub answers", "GITHUB_API_URL"),
        ({"status": 201, "body": b'{"id": "x", "user": 3}'}, WorldError, "not what GitHub answers", "GITHUB_API_URL"),
    ],
    ids=lambda given: str(given)[:40],
)
def test_trouble_that_stays_is_told_with_a_mend_and_no_secret(client, github, fault, kind, problem, mend):
    number, token = github.pull("feature", SHA), github.token()
    github.fault(times=99, method="POST", **fault)
    with pytest.raises(kind) as caught:
        client(github, token).add_comment(number, "one")
    assert problem in caught.value.problem
    assert mend in caught.value.mend
    assert token not in "".join(traceback.format_exception(caught.value))
    assert len(github.exchanges) <= QUICK.tries


def test_fields_that_github_complains_about_are_named(client, github):
    number, token = github.pull("feature", SHA), github.token()
    complaint = (
        b'{"message": "Validation Failed", "errors": [{"field": "body", "code": "missing"}, "%s"]}' % token.encode()
    )
    github.fault(status=422, body=complaint)
    with pytest.raises(WorldError, match="Validation Failed; body missing") as caught:
        client(github, token).add_comment(number, "one")
    assert token not in str(caught.value)


def test_nobody_there_is_told():
    ours = GitHub("acme/flights", "t", "http://127.0.0.1:9", QUICK)
    with (
        contextlib.closing(ours),
        pytest.raises(WorldError, match=r"GitHub at http://127\.0\.0\.1:9 cannot be reached"),
    ):
        ours.comments(1)
