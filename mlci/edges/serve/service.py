"""Answers of one model, each kept in the log under an id of its own."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from mlci.edges.serve.batch import Batcher
from mlci.edges.serve.fields import Columns, Fields
from mlci.edges.serve.http import RefusedError, shown
from mlci.edges.serve.log import Joined, Label, LogError, PredictionLog, Record, now

if TYPE_CHECKING:
    import asyncio

    from mlci.edges.onnx.session import OnnxModel
    from mlci.edges.serve.counts import Counts
    from mlci.nouns.serve import Served, ServePolicy

_TEXT = msgspec.json.Encoder()
_LONGEST_ID = 100


class Predicted(NamedTuple):
    """The answer to one request.

    Attributes:
        ids: Of every row.
        predictions: Class or value of every row.
        scores: Of every row, in the order of the score columns.
    """

    ids: list[str]
    predictions: list[Any]
    scores: list[list[float]]


class Service:
    """One model, its log and its counts."""

    def __init__(
        self, model: OnnxModel, served: Served, policy: ServePolicy, log: PredictionLog | None, counts: Counts
    ) -> None:
        self.served = served
        self.policy = policy
        self.counts = counts
        self.fields = Fields(model, policy.rows)
        self.score_columns = served.signature.score_columns
        self._batcher = Batcher(model, served.threshold)
        self._log = log
        self._stored = [each.name for each in served.signature.inputs if each.name not in policy.private]
        if log is not None:
            counts.log_waiting.set_function(lambda: log.waiting)

    async def predict(self, columns: Columns) -> Predicted:
        """Ask the model, and keep its answer. Raises RefusedError: it may not answer, or the log takes nothing."""
        if self.served.fault:
            raise RefusedError(503, f"the model is not ready: {self.served.fault}")
        at = now()
        answer = await self._batcher.ask(columns)
        base = f"{int(at * 1000):011x}{secrets.token_hex(10)}"
        rows = len(answer.predictions)
        ids = [base] if rows == 1 else [f"{base}-{place}" for place in range(rows)]
        predicted = Predicted(ids, answer.predictions, answer.scores)
        if self._log is not None:
            await self._keep(self._log, columns, predicted, at)
        self.counts.predictions.inc(rows)
        return predicted

    async def _keep(self, log: PredictionLog, columns: Columns, answer: Predicted, at: float) -> None:
        try:
            done = log.predictions(self._records(columns, answer, at))
            if self.policy.durable == "before-reply":
                await done
            else:
                done.add_done_callback(self._unkept)
        except LogError as error:
            self.counts.log_failures.inc()
            raise RefusedError(503, f"the prediction can't be kept in the log: {error}") from error

    def _unkept(self, done: asyncio.Future[None]) -> None:
        if done.exception() is not None:
            self.counts.log_failures.inc()

    def _records(self, columns: Columns, answer: Predicted, at: float) -> list[Record]:
        served = self.served
        return [
            Record(
                answer.ids[place],
                at,
                served.name,
                served.version,
                served.commit,
                _text({name: columns[name][place] for name in self._stored}),
                _text(answer.predictions[place]),
                _text(dict(zip(self.score_columns, answer.scores[place], strict=True))),
                answer.ids[place],
            )
            for place in range(len(answer.ids))
        ]

    async def feedback(self, asked: object) -> list[dict[str, Any]]:
        """Join labels to their predictions.

        Raises:
            RefusedError: A label is none of the model, its prediction is unknown, or the log takes nothing.
        """
        if self._log is None:
            raise RefusedError(404, "this server keeps no log, so there is nothing to join a label to")
        many = asked if isinstance(asked, list) else [asked]
        if not 0 < len(many) <= self.policy.rows:
            raise RefusedError(400, f"{len(many):,} labels; expected: 1 to {self.policy.rows:,}")
        labels = [self._label(each) for each in many]
        try:
            joined = await self._log.feedback(labels)
        except LogError as error:
            self.counts.log_failures.inc()
            raise RefusedError(503, f"the label can't be kept in the log: {error}") from error
        unknown = [label.id for label, each in zip(labels, joined, strict=True) if not each.known]
        if unknown:
            raise RefusedError(404, f"there is no prediction {shown(unknown[0])}; nothing was stored")
        return [self._told(label, each) for label, each in zip(labels, joined, strict=True)]

    def _label(self, asked: object) -> Label:
        if not isinstance(asked, dict) or asked.keys() != {"id", "label"}:
            raise RefusedError(422, f"{shown(asked)} is no label; expected: an object with `id` and `label`")
        if not isinstance(asked["id"], str) or not 0 < len(asked["id"]) <= _LONGEST_ID:
            raise RefusedError(422, f"field 'id' is {shown(asked['id'])}; expected: the id of a prediction")
        label, classes = asked["label"], self.served.signature.classes
        if classes:
            known = next((each for each in classes if type(each) is type(label) and each == label), None)
            if known is None:
                raise RefusedError(422, f"field 'label' is {shown(label)}; expected: one of {shown(list(classes))}")
        elif type(label) not in {int, float}:
            raise RefusedError(422, f"field 'label' is {shown(label)}; expected: a number")
        return Label(asked["id"], _text(label), now())

    def _told(self, label: Label, joined: Joined) -> dict[str, Any]:
        contradicts = joined.contradicts
        outcome = "duplicate" if joined.duplicate else "stored" if contradicts is None else "contradiction"
        self.counts.feedback.labels(outcome).inc()
        told: dict[str, Any] = {"id": label.id, "outcome": outcome, "seconds_after": round(joined.after, 3)}
        told |= dict(zip(("model", "version", "commit"), joined.made_by, strict=True))
        if contradicts is not None:
            told["contradicts"] = msgspec.json.decode(contradicts)
        return told

    def close(self) -> None:
        """Write what waits, and let go of the threads."""
        self._batcher.close()
        if self._log is not None:
            self._log.close()


def _text(value: object) -> str:
    return _TEXT.encode(value).decode()
