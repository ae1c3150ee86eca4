"""Predictions of one row by one or two models in a process of its own, in turns.

Run as `python -m mlci.edges.software.latency`; reads an `_Order` on stdin and prints the answer.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from mlci.edges.onnx.score import decide
from mlci.edges.onnx.session import OnnxModel
from mlci.errors import WorldError
from mlci.nouns.software import Numbers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mlci.edges.software.rows import Row

_BLOCK = 0.03
"""Seconds that a block of one model takes, about: shorter than most disturbances last."""
_BLOCKS = 10
_FEWEST, _MOST = 300, 5_000
"""Predictions of a model in a session: the 99th percentile is of three of them at least."""
_WARM = 30
_PATIENCE = 600.0
_Columns = dict[str, "NDArray[Any]"]


def latency_of(models: Sequence[Path], rows: Sequence[Sequence[Row]]) -> list[Numbers]:
    """Measure in a new process; the models take turns, and the one named first begins.

    Args:
        models: One or two.
        rows: Of each.

    Raises:
        WorldError: A model can't answer.
    """
    order = {"models": [str(path) for path in models], "rows": rows}
    try:
        run = subprocess.run(  # noqa: S603 - this module
            [sys.executable, "-m", __name__],
            input=json.dumps(order),
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise WorldError(f"predictions of one row did not end within {_PATIENCE:.0f} s") from error
    if run.returncode != 0:
        told = run.stderr.strip().splitlines()[-1:] or ["no reason was given"]
        raise WorldError(f"predictions of one row can't be measured: {told[0][:300]}")
    return [Numbers.model_validate(each) for each in json.loads(run.stdout)]


class _Asked:
    """A model, its rows as it takes them, and how long its answers took."""

    def __init__(self, path: str, rows: list[Row]) -> None:
        self.model = OnnxModel.load(path)
        self.rows = [self._columns(row) for row in rows]
        self.times: list[float] = []
        self.cpu = 0.0
        self._next = 0
        self.block(_WARM)
        begin = time.perf_counter()
        self.block(_WARM)
        each = (time.perf_counter() - begin) / _WARM
        self.count = int(np.clip(_BLOCK / each, _FEWEST / _BLOCKS, _MOST / _BLOCKS))
        self.times, self.cpu = [], 0.0

    def _columns(self, row: Row) -> _Columns:
        texts = {each.name for each in self.model.signature.inputs if each.type == "string"}
        return {
            name: np.array(["" if value is None else value], dtype=object)
            if name in texts
            else np.array([value], dtype=np.int64 if "int64" in self.model.element(name) else np.float64)
            for name, value in row.items()
        }

    def block(self, count: int) -> None:
        """Ask one row after the other."""
        begun = time.process_time()
        for _ in range(count):
            row = self.rows[self._next % len(self.rows)]
            self._next += 1
            begin = time.perf_counter()
            decide(self.model.ask(row), self.model.signature, None)
            self.times.append(time.perf_counter() - begin)
        self.cpu += time.process_time() - begun

    def numbers(self) -> Numbers:
        p50, p99 = (float(each) for each in np.quantile(self.times, (0.5, 0.99)))
        return Numbers(latency_p50=p50, latency_p99=p99, cpu_latency=self.cpu / len(self.times))


def main() -> None:
    """Read an order, and print what was measured."""
    order = json.load(sys.stdin)
    asked = [_Asked(path, rows) for path, rows in zip(order["models"], order["rows"], strict=True)]
    for block in range(_BLOCKS):
        # A B, B A, …: what drifts meets both alike.
        for one in asked if block % 2 == 0 else reversed(asked):
            one.block(one.count)
    sys.stdout.write(json.dumps([one.numbers().model_dump() for one in asked]))


if __name__ == "__main__":
    main()
