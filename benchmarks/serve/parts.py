"""Where mlci's time goes: each step of an answer, by itself, in this process."""

from __future__ import annotations

import gc
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import onnxruntime as ort
from contestants import MODEL
from rows import named, rows

from mlci.edges.onnx.session import OnnxModel
from mlci.edges.serve.counts import Counts
from mlci.edges.serve.lane import ids, records_of
from mlci.edges.serve.side import Side
from mlci.nouns.serve import Served, ServePolicy

if TYPE_CHECKING:
    from collections.abc import Callable

TOGETHER = 16
"""Requests that are answered together where 32 are under way, about."""
CALLS = 400


def measured(repeat: int) -> dict[str, list[float]]:
    """CPU seconds per request of every step; one number for each repetition."""
    with ThreadPoolExecutor(1) as aside:
        steps = _steps(aside)
        found: dict[str, list[float]] = {name: [] for name in steps}
        for _ in range(repeat):
            for name, (step, requests) in steps.items():
                found[name].append(_seconds(step) / requests)
    return found


def _steps(aside: ThreadPoolExecutor) -> dict[str, tuple[Callable[[], object], int]]:
    """Each step, and for how many requests it is done at once."""
    model = OnnxModel.load(MODEL)
    served = Served(name="flights", version="v1", commit="c" * 40, signature=model.signature, threshold=0.2)
    side = Side(model, served, ServePolicy(), aside)
    counts = Counts()
    encode = msgspec.json.Encoder().encode
    body = named(rows(1)[0])
    found = [side.fields.row_of(named(row)) for row in rows(TOGETHER)]
    values = [msgspec.structs.astuple(each) for each in found]
    answer = side.batcher.of_rows(values[:1])
    told = {"id": "1" * 31, "prediction": 1, "scores": {"score": answer.scores[0][0]}, **side.about}
    alone, together = _runtime(1), _runtime(TOGETHER)
    return {
        "read and check the row": (lambda: msgspec.structs.astuple(side.fields.row_of(body)), 1),
        "ONNX Runtime, one row": (alone, 1),
        f"ONNX Runtime, {TOGETHER} rows": (together, TOGETHER),
        "the model and around it, one row": (lambda: side.batcher.of_rows(values[:1]), 1),
        f"the model and around it, {TOGETHER} rows": (lambda: side.batcher.of_rows(values), TOGETHER),
        "write the answer": (lambda: encode(told), 1),
        "id and counts": (lambda: _count(counts), TOGETHER),
        "the row for the log": (lambda: records_of(side, found[:1], ["1" * 31], answer, 0.0), 1),
    }


def _runtime(count: int) -> Callable[[], object]:
    """The model's file with nothing around it, asked with tensors that are there already."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(MODEL, options, providers=["CPUExecutionProvider"])
    asked = rows(count)
    feeds = {
        each.name: np.array(
            [[row[each.name]] for row in asked], dtype=object if each.type == "tensor(string)" else np.float64
        )
        for each in session.get_inputs()
    }
    return lambda: session.run(None, feeds)


def _count(counts: Counts) -> None:
    ids(time.time(), TOGETHER)
    counts.answered_together("/predict", 200, [0.001] * TOGETHER)
    counts.predicted("current", "v1", TOGETHER)


def _seconds(step: Callable[[], object]) -> float:
    """CPU seconds of one call: the median over ten groups of calls."""
    step()
    gc.collect()
    groups = []
    for _ in range(10):
        begin = time.process_time_ns()
        for _ in range(CALLS // 10):
            step()
        groups.append((time.process_time_ns() - begin) / 1e9 / (CALLS // 10))
    return float(np.median(groups))
