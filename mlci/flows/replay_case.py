"""What is replayed: the policy's parts that it takes, and the periods of the past."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from mlci.errors import PolicyError
from mlci.nouns.policy import Gate, Model, PolicyFile  # noqa: TC001 - fields of a NamedTuple
from mlci.nouns.replay_policy import Replay  # noqa: TC001
from mlci.nouns.retrain_policy import RetrainPolicy  # noqa: TC001

if TYPE_CHECKING:
    from pathlib import Path

_MOST = 1_000
"""Periods of a replay."""


class Past(NamedTuple):
    """All that the policy says about the past.

    Attributes:
        root: Folder of the project.
        policy: The project's.
        judging: What of it the gate reads: without trainings of other seeds, budgets, and data, whose checks the stages
            run themselves.
        model: Its model.
        gate: Its gate.
        retrain: When it trains.
        replay: What is replayed.
    """

    root: Path
    policy: PolicyFile
    judging: PolicyFile
    model: Model
    gate: Gate
    retrain: RetrainPolicy
    replay: Replay

    @property
    def parameter(self) -> str:
        """The parameter that says up to when the data reaches."""
        return self.retrain.data.parameter


def past_of(root: Path, policy: PolicyFile) -> Past:
    """What is to be replayed.

    Raises:
        PolicyError: The policy does not say it.
    """
    own = policy.policy
    if own.replay is None or own.retrain is None or own.model is None or own.gate is None:
        lacking = [f"`{name}`" for name in ("model", "gate", "retrain", "replay") if getattr(own, name) is None]
        raise PolicyError(
            f"{policy.file}: a replay needs {' and '.join(lacking)} under `mlci`", "see docs/how-to/replay.md"
        )
    if not own.retrain.data.parameter:
        raise PolicyError(
            f"{policy.place('retrain', 'data')}: a replay moves `mlci.retrain.data.parameter`, and there is none",
            "name the parameter that says up to when the data reaches",
        )
    left = dict.fromkeys(("train", "budgets", "release", "serve", "monitor", "feedback", "retrain", "replay"))
    judging = own.model_copy(update={**left, "data": {}, "waivers": ()})
    return Past(root.resolve(), policy, replace(policy, policy=judging), own.model, own.gate, own.retrain, own.replay)


def kept_files(past: Past) -> tuple[str, ...]:
    """The files of a model that are kept, relative to the project."""
    gate = past.gate
    return (gate.test, gate.train, gate.predictions, gate.trained_on, past.model.path)


def judging_files(past: Past) -> tuple[str, ...]:
    """What the gate reads beside these: the project's own metrics."""
    own = [each.function.partition(":")[0].replace(".", "/") for each in past.gate.metrics.values() if each.function]
    return tuple(f"{module}.py" for module in own)


class Span(NamedTuple):
    """A period: its name, its first moment and the moment behind its last."""

    name: str
    start: datetime
    end: datetime


def spans(past: Past) -> tuple[Span, ...]:
    """The periods from that of the first model to the last.

    Raises:
        PolicyError: The policy names no such periods.
    """
    pattern, place = past.retrain.data.to, past.policy.place("replay")
    days = []
    for value in (past.replay.since, past.replay.until):
        try:
            days.append(datetime.strptime(value, pattern).replace(tzinfo=UTC))
        except ValueError as error:
            raise PolicyError(
                f"{place}: {value!r} is not written as {pattern}", "write it as `mlci.retrain.data.to` says"
            ) from error
    found: list[Span] = []
    start = at = days[0]
    while len(found) < _MOST:
        at += timedelta(days=1)
        if at.strftime(pattern) != start.strftime(pattern):
            found.append(Span(start.strftime(pattern), start, at))
            if start >= days[1]:
                break
            start = at
    if len(found) < 2:  # noqa: PLR2004 - one to begin with, and one to replay
        raise PolicyError(f"{place}: there is no period behind {past.replay.since}", "a later `until`")
    return tuple(found)
