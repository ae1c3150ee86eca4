"""Whether a model is trained again: every guard, for any facts."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mlci.judge.retrain import decide, newest_value, next_version, settled
from mlci.nouns.alarm import CAUSES
from mlci.nouns.policy import Policy
from mlci.nouns.retrain import AlarmOn, Attempt, Facts, Offered
from mlci.nouns.retrain_policy import RetrainPolicy

NOW = datetime(2013, 7, 2, 6, tzinfo=UTC)
DAY = timedelta(days=1)
MONTHS = [f"2013-{month:02}" for month in range(1, 13)]


def policy(**given):
    return RetrainPolicy.model_validate({"data": {"parameter": "data.until"}, **given})


def facts(of=None, now=NOW, current="2013-03", **given):
    data = next_version((of or policy()).data, current, now)
    return Facts(now=now, data=data, **given)


LOSS = AlarmOn(cause="performance", headline="cost per row has risen")
DRIFT = AlarmOn(cause="drift", headline="temp has drifted")


def attempt(data="data.until=2013-06", end="refused", at=NOW - 30 * DAY, **given):
    return Attempt(at=at, data=data, end=end, **given)


moments = st.datetimes(datetime(2013, 1, 1), datetime(2014, 6, 1)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001 - hypothesis wants them so
attempts = st.lists(
    st.builds(
        Attempt,
        at=moments,
        data=st.sampled_from(MONTHS).map("data.until={}".format),
        end=st.sampled_from(["offered", "refused", "closed", "merged"]),
    ),
    max_size=4,
).map(tuple)
policies = st.builds(
    policy,
    when=st.fixed_dictionaries(
        {
            "every": st.sampled_from([None, "10d", "30d"]),
            "labels": st.sampled_from([None, 1, 500]),
            "data": st.booleans(),
        }
    ),
    cooldown=st.sampled_from(["0s", "7d", "20d"]),
    least_labels=st.sampled_from([0, 100]),
)


@st.composite
def worlds(draw):
    of = draw(policies)
    now = draw(moments)
    offered = st.builds(
        Offered,
        number=st.just(7),
        data=st.sampled_from(["", *MONTHS]).map("data.until={}".format),
        outdated=st.booleans(),
        foreign=st.booleans(),
    )
    return of, Facts(
        now=now,
        trained=draw(st.none() | moments),
        data=next_version(of.data, draw(st.sampled_from(MONTHS)), now),
        alarms=draw(st.none() | st.lists(st.builds(AlarmOn, cause=st.sampled_from(CAUSES)), max_size=3).map(tuple)),
        labels=draw(st.none() | st.integers(0, 1_000)),
        attempts=draw(attempts),
        offered=draw(st.none() | offered),
        by_hand=draw(st.booleans()),
    )


@given(worlds())
def test_guards_hold_whatever_the_facts(world):
    of, known = world
    decision = decide(of, known)
    assert decision.headline
    if not decision.trains:
        return
    assert decision.triggers
    assert settled(known.attempts, known.data.next) is None
    assert known.data.newer is not False
    assert (decision.action == "update") == (known.offered is not None)
    assert known.offered is None or not known.offered.foreign
    if known.offered is not None and known.offered.data == known.data.next:
        assert known.offered.outdated
    if known.by_hand:
        return
    assert all(abs(known.now - each.at) >= of.cooldown for each in known.attempts)
    assert known.labels is None or known.labels >= of.least_labels


@given(worlds())
def test_drift_and_scores_alone_ask_for_nothing(world):
    of, known = world
    quiet = tuple(each for each in known.alarms or () if each.cause in {"drift", "score"})
    with_drift = decide(of, known.model_copy(update={"alarms": quiet}))
    without = decide(of, known.model_copy(update={"alarms": ()}))
    assert with_drift.action == without.action
    assert with_drift.triggers == without.triggers


@given(worlds())
def test_the_same_facts_are_decided_alike_and_an_attempt_is_not_made_twice(world):
    of, known = world
    decision = decide(of, known)
    assert decide(of, known) == decision
    if decision.trains:
        made = Attempt(at=known.now, data=known.data.next, end="refused", why="worse")
        after = known.model_copy(update={"attempts": (*known.attempts, made), "offered": None})
        assert not decide(of, after).trains


@given(moments, st.sampled_from(["%Y-%m-%d", "%Y-%m", "%Y"]), st.integers(0, 40))
def test_the_newest_period_is_over_and_time_never_goes_back(now, pattern, lag):
    value = newest_value(pattern, now, lag * DAY)
    assert value < now.strftime(pattern)
    assert newest_value(pattern, now + DAY, lag * DAY) >= value


def test_an_alarm_asks_and_its_issue_is_named():
    decision = decide(policy(), facts(alarms=(LOSS.model_copy(update={"issue": 12}), DRIFT)))
    assert (decision.action, [each.kind for each in decision.triggers], decision.held) == ("open", ["alarm"], ())
    assert "(#12): cost per row has risen" in decision.headline
    assert decision.data.next == "data.until=2013-06"


def test_seasonal_drift_alone_says_why_it_does_nothing():
    decision = decide(policy(), facts(alarms=(DRIFT,)))
    assert (decision.action, [each.guard for each in decision.held]) == ("none", ["no loss"])
    assert "no loss of performance" in decision.headline
    named = policy(when={"alarms": "drift"})
    assert decide(named, facts(alarms=(DRIFT,))).trains


@pytest.mark.parametrize(
    ("asked", "known", "kind"),
    [
        ({"every": "30d"}, {"trained": NOW - 31 * DAY}, "schedule"),
        ({"every": "30d"}, {}, "schedule"),
        ({"labels": 500}, {"labels": 500}, "labels"),
        ({"data": True}, {}, "data"),
        ({}, {"by_hand": True}, "hand"),
    ],
)
def test_each_trigger(asked, known, kind):
    decision = decide(policy(when=asked), facts(**known))
    assert [each.kind for each in decision.triggers] == [kind]
    assert decision.trains


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        ({"every": "30d"}, {"trained": NOW - 29 * DAY}),
        ({"labels": 500}, {"labels": 499}),
        ({"labels": 500}, {}),
        ({}, {}),
    ],
)
def test_nothing_asks(asked, known):
    assert decide(policy(when=asked), facts(**known)).action == "none"


def guards(of, known):
    decision = decide(of, known)
    assert decision.action == "wait"
    return [each.guard for each in decision.held]


def test_each_guard_says_why():
    of = policy(least_labels=1_000)
    late = (attempt("data.until=2013-05", at=NOW - 2 * DAY),)
    assert guards(of, facts(alarms=(LOSS,), attempts=late, labels=10)) == ["cooldown", "labels"]
    assert guards(of, facts(alarms=(LOSS,), current="2013-06")) == ["data"]
    assert guards(of, facts(alarms=(LOSS,), attempts=(attempt(why="worse"),))) == ["refused"]
    assert guards(of, facts(alarms=(LOSS,), attempts=(attempt(end="closed"),))) == ["closed"]
    assert guards(of, facts(alarms=(LOSS,), offered=Offered(number=3, foreign=True))) == ["foreign branch"]


def test_a_person_waits_for_no_cooldown_and_may_ask_again():
    of = policy(least_labels=1_000)
    known = facts(by_hand=True, attempts=(attempt(at=NOW - DAY, why="worse"),), labels=10)
    assert guards(of, known) == ["refused"]
    assert decide(of, known.model_copy(update={"again": True})).trains


def test_an_open_pull_request_is_kept_on_the_same_data_and_updated_on_newer_or_where_it_is_outdated():
    offered = Offered(number=3, data="data.until=2013-06")
    assert decide(policy(), facts(alarms=(LOSS,), offered=offered)).action == "keep"
    assert decide(policy(), facts(offered=offered)).action == "keep"
    later = facts(now=NOW + 31 * DAY, alarms=(LOSS,), offered=offered)
    assert decide(policy(), later).action == "update"
    outdated = offered.model_copy(update={"outdated": True})
    assert decide(policy(), facts(alarms=(LOSS,), offered=outdated)).action == "update"


def test_a_clock_that_went_back_makes_nothing_older():
    offered = Offered(number=3, data="data.until=2013-06")
    assert decide(policy(), facts(now=NOW - 40 * DAY, alarms=(LOSS,), offered=offered)).action == "keep"
    assert guards(policy(), facts(now=NOW - 90 * DAY, alarms=(LOSS,), current="2013-06")) == ["data"]


def test_what_a_clock_wrote_that_ran_ahead_holds_nothing_back_for_ever():
    ahead = (attempt("data.until=2023-01", end="offered", at=NOW + 3650 * DAY),)
    assert decide(policy(), facts(alarms=(LOSS,), attempts=ahead)).trains
    of = policy(when={"every": "30d"})
    assert decide(of, facts(attempts=ahead, trained=NOW - 40 * DAY)).trains


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "data"),
        ({"data": {}}, "parameter"),
        ({"data": {"parameter": "a", "to": "%H"}}, "hours"),
        ({"data": {"parameter": "a", "to": "newest"}}, "every year"),
        ({"data": {"parameter": "a"}, "pull": {"branch": "-x y"}}, "branch"),
        ({"data": {"parameter": "a"}, "cooldwn": "7d"}, "cooldwn"),
        ({"data": {"parameter": "a"}, "when": {"alarms": ["performence"]}}, "performance"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(given, told):
    with pytest.raises(ValidationError, match=told):
        RetrainPolicy.model_validate(given)


def test_retraining_needs_a_gate():
    told = {"model": {"name": "m", "label": "l", "id": "i"}, "retrain": {"data": {"parameter": "a"}}}
    with pytest.raises(ValidationError, match="judged by a gate"):
        Policy.model_validate(told)
