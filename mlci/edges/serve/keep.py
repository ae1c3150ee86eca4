"""What a server does with its log: keep predictions, join labels, and say what it could not keep."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
from typing import TYPE_CHECKING, Any

import msgspec

from mlci.edges.log.database import Work
from mlci.edges.log.records import Joined, Label, LogError, LostError, RowError, now
from mlci.edges.serve.http import RefusedError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.edges.log.records import Record
    from mlci.edges.log.writer import PredictionLog
    from mlci.edges.serve.counts import Counts
    from mlci.nouns.serve import ServePolicy
    from mlci.nouns.signature import Signature

_ENCODER = msgspec.json.Encoder()
_LONGEST = 100
_PATIENCE = 1.0
"""Seconds after which a log that says nothing takes nothing, where answers don't depend on it."""
_RETRY = ((b"retry-after", b"1"),)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_KEYS = {"id", "label", "source"}


class Keep:
    """The log of one server process, and what the policy says of it.

    Args:
        log: None where nothing is kept.
        policy: Whether answers wait for the log, and what happens where it takes nothing.
        counts: Told what became of predictions and labels.
    """

    def __init__(self, log: PredictionLog | None, policy: ServePolicy, counts: Counts) -> None:
        self._log = log
        self._policy = policy
        self._counts = counts
        self.on = log is not None
        self._silent = False

    async def predictions(self, records: Sequence[Record]) -> bool:
        """Keep predictions, as durably as the policy says.

        Returns:
            Whether they are kept; False only where the policy rather answers than keeps.

        Raises:
            RefusedError: The log takes nothing, and the policy refuses.
        """
        if self._log is None:
            return True
        try:
            if self._policy.durable == "before-reply" and self._policy.when_log_fails == "answer":
                await self._soon(self._log, records)
            elif self._policy.durable == "before-reply":
                await self._log.written(Work(records=records))
            else:
                done = self._log.predictions(records, behind=True)
                done.add_done_callback(lambda done: self._behind(done, len(records)))
        except LogError as error:
            self._failed(len(records))
            if self._policy.when_log_fails == "answer":
                return False
            said = f"the prediction can't be kept in the log, so it isn't given: {_reason(error)}"
            raise RefusedError(503, said, headers=_RETRY) from error
        return True

    async def each(self, records: Sequence[Record]) -> dict[int, RefusedError]:
        """Keep predictions, each of a request of its own, before they are answered.

        Returns:
            What those are told that can't be kept, by their places; what the log can't hold of one leaves the others.
        """
        if self._log is None:
            return {}
        try:
            left: Sequence[int] = await self._log.written_apart(records)
            error = LogError("it can't hold this") if left else None
        except LogError as failed:
            left, error = range(len(records)), failed
        if error is None:
            return {}
        self._failed(len(left))
        said = f"the prediction can't be kept in the log, so it isn't given: {_reason(error)}"
        return dict.fromkeys(left, RefusedError(503, said, headers=_RETRY))

    def each_behind(self, records: Sequence[Record]) -> bool:
        """Keep the same behind their answers; False where more wait already than may, and nothing is kept."""
        if self._log is None:
            return True
        try:
            done = self._log.predictions(records, behind=True, apart=True)
        except LogError:
            return False
        done.add_done_callback(lambda done: self._behind(done, len(records)))
        return True

    async def _soon(self, log: PredictionLog, records: Sequence[Record]) -> None:
        """Keep predictions, and wait for it a second. Raises LogError where the log takes nothing or says nothing."""
        if self._silent:
            raise LogError("it doesn't answer")
        done = log.predictions(records)
        # Who runs out of time meanwhile is answered too: what is on its way into the log can't be called back.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([done], timeout=_PATIENCE)
        if not done.done():
            # Until it has said something, nobody else waits for it.
            self._silent = True
            done.add_done_callback(self._speaks)
            raise LogError("it doesn't answer")
        await done

    def _speaks(self, done: asyncio.Future[list[Joined]]) -> None:
        self._silent = False
        done.exception()

    def behind(self, records: Sequence[Record]) -> None:
        """Keep predictions that no client waits for; what the log doesn't take is counted."""
        if self._log is None:
            return
        try:
            done = self._log.predictions(records, behind=True)
        except LogError:
            self._failed(len(records))
            return
        done.add_done_callback(lambda done: self._behind(done, len(records)))

    def _behind(self, done: asyncio.Future[list[Any]], rows: int) -> None:
        if done.exception() is not None:
            self._failed(rows)
        elif left := done.result():
            self._failed(len(left))

    def _failed(self, rows: int) -> None:
        self._counts.log_failures.inc()
        self._counts.unlogged.inc(rows)

    async def feedback(self, asked: object, signature: Signature) -> list[dict[str, Any]]:
        """Join labels to their predictions: all of them, or none.

        Raises:
            RefusedError: A label is none of the model, its prediction is unknown, or the log takes nothing.
        """
        if self._log is None:
            raise RefusedError(404, "this server keeps no log, so there is nothing to join a label to")
        many = asked if isinstance(asked, list) else [asked]
        if not 0 < len(many) <= self._policy.rows:
            raise RefusedError(413 if many else 400, f"{len(many):,} labels; expected: 1 to {self._policy.rows:,}")
        labels = [_label(each, signature) for each in many]
        try:
            joined = await self._log.written(Work(labels=labels))
        except LogError as error:
            self._counts.log_failures.inc()
            said = f"nothing was stored: the log takes no label: {_reason(error)}"
            raise RefusedError(503, said, headers=_RETRY) from error
        unknown = [label.id for label, each in zip(labels, joined, strict=True) if not each.known]
        if unknown:
            self._counts.feedback.labels("unknown").inc(len(unknown))
            raise RefusedError(404, _unknown(unknown, len(labels)), {"unknown": unknown})
        return [self._told(label, each) for label, each in zip(labels, joined, strict=True)]

    def _told(self, label: Label, joined: Joined) -> dict[str, Any]:
        contradicts = joined.contradicts
        outcome = "duplicate" if joined.duplicate else "stored" if contradicts is None else "contradiction"
        self._counts.feedback.labels(outcome).inc()
        told: dict[str, Any] = {"id": label.id, "outcome": outcome, "seconds_after": round(joined.after, 3)}
        told |= dict(zip(("model", "version", "commit"), joined.made_by, strict=True))
        if contradicts is not None:
            told["contradicts"] = msgspec.json.decode(contradicts)
        return told

    def look(self) -> None:
        """Bring up to date what is not counted as it happens."""
        if self._log is not None:
            self._counts.log_waiting.set(self._log.waiting)
            self._counts.log_up.set(not self._log.fault and not self._silent)

    def close(self) -> int:
        """Write what waits; gives how many rows could not be."""
        return self._log.close() if self._log is not None else 0


def _label(asked: object, signature: Signature) -> Label:
    if not isinstance(asked, dict):
        raise RefusedError(422, "a label is expected to be an object with `id` and `label`")
    # Names only: somebody may have sent the inputs along, and some may be private.
    strange, lacking = sorted(asked.keys() - _KEYS), [key for key in ("id", "label") if key not in asked]
    if strange or lacking:
        what = f"has a field {shown(strange[0])}" if strange else f"has no field '{lacking[0]}'"
        raise RefusedError(422, f"a label {what}; expected: `id`, `label` and perhaps `source`")
    name, source = asked["id"], asked.get("source", "")
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST:
        raise RefusedError(422, f"field 'id' is {shown(name)}; expected: the id of a prediction")
    if not isinstance(source, str) or len(source) > _LONGEST or _CONTROL.search(source):
        raise RefusedError(
            422, f"field 'source' is {shown(source)}; expected: at most {_LONGEST} letters without control characters"
        )
    # A zero byte is in no id of ours, and PostgreSQL takes none.
    return Label(name.replace("\0", "?"), _value(asked["label"], signature), now(), source)


def _value(label: object, signature: Signature) -> str:
    """A label as JSON, equal ones as equal texts."""
    if signature.classes:
        known = next((each for each in signature.classes if type(each) is type(label) and each == label), None)
        if known is None:
            classes = shown(list(signature.classes))
            raise RefusedError(422, f"field 'label' is {shown(label)}; expected: one of {classes}")
        return _ENCODER.encode(known).decode()
    try:
        number = float(label) if type(label) in {int, float} else math.nan  # type: ignore[arg-type] # numbers only
    except OverflowError:
        number = math.nan
    if not math.isfinite(number):
        raise RefusedError(422, f"field 'label' is {shown(label)}; expected: a number")
    return _ENCODER.encode(number).decode()


def _unknown(unknown: list[str], labels: int) -> str:
    first = f"there is no prediction {shown(unknown[0])}: it was never kept, or longer ago than the log goes back"
    if labels == 1:
        return first
    return f"{len(unknown):,} of {labels:,} labels are of unknown predictions, so none was stored; {first}"


def _reason(error: LogError) -> str:
    """Why the log takes nothing, without where it is: that is the operator's business."""
    if isinstance(error, LostError):
        return "its database can't be reached"
    return "it can't hold this" if isinstance(error, RowError) else str(error)
