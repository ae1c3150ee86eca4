"""One issue for each model and cause: opened, updated, closed, opened again, whatever goes wrong in between."""

import contextlib
import http.server
import json
import threading

import pytest
from markdown_it import MarkdownIt

from mlci.errors import WorldError
from mlci.flows.monitor_alert import alert
from mlci.nouns.alarm import Alarm, Raised
from mlci.nouns.forge import Patience
from mlci.nouns.monitoring import Monitoring, Shown
from mlci.nouns.policy import Policy, PolicyFile

SINCE, LATER = "2026-03-20T00:00:00Z", "2026-05-01T00:00:00Z"
HOSTILE = "@someone <!channel> <img src=x onerror=alert(1)> [x](http://evil.example) `code` #1\n## heading"


def alarm(cause="performance", since=SINCE, level="block", message="`accuracy` has fallen", stream="accuracy"):
    return Alarm(cause=cause, level=level, since=since, raised=(Raised(stream=stream, since=since, message=message),))


def look(*alarms, day="2026-03-30", streams=()):
    return Monitoring(
        model="flights",
        healthy=not alarms,
        headline="flights: a look",
        alarms=alarms,
        since="2026-01-01T00:00:00Z",
        until=f"{day}T00:00:00Z",
        looked=f"{day}T01:00:00Z",
        streams=streams,
        rows=1_000,
        labels=900,
    )


@pytest.fixture
def tell(github, tmp_path):
    def told(found, token=None, env=None, **monitor):
        given = {"GITHUB_REPOSITORY": github.repository, "GITHUB_API_URL": github.url}
        given |= {"GITHUB_TOKEN": token or github.token(), **(env or {})}
        model = {"name": "flights", "label": "late", "id": "id"}
        policy = PolicyFile(Policy.model_validate({"model": model, "monitor": monitor}))
        return alert(found, policy, tmp_path, given, lambda _: None, Patience(tries=2, pause=0.01))

    return told


def test_an_alarm_opens_one_issue_and_the_next_run_updates_it(tell, github):
    assert [done.action for done in tell(look(alarm()))] == ["opened"]
    assert [done.action for done in tell(look(alarm(), day="2026-03-31"))] == ["updated"]
    assert [done.action for done in tell(look(alarm(), day="2026-03-31"))] == ["kept"]
    (issue,) = github.issues()
    assert issue["title"] == "flights: performance has changed"
    assert "2026-03-31" in issue["body"]
    assert {label["name"] for label in issue["labels"]} == {"mlci", "monitoring"}


def test_healthy_closes_it_and_another_alarm_opens_it_again(tell, github):
    tell(look(alarm()))
    assert [done.action for done in tell(look(day="2026-04-02"))] == ["closed"]
    (issue,) = github.issues()
    assert issue["state"] == "closed"
    assert "The alarm is over" in issue["body"]
    assert tell(look(day="2026-04-03")) == ()
    assert [done.action for done in tell(look(alarm(since=LATER)))] == ["reopened"]
    (issue,) = github.issues()
    assert (issue["state"], "The alarm is over" in issue["body"]) == ("open", False)


def test_each_cause_has_its_own_and_a_remark_has_none(tell, github):
    tell(look(alarm(), alarm("drift", level="warn"), alarm("score", level="info")))
    assert sorted(issue["title"] for issue in github.issues()) == [
        "flights: inputs have drifted",
        "flights: performance has changed",
    ]
    done = tell(look(alarm(), day="2026-04-01"))
    assert [(each.cause, each.action) for each in done] == [("performance", "updated"), ("drift", "closed")]


def test_what_a_person_closed_stays_closed_until_another_alarm(tell, github):
    tell(look(alarm()))
    github.close_issue(github.issues()[0]["number"])
    (done,) = tell(look(alarm(), day="2026-04-01"))
    assert done.action.startswith("kept")
    assert github.issues()[0]["state"] == "closed"
    (done,) = tell(look(alarm(since=LATER), day="2026-05-02"))
    assert done.action == "reopened"


def test_an_issue_that_somebody_copied_is_not_ours(tell, github):
    tell(look(alarm()))
    body = github.issues()[0]["body"]
    github.open_issue("mine", body)
    tell(look(day="2026-04-01"))
    states = {issue["user"]["login"]: issue["state"] for issue in github.issues()}
    assert states == {"github-actions[bot]": "closed", "someone": "open"}


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_a_forge_that_is_down_is_made_up_for_by_the_next_run(tell, github, method):
    if method == "PATCH":
        tell(look(alarm()))
    github.fault(status=502, method=method, path="/issues", times=50)
    with pytest.raises(WorldError):
        tell(look(alarm(), day="2026-04-01"))
    github.clear_faults()
    tell(look(alarm(), day="2026-04-02"))
    (issue,) = github.issues()
    assert "2026-04-02" in issue["body"]


def test_a_token_that_may_not_write_is_told_the_permission(tell, github):
    with pytest.raises(WorldError, match="issues: write"):
        tell(look(alarm()), token=github.token(permissions={"contents": "read", "issues": "read"}))


def test_hostile_names_stay_text(tell, github):
    shown = Shown(name=HOSTILE, cause="drift", level="warn", full=0.5, alarmed=False, part=HOSTILE)
    tell(look(alarm(message=f"`{HOSTILE}` has drifted: {HOSTILE}", stream=HOSTILE), streams=(shown,)))
    body = github.issues()[0]["body"]
    html = MarkdownIt("gfm-like", {"html": True}).render(body)
    for sign in ("<img", "<a ", "<h2", "alert(1)>"):
        assert sign not in html
    assert "@someone" not in body


class _Channel(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append(json.loads(text))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def channel():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Channel)
    server.heard, server.status = [], 200
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_channel_hears_of_begin_and_end_once(tell, channel, github):
    env = {"HOOK": f"http://127.0.0.1:{channel.server_port}/secret"}
    for found in (look(alarm(message=HOSTILE)), look(alarm(), day="2026-04-01"), look(), look()):
        tell(found, env=env, webhook="HOOK")
    assert len(channel.heard) == 2
    first, last = (heard["text"] for heard in channel.heard)
    assert "&lt;!channel&gt;" in first
    assert "@someone" not in first
    assert "over" in last
    assert "secret" not in json.dumps(github.issues())


def test_a_channel_that_was_down_hears_it_from_the_next_run(tell, channel):
    env = {"HOOK": f"http://127.0.0.1:{channel.server_port}/secret"}
    channel.status = 500
    with pytest.raises(WorldError) as raised:
        tell(look(alarm()), env=env, webhook="HOOK")
    assert "secret" not in str(raised.value)
    channel.status = 200
    tell(look(alarm()), env=env, webhook="HOOK")
    with contextlib.suppress(WorldError):
        tell(look(alarm()), env=env, webhook="HOOK")
    assert len(channel.heard) == 2
