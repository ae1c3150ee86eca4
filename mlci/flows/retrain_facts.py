"""Gather what a decision about retraining goes by: data, alarms, labels, earlier challengers, the open pull request."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from mlci.edges.git import History
from mlci.edges.monitor_state import StateRef
from mlci.edges.move_parameter import parameter_in
from mlci.edges.own_branch import OwnBranch, Tip
from mlci.edges.parameters import Parameter
from mlci.edges.policy_file import parse_policy
from mlci.errors import PolicyError, WorldError
from mlci.flows.own_pull import own_pulls
from mlci.judge.monitor.look import start_of
from mlci.judge.retrain import next_version, reconciled, version_name
from mlci.nouns.monitoring import MonitorState
from mlci.nouns.retrain import AlarmOn, Attempt, DataVersion, Facts, Offered, RetrainState
from mlci.render.monitor_issue import marker as issue_marker
from mlci.render.retrain import DATA_TRAILER, mark_of, marker

if TYPE_CHECKING:
    from pathlib import Path

    from mlci.edges.forge import PullForge
    from mlci.edges.monitor_state import Kept
    from mlci.nouns.forge import ForgeIssue, ForgePull
    from mlci.nouns.policy import Model, PolicyFile
    from mlci.nouns.retrain_policy import RetrainPolicy

REF = "refs/mlci/retrain"
_PIPELINE = frozenset({"dvc.yaml", "dvc.lock", "params.yaml"})
_VALUE = re.compile(r"(?!.*--)[\w.:/+ -]{1,100}", re.ASCII)
_GRAVE = frozenset({"block", "warn"})


class Bench(NamedTuple):
    """Where retraining happens.

    Attributes:
        root: Folder of the project.
        policy: Its policy, as it is merged.
        branch: Our branch.
        base_branch: The branch that models are merged into.
        base: Its newest commit.
        now: The moment.
    """

    root: Path
    policy: PolicyFile
    branch: OwnBranch
    base_branch: str
    base: str
    now: datetime

    @property
    def model(self) -> Model:
        """The model."""
        return model_of(self.policy)

    @property
    def retrain(self) -> RetrainPolicy:
        """When and how it is trained again."""
        return retrain_of(self.policy)

    @property
    def top(self) -> Path:
        """Top of the repository."""
        return History(self.root).top or self.root

    @property
    def project(self) -> str:
        """Folder of the project, as seen from there; `.` for itself."""
        return History(self.root).prefix


class Asking(NamedTuple):
    """What a person says.

    Attributes:
        now: The moment.
        by_hand: Whether a person asks for a training.
        again: Whether also on data on which a challenger was refused.
        to: The value that the parameter moves to; empty: the newest.
    """

    now: datetime
    by_hand: bool = False
    again: bool = False
    to: str = ""


def model_of(policy: PolicyFile) -> Model:
    """The model. Raises PolicyError where the policy names none."""
    if policy.policy.model is None:
        raise PolicyError(f"{policy.file}: retraining needs `mlci.model`", "add `model: {name, label, id}`")
    return policy.policy.model


def retrain_of(policy: PolicyFile) -> RetrainPolicy:
    """When and how to train again. Raises PolicyError where the policy says nothing of it."""
    if policy.policy.retrain is None:
        raise PolicyError(
            f"{policy.file}: nothing says when and on what the model is trained again",
            'add `retrain: {data: {parameter: data.until, to: "%Y-%m"}}` to `mlci`',
        )
    return policy.policy.retrain


def bench(root: Path, policy: PolicyFile, now: datetime) -> Bench:
    """Find the branches, and the policy of what is merged: a work tree that is being edited decides nothing.

    Raises:
        PolicyError: The policy does not speak of retraining.
        WorldError: The remote does not answer, or there is no commit to start from.
    """
    model, retrain = model_of(policy), retrain_of(policy)
    branch = OwnBranch(root, retrain.pull.branch or f"retrain/{model.name}")
    gate = policy.policy.gate
    wanted = (gate.branch if gate is not None else None) or branch.default() or _local_default(root)
    base = branch.newest(wanted)
    if not base:
        raise WorldError(
            f"the branch {wanted!r} has no commit to start from", "push it, or name the right one in `mlci.gate.branch`"
        )
    text = History(root).read(base, policy.file)
    merged = parse_policy(text.decode("utf-8", "replace"), policy.file) if text is not None else policy
    retrain_of(merged)
    return Bench(root, merged, branch, wanted, base, now)


def _local_default(root: Path) -> str:
    found = History(root).base_branch(None)
    return found.removeprefix("origin/") if found is not None else "main"


def read_state(root: Path, model: str) -> tuple[RetrainState, Kept]:
    """What is kept of earlier challengers. Raises WorldError where it can't be read."""
    kept = StateRef(root, REF, "retraining").read(model)
    if not kept.text:
        return RetrainState(model=model), kept
    try:
        return RetrainState.model_validate_json(kept.text), kept
    except ValidationError as error:
        raise WorldError(
            "what retraining keeps was written by another version of mlci",
            f"install that version, or begin anew: `git push origin :{REF}`",
        ) from error


def gather(place: Bench, asking: Asking, pulls: PullForge | None, issues: tuple[ForgeIssue, ...] = ()) -> Facts:
    """All that a decision goes by.

    Args:
        place: Where.
        asking: What a person says.
        pulls: The forge; None where there is none.
        issues: Our issues there, so that alarms can be named by them.

    Raises:
        PolicyError: The parameter that is to be moved is not there.
        WorldError: The remote or the forge does not answer, or a state can't be read.
    """
    mine = own_pulls(pulls, place.branch.name, marker(place.model.name)) if pulls is not None else ()
    state, _ = read_state(place.root, place.model.name)
    attempts = reconciled(state.attempts, tuple(_told(each) for each in mine))
    tip = place.branch.tip()
    trained = _trained(place)
    watched = _watched(place)
    moments = [each.at for each in attempts] + ([trained] if trained is not None else [])
    since = max((each for each in moments if each <= asking.now), default=None)
    return Facts(
        now=asking.now,
        trained=trained,
        data=_data(place, asking),
        alarms=_alarms(watched, place.model.name, issues),
        labels=_labels(watched, place, since),
        attempts=attempts,
        offered=_offered(place, mine, attempts, tip, asked=pulls is not None),
        by_hand=asking.by_hand,
        again=asking.again,
    )


def _data(place: Bench, asking: Asking) -> DataVersion:
    data = place.retrain.data
    if not data.parameter:
        if asking.to:
            raise PolicyError(
                "--to says what a parameter moves to, and the policy moves none", "name it in `mlci.retrain.data`"
            )
        return DataVersion()
    file = Parameter.named(data.parameter).file
    current = parameter_in(History(place.root).read(place.base, file), data.parameter)
    if asking.to:
        if not _VALUE.fullmatch(asking.to):
            raise PolicyError(f"--to {asking.to!r} is no value of a parameter", "give one such as 2013-07")
        name = version_name(data, asking.to)
        return DataVersion(current=current, next=name, value=asking.to, newer=asking.to != current)
    return next_version(data, current, asking.now)


def _trained(place: Bench) -> datetime | None:
    """When the commit was made that last changed the model, or the lock that names it."""
    history = History(place.root)
    commit = next(history.touching(place.base, (place.model.path, "dvc.lock")), None)
    return history.repo.commit(commit).committed_datetime.astimezone(UTC) if commit and history.repo else None


def _watched(place: Bench) -> MonitorState | None:
    """What monitoring knows; None where nobody watches this model."""
    text = StateRef(place.root).read(place.model.name).text
    try:
        return MonitorState.model_validate_json(text) if text else None
    except ValidationError as error:
        raise WorldError(
            "what monitoring keeps was written by another version of mlci", "let `mlci monitor` look again"
        ) from error


def _alarms(watched: MonitorState | None, model: str, issues: tuple[ForgeIssue, ...]) -> tuple[AlarmOn, ...] | None:
    if watched is None or watched.told is None:
        return None
    numbers = {each.body.lstrip().partition("\n")[0].strip(): each.number for each in issues if each.open}
    return tuple(
        AlarmOn(
            cause=each.cause,
            since=each.since,
            headline=each.headline[:500],
            issue=numbers.get(issue_marker(model, each.cause)),
        )
        for each in watched.told.alarms
        if each.level in _GRAVE
    )


def _labels(watched: MonitorState | None, place: Bench, since: datetime | None) -> int | None:
    """Labels that arrived since the last training; None where nobody watches."""
    watch = place.policy.policy.monitor
    if watched is None or watch is None:
        return None
    seconds = watch.period.total_seconds()
    return sum(each.arrived for each in watched.seen if since is None or start_of(each.period, seconds) >= since)


def _told(pull: ForgePull) -> Attempt:
    """What the forge knows of a challenger that was offered."""
    at = mark_of(pull.body, "at")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        moment = datetime.fromtimestamp(0, UTC)
    end = "offered" if pull.open else "merged" if pull.merged else "closed"
    return Attempt(
        at=moment.replace(tzinfo=moment.tzinfo or UTC),
        data=mark_of(pull.body, "data"),
        end=end,
        commit=pull.head_sha,
        pull=pull.number,
    )


def _offered(
    place: Bench, mine: tuple[ForgePull, ...], attempts: tuple[Attempt, ...], tip: Tip, *, asked: bool
) -> Offered | None:
    """The pull request that is open; where there is no forge, our branch that is not merged yet."""
    pull = next((each for each in mine if each.open), None)
    if pull is None:
        last = attempts[-1] if attempts else None
        if asked or not tip.commit or last is None or last.commit != tip.commit:
            return None
        if place.branch.is_before(tip.commit, place.base):
            return None
        return Offered(number=0, data=last.data, outdated=_outdated(place, tip), foreign=not tip.ours)
    data = mark_of(pull.body, "data")
    return Offered(number=pull.number, data=data, outdated=_outdated(place, tip), foreign=not tip.ours, url=pull.url)


def _outdated(place: Bench, tip: Tip) -> bool:
    """Whether the base branch changed, since then, what the challenger was made of or what it changes itself."""
    parents = place.branch.parents(tip.commit) if tip.commit else ()
    if not parents or not tip.ours or place.branch.is_before(place.base, parents[0]):
        return False
    own = {*place.branch.changed(parents[0], tip.commit), *(History(place.root).path(each) for each in _PIPELINE)}
    return bool(own & {*place.branch.changed(parents[0], place.base)})


def unfinished(place: Bench, data: str) -> str:
    """The challenger on our branch that a run left which did not end, on this data and this base; else empty."""
    tip = place.branch.tip()
    if not tip.commit or not tip.ours or f"{DATA_TRAILER}: {data}" not in tip.message.splitlines():
        return ""
    return tip.commit if place.branch.parents(tip.commit) == (place.base,) else ""
