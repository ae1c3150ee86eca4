"""Requests that arrive in one turn of the event loop are answered by one call of the model."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mlci.edges.onnx.score import decide
from mlci.edges.serve.http import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from mlci.edges.onnx.session import OnnxModel
    from mlci.edges.serve.fields import Columns

LONG = 256
"""Rows from which the model is asked beside the event loop, which answers others meanwhile."""
_LONG_SECONDS = 0.005
"""CPU time of a call, on average, from which every call is made there."""
_REMEMBERED = 8
"""Calls that the average goes back, about."""


class Answer(NamedTuple):
    """What the model says of the rows of one request.

    Attributes:
        predictions: Class or value of every row.
        scores: Of every row, in the order of the signature's score columns.
    """

    predictions: list[Any]
    scores: list[list[float]]


_Waiting = tuple["Columns", asyncio.Future[Answer]]


class Batcher:
    """Asks the model for several requests at once, without waiting for more to come."""

    def __init__(self, model: OnnxModel, threshold: float | None, aside: Executor) -> None:
        self._model = model
        self._threshold = threshold
        self._kinds: dict[str, Any] = {each.name: _kind(model, each.name) for each in model.signature.inputs}
        self._waiting: list[_Waiting] = []
        self._aside = aside
        self._seconds = 0.0
        self._names = list(self._kinds)
        self._alike: dict[tuple[Any, Any], list[int]] = {}
        for place, (name, read) in enumerate(self._kinds.items()):
            self._alike.setdefault((read, model.kinds[name]), []).append(place)

    @property
    def slow(self) -> bool:
        """Whether a call takes so long that others can't be left waiting for it."""
        return self._seconds > _LONG_SECONDS

    def ask(self, columns: Columns) -> asyncio.Future[Answer]:
        """The answer to rows that were found in order; RefusedError where the model gives no number for one."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._flush, loop)
        self._waiting.append((columns, future))
        return future

    def answer(self, columns: Columns) -> Answer:
        """The same at once, from any thread.

        Raises:
            RefusedError: The model gives no number for a row.
            WorldError: The model can't answer.
        """
        return self._answer(columns[name] for name in self._kinds)

    def of_rows(self, rows: list[tuple[Any, ...]]) -> Answer:
        """The same of rows whose values stand in the order of the model's inputs."""
        return self._answer(zip(*rows, strict=True))

    def _answer(self, columns: Iterable[Sequence[Any]]) -> Answer:
        begin = time.thread_time()
        scores = self._model.feed(self._tensors(list(columns)))
        if len(scores.outputs) < LONG:
            self._seconds += (time.thread_time() - begin - self._seconds) / _REMEMBERED
        if not np.isfinite(scores.outputs).all():
            row = int(np.flatnonzero(~np.isfinite(scores.outputs).all(axis=1))[0])
            raise RefusedError(
                422, f"row {row + 1}: the model gives no number for it; expected: values like those it was trained on"
            )
        return Answer(decide(scores, self._model.signature, self._threshold).tolist(), scores.score.tolist())

    def _tensors(self, columns: Sequence[Sequence[Any]]) -> dict[str, NDArray[Any]]:
        """One array for all inputs of a type, cut up: making one takes numpy longer than filling it."""
        tensors: dict[str, NDArray[Any]] = {}
        for (read, kind), places in self._alike.items():
            values = [columns[place] for place in places]
            if read is object:
                values = [["" if value is None else value for value in each] for each in values]
            # A missing number is NaN: numpy makes None so.
            block = np.array(values, dtype=read).astype(kind, copy=False)
            tensors.update(zip((self._names[place] for place in places), block[:, :, None], strict=True))
        return tensors

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        waiting, self._waiting = self._waiting, []
        if not self.slow and sum(rows_of(columns) for columns, _ in waiting) < LONG:
            _share_out(waiting, self.together([columns for columns, _ in waiting]))
            return
        # Short requests don't wait for long ones.
        short = [one for one in waiting if rows_of(one[0]) < LONG]
        for group in (short, *([one] for one in waiting if rows_of(one[0]) >= LONG)):
            if group:
                aside = loop.run_in_executor(self._aside, self.together, [columns for columns, _ in group])
                aside.add_done_callback(lambda done, group=group: _share_out(group, done.result()))  # type: ignore[misc] # mypy can't infer a lambda with a default

    def together(self, waiting: list[Columns]) -> list[Answer | Exception]:
        """An answer or a fault for every request, from any thread; the fault of one leaves the others their answers."""
        try:
            if len(waiting) == 1:
                return [self.answer(waiting[0])]
            columns = {name: [value for each in waiting for value in each[name]] for name in self._kinds}
            whole = self.answer(columns)
        except Exception as error:  # noqa: BLE001 - whoever waits gets it
            if len(waiting) == 1:
                return [error]
            return [self.together([one])[0] for one in waiting]
        parts: list[Answer | Exception] = []
        start = 0
        for each in waiting:
            end = start + rows_of(each)
            parts.append(Answer(whole.predictions[start:end], whole.scores[start:end]))
            start = end
        return parts


def _kind(model: OnnxModel, name: str) -> Any:  # noqa: ANN401 - what numpy takes as a dtype
    element = model.element(name)
    return {"tensor(string)": object, "tensor(int64)": np.int64}.get(element, np.float64)


def _share_out(waiting: list[_Waiting], answers: list[Answer | Exception]) -> None:
    for (_, future), answer in zip(waiting, answers, strict=True):
        if future.done():
            continue
        if isinstance(answer, Answer):
            future.set_result(answer)
        else:
            future.set_exception(answer)


def rows_of(columns: Columns) -> int:
    """How many rows there are."""
    return len(next(iter(columns.values())))
