"""Requests that arrive in one turn of the event loop are answered by one call of the model."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mlci.edges.onnx.score import decide

if TYPE_CHECKING:
    from mlci.edges.onnx.session import OnnxModel
    from mlci.edges.serve.fields import Columns

_LONG = 256
"""Rows from which the model is asked beside the event loop, which answers others meanwhile."""


class Answer(NamedTuple):
    """What the model says of the rows of one request.

    Attributes:
        predictions: Class or value of every row.
        scores: Of every row, in the order of the signature's score columns.
    """

    predictions: list[Any]
    scores: list[list[float]]


class Batcher:
    """Asks the model for several requests at once, without waiting for more to come."""

    def __init__(self, model: OnnxModel, threshold: float | None) -> None:
        self._model = model
        self._threshold = threshold
        self._texts = {each.name for each in model.signature.inputs if each.type == "string"}
        self._waiting: list[tuple[Columns, asyncio.Future[Answer]]] = []
        self._aside = ThreadPoolExecutor(1, "mlci-model")

    def ask(self, columns: Columns) -> asyncio.Future[Answer]:
        """The answer to rows that were found in order."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._flush, loop)
        self._waiting.append((columns, future))
        return future

    def close(self) -> None:
        """End the thread beside the event loop."""
        self._aside.shutdown()

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        waiting, self._waiting = self._waiting, []
        columns = {name: [value for each, _ in waiting for value in each[name]] for name in waiting[0][0]}
        if _rows(columns) < _LONG:
            try:
                answer = self._answer(columns)
            except Exception as error:  # noqa: BLE001 - whoever waits gets it
                _fail(waiting, error)
            else:
                _share_out(waiting, answer)
            return
        aside = loop.run_in_executor(self._aside, self._answer, columns)
        aside.add_done_callback(lambda done: _arrived(waiting, done))

    def _answer(self, columns: Columns) -> Answer:
        # A missing number is NaN: numpy makes None so.
        arrays = {
            name: np.array(["" if value is None else value for value in values], dtype=object)
            if name in self._texts
            else np.array(values, dtype=np.float64 if self._model.element(name) != "tensor(int64)" else np.int64)
            for name, values in columns.items()
        }
        scores = self._model.ask(arrays)
        return Answer(decide(scores, self._model.signature, self._threshold).tolist(), scores.score.tolist())


def _arrived(waiting: list[tuple[Columns, asyncio.Future[Answer]]], done: asyncio.Future[Answer]) -> None:
    error = done.exception()
    if error is not None:
        _fail(waiting, error)
    else:
        _share_out(waiting, done.result())


def _fail(waiting: list[tuple[Columns, asyncio.Future[Answer]]], error: BaseException) -> None:
    for _, future in waiting:
        if not future.done():
            future.set_exception(error)


def _share_out(waiting: list[tuple[Columns, asyncio.Future[Answer]]], answer: Answer) -> None:
    start = 0
    for columns, future in waiting:
        end = start + _rows(columns)
        if not future.done():
            future.set_result(Answer(answer.predictions[start:end], answer.scores[start:end]))
        start = end


def _rows(columns: Columns) -> int:
    return len(next(iter(columns.values())))
