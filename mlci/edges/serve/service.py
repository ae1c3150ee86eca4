"""Answers of the models that are served, each kept in the log under an id of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from mlci.edges.log.records import Record, now
from mlci.edges.serve.http import RefusedError
from mlci.edges.serve.keep import Keep
from mlci.edges.serve.shadow import Seen, Shadow

if TYPE_CHECKING:
    from mlci.edges.log.writer import PredictionLog
    from mlci.edges.serve.batch import Answer
    from mlci.edges.serve.counts import Counts
    from mlci.edges.serve.fields import Columns
    from mlci.edges.serve.side import Cast, Role, Side
    from mlci.nouns.serve import ServePolicy

_TEXT = msgspec.json.Encoder()


class Predicted(NamedTuple):
    """The answer to one request.

    Attributes:
        side: The model that answered.
        ids: Of every row.
        at: When, in seconds since 1970.
        predictions: Class or value of every row.
        scores: Of every row, in the order of the score columns.
        logged: Whether the log has it, or will have it; no label can join it otherwise.
    """

    side: Side
    ids: list[str]
    at: float
    predictions: list[Any]
    scores: list[list[float]]
    logged: bool = True


class Service:
    """What is served, its log and its counts."""

    def __init__(self, cast: Cast, policy: ServePolicy, log: PredictionLog | None, counts: Counts) -> None:
        self.policy = policy
        self.counts = counts
        self._keep = Keep(log, policy, counts)
        self.keeps, self.kept, self.kept_behind = self._keep.on, self._keep.each, self._keep.each_behind
        self._shadow = Shadow(self._shadowed, counts.shadowed)
        self.play(cast)

    def play(self, cast: Cast) -> None:
        """Serve these models from now on; requests that are under way end with those that they began with."""
        self.cast, self.refused = cast, ""
        waits_little = self.policy.durable == "before-reply" and self.policy.when_log_fails == "answer"
        alone = cast.canary is None and cast.shadow is None and not cast.current.served.fault
        self.ordinary = alone and not (self.keeps and waits_little)
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
        predicted = Predicted(side, ids, at, answer.predictions, answer.scores)
        logged = not self._keep.on or await self._keep.predictions(records(predicted, columns, role))
        self.counts.predicted(role, side.served.version, rows)
        return predicted if logged else predicted._replace(logged=False)

    def follow(self, predicted: Predicted, columns: Columns, shadow: Side) -> None:
        """Ask a shadow what was answered, once the client has its answer."""
        if predicted.logged:
            self._shadow.ask(Seen(shadow, columns, predicted.ids, predicted.at))

    def _shadowed(self, seen: Seen, answer: Answer) -> None:
        self.counts.predicted("shadow", seen.side.served.version, len(seen.ids))
        if not self._keep.on:
            return
        said = Predicted(seen.side, seen.ids, seen.at, answer.predictions, answer.scores)
        self._keep.behind(records(said, seen.columns, "shadow"))

    async def settle(self) -> None:
        """Wait for what is asked behind the replies."""
        await self._shadow.settle()

    def look(self) -> None:
        """Bring up to date what is not counted as it happens."""
        self._keep.look()

    async def feedback(self, asked: object) -> list[dict[str, Any]]:
        """Join labels to their predictions. Raises RefusedError: see `Keep.feedback`."""
        return await self._keep.feedback(asked, self.cast.current.served.signature)

    def close(self) -> int:
        """Write what waits; gives how many rows could not be."""
        self._shadow.close()
        return self._keep.close()


def records(answer: Predicted, columns: Columns, role: Role) -> list[Record]:
    """The rows of an answer, as they are stored.

    Args:
        answer: What a model said.
        columns: What it was asked.
        role: What it was asked as.
    """
    side = answer.side
    served = side.served
    return [
        Record(
            f"{name}.shadow" if role == "shadow" else name,
            answer.at,
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
