"""Replay the past: predict, watch, decide, train and judge, period by period, beside never and always training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlci import __version__
from mlci.flows.monitor_memory import model_and_policy
from mlci.flows.replay_case import past_of, spans
from mlci.flows.replay_models import ask_gate, metrics_of, positives_of
from mlci.flows.replay_train import maker
from mlci.flows.replay_watch import watch, watcher
from mlci.judge.monitor.metrics import defaults
from mlci.judge.replay import totals, trainings
from mlci.judge.retrain import decide, next_version
from mlci.nouns.metric import direction
from mlci.nouns.replay import Period, Replayed, Served, Strategy
from mlci.nouns.retrain import AlarmOn, Attempt, Facts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlci.flows.replay_case import Past, Span
    from mlci.flows.replay_train import Maker
    from mlci.flows.replay_watch import Watcher
    from mlci.nouns.monitoring import Monitoring
    from mlci.nouns.policy import PolicyFile
    from mlci.nouns.retrain import Decision


def replay(root: Path, policy: PolicyFile, say: Callable[[str], None] = lambda _: None) -> Replayed:
    """Go through the past as if it happened now.

    The first model is made at the end of the policy's first period. In every later one the model in service answers
    its rows, their labels come, monitoring looks at them, and at its end it is decided whether to train; the gate says
    whether the new model serves the next period. Every model is made by the project's own stages, once: what was made
    is kept in `.cache/mlci/replay`.

    Args:
        root: Folder of the project.
        policy: Its model, gate, monitoring, retraining and replay.
        say: Told what is being done.

    Raises:
        PolicyError: The policy does not say what to replay, or the pipeline has no such parameter.
        WorldError: A stage fails, or a file cannot be read or written.
    """
    past = past_of(root, policy)
    first, *later = spans(past)
    make = maker(past, say)
    loop = _Loop(past, make, first, say)
    periods = tuple(loop.period(span) for span in later)
    if past.replay.rival:
        # Behind the loop, which does not wait for them.
        periods = tuple(reversed([loop.rivalled(each) for each in reversed(periods)]))
    metric = headline_metric(past)
    return Replayed(
        model=past.model.name,
        first=first.name,
        metric=metric,
        good="up" if direction(metric) == 1 else "down",
        parameters=dict(past.replay.rival),
        periods=periods,
        totals=totals(periods, metric),
        trainings=trainings(periods),
        tool=f"mlci {__version__}",
    )


def headline_metric(past: Past) -> str:
    """What strategies are compared by: what monitoring watches first, as far as a test tells it."""
    _, watched = model_and_policy(past.policy)
    name = next(iter(watched.metrics), defaults(past.model)[0])
    return "mae" if name == "error" else name


@dataclass
class _Loop:
    """The loop as it stands.

    Attributes:
        past: What is replayed.
        make: Makes models.
        first: The period of the first model.
        say: Told what is being done.
        models: Strategy → the period of the model that it serves.
        watched: What monitoring knows of ours.
        trained: When that was trained.
        attempts: Challengers so far.
    """

    past: Past
    make: Maker
    first: Span
    say: Callable[[str], None]
    models: dict[Strategy, str] = field(init=False)
    watched: Watcher = field(init=False)
    attempts: tuple[Attempt, ...] = ()

    def __post_init__(self) -> None:
        name = self.first.name
        self.models = {"mlci": name, "never": name, "always": name}
        self.watched = watcher(self.past, self.make.model(name), name)
        self.trained = self.first.end

    def period(self, span: Span) -> Period:
        """One period; afterwards the loop stands at its end."""
        rows = self.make.model(span.name)
        current = self.make.model(self.models["mlci"])
        self.say(f"{span.name}: looking at what {self.models['mlci']} predicts")
        served = {
            each: Served(model=name, metrics=metrics_of(self.past, self.make.model(name), rows))
            for each, name in self.models.items()
        }
        found, alarms = watch(self.past, self.watched, current, rows, span)
        decision = self._decide(span, found)
        challenger = None
        if decision.trains:
            challenger = ask_gate(self.past, current, rows, self.say)
        told = Period(
            name=span.name,
            rows=found_rows(self.past, rows),
            positives=positives_of(self.past, current, rows),
            served=served,
            alarms=alarms,
            drift=found.drift[:3],
            decision=decision,
            challenger=challenger,
        )
        self._go_on(span, told, rows)
        return told

    def rivalled(self, period: Period) -> Period:
        """The same with what the gate says of the other challenger, against the model that was in service then."""
        other = self.make.model(period.name, self.past.replay.rival)
        current = self.make.model(period.served["mlci"].model)
        return period.model_copy(update={"rival": ask_gate(self.past, current, other, self.say)})

    def _decide(self, span: Span, found: Monitoring) -> Decision:
        policy = self.past.retrain
        now = span.end + policy.data.lag
        on = tuple(AlarmOn(cause=each.cause, since=each.since, headline=each.headline) for each in found.alarms)
        facts = Facts(
            now=now,
            trained=self.trained,
            data=next_version(policy.data, self.models["mlci"], now),
            alarms=on,
            labels=found.labels,
            attempts=self.attempts,
        )
        return decide(policy, facts)

    def _go_on(self, span: Span, told: Period, rows: Path) -> None:
        self.models["always"] = span.name
        if told.challenger is None:
            return
        end, now = "merged" if told.accepted else "refused", span.end + self.past.retrain.data.lag
        attempt = Attempt.model_validate(
            {"at": now, "data": told.decision.data.next, "end": end, "why": told.challenger.headline}
        )
        self.attempts = (*self.attempts, attempt)
        if told.accepted:
            self.models["mlci"], self.trained = span.name, now
            self.watched = watcher(self.past, rows, span.name)


def found_rows(past: Past, rows: Path) -> int:
    """How many rows a period has."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    return int(pq.ParquetFile(rows / past.gate.predictions).metadata.num_rows)
