"""Answers of the models that are served, each kept in the log under an id of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from mlci.edges.serve.http import RefusedError, shown
from mlci.edges.serve.log import Joined, Label, LogError, PredictionLog, Record, now

if TYPE_CHECKING:
    import asyncio

    from mlci.edges.serve.counts import Counts
    from mlci.edges.serve.fields import Columns
    from mlci.edges.serve.side import Cast, Role, Side
    from mlci.nouns.serve import ServePolicy

_TEXT = msgspec.json.Encoder()
_LONGEST_ID = 100
_LABEL_KEYS = {"id", "label"}


class Predicted(NamedTuple):
    """The answer to one request.

    Attributes:
        side: The model that answered.
        ids: Of every row.
        predictions: Class or value of every row.
        scores: Of every row, in the order of the score columns.
    """

    side: Side
    ids: list[str]
    predictions: list[Any]
    scores: list[list[float]]


class Service:
    """What is served, its log and its counts."""

    def __init__(self, cast: Cast, policy: ServePolicy, log: PredictionLog | None, counts: Counts) -> None:
        self.policy = policy
        self.counts = counts
        self._log = log
        self.play(cast)

    def play(self, cast: Cast) -> None:
        """Serve these models from now on; requests that are under way end with those that they began with."""
        self.cast, self.refused = cast, ""
        self.counts.serving({role: side.served for role, side in cast.sides().items()})

    def reloaded(self, outcome: str, problem: str, *, once: bool) -> None:
        """Keep what became of a reload; of several workers, one counts it."""
        self.refused = problem
        self.counts.reloaded(outcome, refused=bool(problem), once=once)

    async def predict(self, side: Side, role: Role, columns: Columns, request: str) -> Predicted:
        """Ask a model, and keep its answer.

        Args:
            side: The model.
            role: What it is asked as.
            columns: Rows that were found in order.
            request: Id of the request, from which those of the rows are made.

        Raises:
            RefusedError: It may not answer, has no answer, or the log takes nothing.
        """
        if side.served.fault:
            raise RefusedError(503, f"the model is not ready: {side.served.fault}")
        at = now()
        answer = await side.batcher.ask(columns)
        rows = len(answer.predictions)
        ids = [request] if rows == 1 else [f"{request}-{place}" for place in range(rows)]
        predicted = Predicted(side, ids, answer.predictions, answer.scores)
        if self._log is not None:
            await self._keep(self._log, records(predicted, columns, at, role))
        self.counts.predicted(role, side.served.version, rows)
        return predicted

    async def _keep(self, log: PredictionLog, kept: list[Record]) -> None:
        try:
            done = log.predictions(kept)
            if self.policy.durable == "before-reply":
                await done
            else:
                done.add_done_callback(self._unkept)
        except LogError as error:
            self.counts.log_failures.inc()
            raise RefusedError(503, f"the prediction can't be kept in the log: {error}") from error

    def _unkept(self, done: asyncio.Future[list[Joined]]) -> None:
        if done.exception() is not None:
            self.counts.log_failures.inc()

    def look(self) -> None:
        """Bring up to date what is not counted as it happens."""
        if self._log is not None:
            self.counts.log_waiting.set(self._log.waiting)

    async def feedback(self, asked: object) -> list[dict[str, Any]]:
        """Join labels to their predictions.

        Raises:
            RefusedError: A label is none of the model, its prediction is unknown, or the log takes nothing.
        """
        if self._log is None:
            raise RefusedError(404, "this server keeps no log, so there is nothing to join a label to")
        many = asked if isinstance(asked, list) else [asked]
        if not 0 < len(many) <= self.policy.rows:
            raise RefusedError(413 if many else 400, f"{len(many):,} labels; expected: 1 to {self.policy.rows:,}")
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
        if not isinstance(asked, dict) or asked.keys() != _LABEL_KEYS:
            raise RefusedError(422, f"{shown(asked)} is no label; expected: an object with `id` and `label`")
        name, label = asked["id"], asked["label"]
        if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_ID:
            raise RefusedError(422, f"field 'id' is {shown(name)}; expected: the id of a prediction")
        classes = self.cast.current.served.signature.classes
        if classes:
            known = next((each for each in classes if type(each) is type(label) and each == label), None)
            if known is None:
                raise RefusedError(422, f"field 'label' is {shown(label)}; expected: one of {shown(list(classes))}")
        elif type(label) not in {int, float}:
            raise RefusedError(422, f"field 'label' is {shown(label)}; expected: a number")
        return Label(name, _text(label), now())

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
        """Write what waits."""
        if self._log is not None:
            self._log.close()


def records(answer: Predicted, columns: Columns, at: float, role: Role) -> list[Record]:
    """The rows of an answer, as they are stored.

    Args:
        answer: What a model said.
        columns: What it was asked.
        at: When, in seconds since 1970.
        role: What it was asked as.
    """
    side = answer.side
    served = side.served
    return [
        Record(
            name,
            at,
            served.name,
            served.version,
            served.commit,
            _text({each: columns[each][place] for each in side.stored}),
            _text(answer.predictions[place]),
            _text(dict(zip(side.score_columns, answer.scores[place], strict=True))),
            name,
            role,
        )
        for place, name in enumerate(answer.ids)
    ]


def _text(value: object) -> str:
    return _TEXT.encode(value).decode()
