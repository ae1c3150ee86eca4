"""Alarms about limits of the policy: promises about inputs, age, coverage of labels, the service itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from scipy.special import betaincinv

from mlci.judge.monitor.alarms import number
from mlci.judge.monitor.look import said
from mlci.nouns import units
from mlci.nouns.alarm import Alarm, Raised

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlci.nouns.alarm import Cause
    from mlci.nouns.base import Level
    from mlci.nouns.finding import Finding
    from mlci.nouns.monitor_policy import MonitorPolicy
    from mlci.nouns.monitoring import Monitoring


class Service(NamedTuple):
    """What a server counted of itself.

    Attributes:
        requests: All of them.
        errors: Those that it could not answer.
        slow: Share of requests that took longer than the limit; None where nobody measured that.
        until: The limit that `slow` is about, in seconds.
    """

    requests: float
    errors: float
    slow: float | None = None
    until: float = 0.0


def least_share(count: int, rows: int, alpha: float) -> float:
    """The (1 - alpha) lower bound of a share (Clopper and Pearson 1934).

    >>> round(least_share(10, 100, 0.05), 4)
    0.0553
    """
    return float(betaincinv(count, rows - count + 1, alpha)) if count else 0.0


def broken(finding: Finding, limit: float, alpha: float) -> bool:
    """Whether more rows break a promise than the limit, and not by chance of who came in these days."""
    data = finding.data
    if finding.outcome != "fail" or data is None:
        return False
    if data.count is None or not data.rows:
        return True
    return least_share(data.count, data.rows, alpha) > limit


def data_alarm(findings: Iterable[Finding], level: Level, since: str, before: Alarm | None) -> tuple[Alarm, ...]:
    """An alarm about promises that inputs break.

    Args:
        findings: The promises that are broken.
        level: Of the alarm.
        since: When they were measured first.
        before: The same alarm at the last look.
    """
    return _alarm("data", level, [(one.check, f"{one.message}") for one in findings], since, before)


def stale_alarm(
    told: Monitoring, policy: MonitorPolicy, now: datetime, model: datetime | None, before: Alarm | None
) -> tuple[Alarm, ...]:
    """An alarm about what is older than it may be, or about labels that don't come.

    Args:
        told: What is counted.
        policy: Its limits.
        now: The moment.
        model: When the model was last changed; None where nobody knows.
        before: The same alarm at the last look.
    """
    limits, said_of = policy.stale, []
    ages = (
        ("the model", model, limits.model),
        ("the newest prediction", _moment(told.newest_row), limits.rows),
        ("the newest label", _moment(told.newest_label), limits.labels),
    )
    for what, moment, most in ages:
        if most is not None and moment is not None and now - moment > most:
            old = units.duration((now - moment).total_seconds())
            allowed = units.duration(most.total_seconds())
            said_of.append((what, f"{what.capitalize()} is {old} old; you allow {allowed}."))
    found = _alarm("staleness", limits.level, said_of, said(now), before)
    if told.due and told.due_labels / told.due < policy.labels.coverage:
        said_ = (
            f"{told.due_labels:,} of {told.due:,} predictions that should have a label by now have one; you want "
            f"{number(policy.labels.coverage, share=True)}."
        )
        level = policy.labels.level if not found else limits.level
        found = _alarm("staleness", level, [*said_of, ("labels", said_)], said(now), before)
    return found


def software_alarm(
    told: Monitoring, policy: MonitorPolicy, now: datetime, service: Service | None, before: Alarm | None
) -> tuple[Alarm, ...]:
    """An alarm about the service itself.

    Args:
        told: What is counted.
        policy: Its limits.
        now: The moment.
        service: What the server says of itself; None where nobody asks.
        before: The same alarm at the last look.
    """
    limits, found = policy.software, []
    if limits.rows is not None and told.seen and not limits.rows.holds(told.seen[-1].rows):
        last = told.seen[-1]
        found.append(("rows", f"{units.rows(last.rows)} in the period from {last.start}; you want {limits.rows}."))
    if service is not None and service.requests:
        share = service.errors / service.requests
        if limits.errors is not None and share > limits.errors:
            what = f"{service.errors:,.0f} of {service.requests:,.0f} requests failed"
            found.append(("errors", f"{what}; you allow {number(limits.errors, share=True)}."))
        if limits.latency_p99 is not None and service.slow is not None and service.slow > 0.01:  # noqa: PLR2004 - p99
            what = f"{number(service.slow, share=True)} of the requests took longer than {service.until:g} s"
            found.append(("latency_p99", f"{what}; you allow 1 %."))
    return _alarm("software", limits.level, found, said(now), before)


def _alarm(
    cause: Cause, level: Level, found: list[tuple[str, str]], now: str, before: Alarm | None
) -> tuple[Alarm, ...]:
    if not found:
        return ()
    known = {one.stream: one.since for one in before.raised} if before is not None else {}
    raised = tuple(Raised(stream=name, since=known.get(name, now), message=text) for name, text in found)
    return (Alarm(cause=cause, level=level, since=min(one.since for one in raised), raised=raised),)


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def next_needed(told: Monitoring, policy: MonitorPolicy) -> datetime | None:
    """The moment from which on there may be something new to count; None: now."""
    until = _moment(told.until)
    return until + timedelta(seconds=told.period) if until is not None and not _waits(policy) else None


def _waits(policy: MonitorPolicy) -> bool:
    """Whether a limit is on the age of what only the log knows."""
    return policy.stale.rows is not None or policy.stale.labels is not None
