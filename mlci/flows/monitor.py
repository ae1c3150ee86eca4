"""Look at production: what is new in the log is counted, judged, kept and told."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from mlci.edges.dvc_pull import pull_files
from mlci.edges.git import History
from mlci.edges.log.window import read_window, window_schema
from mlci.edges.monitor_state import StateFile, StateRef
from mlci.edges.reference_rows import read_reference_rows
from mlci.edges.revisions import Revisions
from mlci.edges.service_metrics import read_counts
from mlci.errors import PolicyError, WorldError
from mlci.flows.monitor_memory import Looked, finished, look_at, model_and_policy, reference_of
from mlci.flows.monitor_promises import check_inputs
from mlci.judge.monitor.alarms import in_order
from mlci.judge.monitor.limits import Service, data_alarm, software_alarm, stale_alarm
from mlci.judge.monitor.look import oldest, start_of
from mlci.nouns.monitoring import Monitoring, MonitorState
from mlci.nouns.serve import ServePolicy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlci.edges.monitor_state import Kept
    from mlci.judge.monitor.reference import Made
    from mlci.nouns.alarm import Alarm, Cause
    from mlci.nouns.policy import PolicyFile

_TRIES = 10
_TOO_OLD = 3
"""Periods after which the last look says nothing of now."""


class Watching(NamedTuple):
    """How a look is made.

    Attributes:
        root: Folder of the project.
        policy: Its policy.
        now: The moment of the look; predictions from then on are left alone.
        log: Where the predictions are; empty: what the policy says.
        version: Only predictions of this version; None: of all.
        state: File to keep the state in; None: the repository's ref.
        keep: Whether to keep the new state.
        say: Told what is being done.
    """

    root: Path
    policy: PolicyFile
    now: datetime
    log: str = ""
    version: str | None = None
    state: Path | None = None
    keep: bool = True
    say: Callable[[str], None] = lambda _: None


def monitor(asked: Watching) -> Monitoring:
    """Look at production once.

    Whoever looks at the same time counts the same: one of them keeps it, the others look again at what that one left.

    Raises:
        PolicyError: The policy names no model, or something that is not there.
        WorldError: The log, the reference or the state can't be read, or that can't be kept; then nothing is counted.
    """
    model, _ = model_and_policy(asked.policy)
    store = StateFile(asked.state) if asked.state is not None else StateRef(asked.root)
    for _ in range(_TRIES):
        kept = store.read(model.name)
        before = _state(kept)
        looked = _look(asked, before)
        text = looked.state.model_dump_json(exclude_defaults=True)
        if not asked.keep or before == looked.state or store.write(model.name, text, kept.version):
            return looked.found
        asked.say("somebody else looked at the same time; looking again")
    raise WorldError("others look at the same time, again and again", "see how often `mlci monitor` is run")


def last_look(asked: Watching) -> Monitoring:
    """What the last look found, without looking: what a promotion asks for health.

    Raises:
        PolicyError: The policy names no model.
        WorldError: The state can't be read, nobody has looked yet, or not for so long that nobody knows.
    """
    model, watch = model_and_policy(asked.policy)
    store = StateFile(asked.state) if asked.state is not None else StateRef(asked.root)
    known = _state(store.read(model.name))
    if known is None or known.told is None:
        raise WorldError(f"nobody has looked at {model.name} yet", "`mlci monitor`")
    looked = start_of(known.until, watch.period.total_seconds())
    if asked.now - looked > _TOO_OLD * watch.period:
        raise WorldError(
            f"{model.name} is known up to {looked:%Y-%m-%d %H:%M} UTC only, which says nothing of now",
            "see whether predictions still come and `mlci monitor` still runs",
        )
    return known.told.model_copy(update={"seen": known.seen})


def _state(kept: Kept) -> MonitorState | None:
    if not kept.text:
        return None
    try:
        return MonitorState.model_validate_json(kept.text)
    except ValidationError as error:
        raise WorldError(
            "what monitoring keeps was written by another version of mlci",
            "install that version, or begin anew: `git push origin :refs/mlci/monitor`",
        ) from error


def _look(asked: Watching, before: MonitorState | None) -> Looked:
    policy = asked.policy
    _, watch = model_and_policy(policy)
    subject = _subject(asked)
    seconds = watch.period.total_seconds()
    if before is not None and before.reference.subject == subject:
        known: MonitorState | Made = before
        since = start_of(oldest(before, watch), seconds)
        if _nothing_new(asked, before):
            return _told_again(asked, before)
    else:
        known = _reference(asked, subject)
        # Another model is not judged by what the one before it answered.
        since = start_of(before.until, seconds) if before is not None else asked.now - watch.horizon
    log = asked.log or watch.log or (policy.policy.serve or ServePolicy()).log
    asked.say(f"reading {log}")
    signature = known.reference.signature
    private = policy.policy.serve.private if policy.policy.serve is not None else ()
    batches = read_window(
        log, since, asked.now, signature, root=asked.root, version=asked.version, private=private, names=watch.names
    )
    window = pa.Table.from_batches(batches, window_schema(signature))
    looked = look_at(policy, known, window, until=asked.now)
    state = looked.state
    newest = state.until - max(1, round(watch.window / watch.period))
    start, end = (pa.scalar(start_of(each, seconds), pa.timestamp("us", "UTC")) for each in (newest, state.until))
    at = window.column("predicted_at")
    part = window.filter(pc.and_(pc.greater_equal(at, start), pc.less(at, end)))
    findings, broken = check_inputs(policy, part, now=asked.now, private=private, streams=len(state.streams))
    before_told = before.told if before is not None else None
    found = looked.found.model_copy(update={"findings": findings})
    data = data_alarm(broken, watch.data_level, found.looked, _earlier(before_told, "data"))
    return _with_limits(asked, found, (*looked.found.alarms, *data), before_told, state)


def _with_limits(
    asked: Watching, found: Monitoring, on: tuple[Alarm, ...], before: Monitoring | None, state: MonitorState
) -> Looked:
    """A look with the alarms about limits, which hold whether or not anything new was counted."""
    model, watch = model_and_policy(asked.policy)
    stale = stale_alarm(found, watch, asked.now, _changed(asked, model.path), _earlier(before, "staleness"))
    software = software_alarm(found, watch, asked.now, _service(asked), _earlier(before, "software"))
    return finished(found, before, in_order((*on, *stale, *software)), state)


def _nothing_new(asked: Watching, before: MonitorState) -> bool:
    """Whether no period has ended since the last look, and no limit is on the age of what only the log tells."""
    _, watch = model_and_policy(asked.policy)
    if before.told is None or watch.stale.rows is not None or watch.stale.labels is not None:
        return False
    return asked.now < start_of(before.until + 1, watch.period.total_seconds())


def _told_again(asked: Watching, before: MonitorState) -> Looked:
    """What the last look found, with the limits of this moment; the log is not read."""
    assert before.told is not None  # noqa: S101 - asked by `_nothing_new`
    told = before.told.model_copy(update={"seen": before.seen})
    kept = tuple(each for each in told.alarms if each.cause not in {"staleness", "software"})
    looked = _with_limits(asked, told, kept, before.told, before)
    same = looked.found.alarms == before.told.alarms
    return Looked(looked.found, before if same else looked.state)


def _earlier(before: Monitoring | None, cause: Cause) -> Alarm | None:
    alarms = before.alarms if before is not None else ()
    return next((each for each in alarms if each.cause == cause), None)


def _paths(asked: Watching) -> tuple[str, str, str]:
    """The reference's table, the model's answers to it, and the model."""
    model, watch = model_and_policy(asked.policy)
    gate = asked.policy.policy.gate
    table = watch.reference or (gate.test if gate is not None else "")
    if not table:
        raise PolicyError(
            f"{asked.policy.place('monitor')}: nothing is named to compare production with",
            "`mlci.monitor.reference`: labelled rows that the model was not trained on",
        )
    return table, watch.predictions or (gate.predictions if gate is not None else ""), model.path


def _subject(asked: Watching) -> str:
    """Digest of what the reference is made of, as far as the repository names it."""
    model, watch = model_and_policy(asked.policy)
    revisions = Revisions(asked.root, History(asked.root))
    told = {
        "model": model.model_dump(mode="json", exclude={"purpose", "owner", "population"}),
        "monitor": watch.model_dump(
            mode="json", include={"metrics", "calibration", "drift", "period", "horizon", "alpha"}
        ),
        "version": asked.version,
        "files": {
            path: revisions.version_recorded(path) or revisions.version_now(path) for path in _paths(asked) if path
        },
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _reference(asked: Watching, subject: str) -> Made:
    table, predictions, model = _paths(asked)
    pull_files(asked.root, [path for path in (table, predictions, model) if path], asked.say)
    signature = None
    if (asked.root / model).is_file():
        # Only here: the runtime takes half a second to load.
        from mlci.edges.onnx.session import OnnxModel  # noqa: PLC0415

        signature = OnnxModel.load(asked.root / model).signature
    asked.say(f"reading the reference {table}")
    rows, known = read_reference_rows(asked.root, asked.policy, table, predictions, signature)
    return reference_of(asked.policy, rows, known, subject)


def _changed(asked: Watching, model: str) -> datetime | None:
    """When the commit was made that last changed the model, or the lock that names it."""
    history = History(asked.root)
    if not history.head or history.repo is None:
        return None
    commit = next(history.touching("HEAD", (model, "dvc.lock")), None)
    return history.repo.commit(commit).committed_datetime.astimezone(UTC) if commit else None


def _service(asked: Watching) -> Service | None:
    _, watch = model_and_policy(asked.policy)
    if not watch.software.metrics:
        return None
    counts = read_counts(asked.root, watch.software.metrics)
    limit = (watch.software.latency_p99 or timedelta(seconds=1)).total_seconds()
    slow, end = counts.slower(limit)
    return Service(counts.requests, counts.errors, slow, end)
