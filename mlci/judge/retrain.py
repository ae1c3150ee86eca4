"""Decide whether a model is trained again: what asks for it, and what holds it back.

`decide(policy, facts)` is the whole decision, and pure: a replay of the past calls it with a clock of its own. The
sequence of one round is

    data = next_version(policy.data, current, now)        # policy: mlci.nouns.retrain_policy.RetrainPolicy
    facts = Facts(now=now, trained=..., data=data, alarms=..., labels=..., attempts=attempts)
    decision = decide(policy, facts)
    if decision.trains: ...                               # make the data, train, compare
    attempts += (Attempt(at=now, data=decision.data.next, end="merged" or "refused", why=headline),)
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mlci.nouns.retrain import DataVersion, Decision, Held, Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlci.nouns.retrain import Attempt, Facts
    from mlci.nouns.retrain_policy import NewData, RetrainPolicy

_HARMLESS = frozenset({"drift", "score"})
"""Alarms that say that something moved, and not that anything is worse."""
_LONGEST = 367
"""Days of the longest period that a pattern can name."""
_SETTLED = frozenset({"refused", "closed"})


def decide(policy: RetrainPolicy, facts: Facts) -> Decision:
    """Whether a challenger is trained now.

    What a person asks for waits for no cooldown and no number of labels. Nobody gets a challenger on data on which one
    was refused, unless that is asked for in words.

    Args:
        policy: Triggers and guards.
        facts: All that is known.
    """
    triggers = tuple(_triggers(policy, facts))
    quiet = tuple(_no_loss(policy, facts))
    offered = facts.offered
    if offered is not None and _offers(policy.data, facts) and not (offered.outdated and triggers) and not facts.again:
        return Decision(action="keep", triggers=triggers, held=quiet, data=facts.data)
    if not triggers:
        return Decision(action="none", held=quiet, data=facts.data)
    held = tuple(_guards(policy, facts))
    if held:
        return Decision(action="wait", triggers=triggers, held=held, data=facts.data)
    return Decision(action="open" if offered is None else "update", triggers=triggers, held=quiet, data=facts.data)


def settled(attempts: tuple[Attempt, ...], data: str) -> Attempt | None:
    """The last word on a version of the data, where that was no: by the gate, or by a person."""
    last = next((each for each in reversed(attempts) if each.data == data), None)
    return last if last is not None and last.end in _SETTLED else None


def next_version(policy: NewData, current: str, now: datetime) -> DataVersion:
    """The version of the data that would be made now, where the policy moves a parameter.

    Never an older one than there is: a clock that went back asks for nothing.

    Args:
        policy: Which parameter, and how its value is written.
        current: Its value now; empty where there is none.
        now: The moment.
    """
    if not policy.parameter:
        return DataVersion()
    value = newest_value(policy.to, now, policy.lag)
    name = version_name(policy, value)
    return DataVersion(current=current, next=name, value=value, newer=_later(policy.to, value, current))


def version_name(policy: NewData, value: str) -> str:
    """What a version of the data is called: `data.until=2013-07`."""
    return f"{policy.parameter}={value}"


def newest_value(pattern: str, now: datetime, lag: timedelta = timedelta(0)) -> str:
    """The newest period that is over, as a pattern of `strftime` names it.

    Args:
        pattern: Such as `%Y-%m`; it names a day or something longer.
        now: The moment.
        lag: How long after its end a period counts.

    >>> [newest_value(each, datetime(2013, 7, 1, 6, tzinfo=UTC)) for each in ("%Y-%m", "%Y-%m-%d", "%Y")]
    ['2013-06', '2013-06-30', '2012']
    >>> newest_value("%Y-%m", datetime(2013, 7, 1, 6, tzinfo=UTC), timedelta(days=3))
    '2013-05'
    """
    day = (now.astimezone(UTC) - lag).date()
    running = day.strftime(pattern)
    for back in range(1, _LONGEST):
        text = (day - timedelta(days=back)).strftime(pattern)
        if text != running:
            return text
    raise ValueError(f"{pattern!r} is the same for more than a year")


def _later(pattern: str, value: str, current: str) -> bool:
    if value == current:
        return False
    try:
        return datetime.strptime(value, pattern) > datetime.strptime(current, pattern)  # noqa: DTZ007 - both alike
    except ValueError:
        # What is there was written otherwise; that it differs is all that can be said.
        return True


def _triggers(policy: RetrainPolicy, facts: Facts) -> Iterator[Trigger]:
    when = policy.when
    if facts.by_hand:
        yield Trigger(kind="hand", why="a person asked for it")
    for alarm in facts.alarms or ():
        if alarm.cause in when.alarms:
            issue = f" (#{alarm.issue})" if alarm.issue is not None else ""
            yield Trigger(kind="alarm", why=f"{alarm.cause} alarm{issue}: {alarm.headline}".rstrip(": "))
    if when.every is not None and _is_due(when.every, facts):
        last = _last_training(facts)
        since = f"the last one was trained {_ago(facts.now - last)} ago" if last is not None else "nobody knows of one"
        yield Trigger(kind="schedule", why=f"a model is due every {_ago(when.every)}, and {since}")
    if when.labels is not None and facts.labels is not None and facts.labels >= when.labels:
        yield Trigger(kind="labels", why=f"{facts.labels:,} labels came since the last training")
    if when.data and facts.data.newer is not False:
        what = f"newer data: {facts.data.next}" if facts.data.next else "there may be newer data"
        yield Trigger(kind="data", why=what)


def _is_due(every: timedelta, facts: Facts) -> bool:
    last = _last_training(facts)
    return last is None or facts.now - last >= every


def _last_training(facts: Facts) -> datetime | None:
    """When a model was last trained, whatever became of it; what a clock that ran ahead wrote is not believed."""
    moments = [each.at for each in facts.attempts] + ([facts.trained] if facts.trained is not None else [])
    return max((each for each in moments if each <= facts.now), default=None)


def _no_loss(policy: RetrainPolicy, facts: Facts) -> Iterator[Held]:
    """Alarms that ask for nothing: where only inputs moved, seasons do, and no model is worse for it."""
    moved = [each for each in facts.alarms or () if each.cause in _HARMLESS and each.cause not in policy.when.alarms]
    if moved and not any(each.cause in policy.when.alarms for each in facts.alarms or ()):
        causes = " and ".join(dict.fromkeys(each.cause for each in moved))
        yield Held(guard="no loss", why=f"there is {causes}, and no loss of performance: that alone asks for nothing")


def _guards(policy: RetrainPolicy, facts: Facts) -> Iterator[Held]:
    if facts.offered is not None and facts.offered.foreign:
        number = facts.offered.number
        why = f"somebody else pushed to the branch of #{number}, which would be lost: merge or close it"
        yield Held(guard="foreign branch", why=why)
    if facts.data.newer is False and not facts.again:
        there = facts.data.current
        yield Held(guard="data", why=f"there is no newer data than {policy.data.parameter}={there}")
    if not facts.again and facts.data.next and (was := settled(facts.attempts, facts.data.next)) is not None:
        yield refusal(was)
    if facts.by_hand:
        return
    since = min((abs(facts.now - each.at) for each in facts.attempts), default=None)
    # A clock that jumped for good must not hold it back for ever; what it wrote counts like the past.
    if since is not None and since < policy.cooldown:
        why = f"a challenger was trained {_ago(since)} ago, and the cooldown is {_ago(policy.cooldown)}"
        yield Held(guard="cooldown", why=why)
    if facts.labels is not None and facts.labels < policy.least_labels:
        why = f"only {facts.labels:,} labels came since the last training, and {policy.least_labels:,} are needed"
        yield Held(guard="labels", why=why)


def refusal(was: Attempt) -> Held:
    """Why no challenger is offered on data that was decided on already."""
    day = f"{was.at:%Y-%m-%d}"
    if was.end == "closed":
        return Held(guard="closed", why=f"a person closed the pull request for {was.data}")
    return Held(guard="refused", why=f"a challenger on {was.data} was refused on {day}: {was.why}".rstrip(": "))


def _offers(policy: NewData, facts: Facts) -> bool:
    """Whether the open pull request offers what would be made, or something newer: a clock may have gone back."""
    assert facts.offered is not None  # noqa: S101 - asked by the caller
    offered, made = facts.offered.data, facts.data
    if not made.next or not offered:
        return False
    name, _, value = offered.partition("=")
    # A person may say any value; the clock alone must not bring an older one.
    older = name == policy.parameter and not facts.by_hand and not _later(policy.to, made.value, value)
    return offered == made.next or older


def _ago(span: timedelta) -> str:
    seconds = span.total_seconds()
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = round(seconds / size, 1)
            return f"{count:g} {name}{'' if count == 1 else 's'}"
    return f"{seconds:.0f} seconds"


def reconciled(attempts: tuple[Attempt, ...], told: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """Challengers so far, by what was kept of them and by what the forge knows: neither alone is complete.

    A run may have ended before it kept what it offered, and people merge and close without telling.

    Args:
        attempts: As they were kept, the newest last.
        told: Those in pull requests, as the forge tells them.
    """
    found = {(each.pull, each.data): each for each in told}
    known = [_by_forge(each, found.get((each.pull, each.data))) for each in attempts]
    kept = {(each.pull, each.data) for each in attempts}
    new = [each for key, each in found.items() if key not in kept]
    return tuple(sorted((*known, *new), key=lambda each: each.at))


def _by_forge(attempt: Attempt, theirs: Attempt | None) -> Attempt:
    return attempt if theirs is None or attempt.pull is None else attempt.model_copy(update={"end": theirs.end})
