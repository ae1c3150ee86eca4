"""What models of the past answer: their metrics on a period's rows, as a window of predictions, and before the gate."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from mlci import __version__
from mlci.edges.files import read_text, write_text
from mlci.edges.judging_room import judging_room
from mlci.edges.onnx.score import score_table
from mlci.edges.onnx.session import OnnxModel
from mlci.edges.predictions import PredictionFiles
from mlci.edges.replay_rows import read_past_rows
from mlci.edges.row_digests import read_row_digests
from mlci.errors import WorldError
from mlci.flows.compare import compare
from mlci.flows.replay_case import judging_files, kept_files
from mlci.judge.contrast import point
from mlci.nouns.metric import TASK_METRICS
from mlci.nouns.replay import Judged
from mlci.render.json import to_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pyarrow as pa

    from mlci.edges.predictions import Loaded
    from mlci.flows.replay_case import Past
    from mlci.nouns.signature import Signature


def signature_of(past: Past, model: Path) -> Signature:
    """Of a model of the past.

    Raises:
        WorldError: The stages did not write it.
    """
    return OnnxModel.load(_there(model / past.model.path, past.model.path)).signature


def answers(past: Past, model: Path, rows: Path) -> str:
    """Let a model answer a period's rows; the file of its predictions, relative to the rows' folder.

    Args:
        past: What is replayed.
        model: Folder of the model.
        rows: Folder of the period.

    Raises:
        WorldError: The model cannot answer these rows.
    """
    if model == rows:
        return past.gate.predictions
    loaded = OnnxModel.load(_there(model / past.model.path, past.model.path))
    name = f"answers/{hashlib.sha256(loaded.md5.encode()).hexdigest()[:24]}.parquet"
    if not (rows / name).is_file():
        (rows / name).parent.mkdir(exist_ok=True)
        threshold = past.model.threshold if past.model.task == "binary" else None
        score_table(
            loaded, rows / past.gate.test, rows / name, id=past.model.id, label=past.model.label, threshold=threshold
        )
    return name


def window_of(past: Past, model: Path, rows: Path, signature: Signature) -> pa.Table:
    """A period's rows as they would stand in the log of a model. Raises WorldError as `read_past_rows` does."""
    given = answers(past, model, rows)
    return read_past_rows(rows, past.policy, past.gate.test, given, signature, past.replay)


def metrics_of(past: Past, model: Path, rows: Path) -> dict[str, float]:
    """Metrics of a model on a period's rows; cost is that of a row."""
    sample = _loaded(past, model, rows).sample
    names = dict.fromkeys((*TASK_METRICS[past.model.task], *past.gate.metrics))
    found: dict[str, float] = {}
    for name in names:
        if name == "cost" and past.model.cost is None:
            continue
        value = point(name, sample, sample.new, past.model.cost)
        if value is not None:
            found[name] = value
    return found


def positives_of(past: Past, model: Path, rows: Path) -> float | None:
    """Share of positive labels; None where the task has none."""
    if past.model.task != "binary":
        return None
    return float(_loaded(past, model, rows).sample.label.mean())


def _loaded(past: Past, model: Path, rows: Path) -> Loaded:
    gate = past.gate.model_copy(update={"predictions": answers(past, model, rows), "slices": type(past.gate.slices)()})
    policy = replace(past.judging, policy=past.judging.policy.model_copy(update={"gate": gate}))
    return PredictionFiles(rows, policy).load(trained_on=[])


def ask_gate(past: Past, current: Path, challenger: Path, say: Callable[[str], None]) -> Judged:
    """What the gate says of a challenger on its test rows, against the model in service.

    Args:
        past: What is replayed.
        current: Folder of the model in service.
        challenger: Folder of the challenger, with its test rows.
        say: Told what is being done.

    Raises:
        WorldError: A file cannot be read.
    """
    told = [__version__, current.name, challenger.name, past.judging.policy.model_dump_json()]
    file = challenger / f"judged/{hashlib.sha256(json.dumps(told).encode()).hexdigest()[:24]}.json"
    if file.is_file():
        return Judged.model_validate_json(read_text(file, file.name))
    judged = _judged(past, current, challenger, say)
    write_text(file, to_json(judged))
    return judged


def _judged(past: Past, current: Path, challenger: Path, say: Callable[[str], None]) -> Judged:
    with judging_room(current, challenger, kept_files(past)) as room:
        for name in judging_files(past):
            if (past.root / name).is_file():
                (room / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(past.root / name, room / name)
        verdict = compare(room, past.judging, baseline="HEAD", say=say).verdict
    manifest = challenger / past.gate.trained_on
    return Judged(
        outcome=verdict.outcome,
        headline=verdict.headline,
        rows=pq.ParquetFile(challenger / past.gate.predictions).metadata.num_rows,
        trained_rows=int(read_row_digests(manifest).size) if manifest.is_file() else 0,
        metrics=metrics_of(past, challenger, challenger),
        against=metrics_of(past, current, challenger),
        blocked=tuple(f"{each.title}: {each.message}" for each in verdict.findings if each.blocks)[:3],
    )


def _there(file: Path, shown: str) -> Path:
    if not file.is_file():
        raise WorldError(
            f"the stages did not write {shown}", "let the stage of the model write it, as `mlci.model` says"
        )
    return file
