"""Set the candidate beside simple models, which are trained here and kept until the tables change."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.predictions import PredictionFiles
from mlci.edges.simple_answers import MOST_ROWS, RECIPE, read_trained, write_answers
from mlci.errors import MlciError, WorldError
from mlci.flows.data_findings import table_digest
from mlci.judge.beats import ask_beats, untrained_finding
from mlci.nouns.policy import Slices
from mlci.nouns.simple import WITHOUT_INPUTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import numpy.typing as npt

    from mlci.judge.asks import Ask
    from mlci.nouns.finding import Finding
    from mlci.nouns.policy import PolicyFile
    from mlci.nouns.simple import SimpleName

KEPT = Path(".cache/mlci/simple")


class Beaten(NamedTuple):
    """What is asked of the simple models, and what could not be."""

    asks: list[Ask]
    failed: tuple[Finding, ...]


def beats(files: PredictionFiles, trained_on: Sequence[npt.NDArray[np.uint64]], say: Callable[[str], None]) -> Beaten:
    """Ask whether the candidate is better than each simple model of the gate, on all rows.

    Args:
        files: The candidate's predictions, and the policy.
        trained_on: Digests of the rows that the candidate was trained on: those test rows are left out.
        say: Told what is being done.

    Returns:
        One ask or one finding for each; a model that cannot be trained was not measured, which does not pass.
    """
    asks: list[Ask] = []
    failed: list[Finding] = []
    made_by = _answers(files, say) if files.gate.beats else {}
    plain = _without_slices(files)
    for name, made in made_by.items():
        try:
            if isinstance(made, MlciError):
                raise made
            sample = plain.load(made, trained_on).sample
            trained = read_trained(made)
        except MlciError as error:
            failed.append(untrained_finding(name, error.problem, error.mend, files.policy))
            continue
        asks.append(ask_beats(sample, files.gate, files.model, name, (trained.rows, trained.of)))
    return Beaten(asks, tuple(failed))


def _without_slices(files: PredictionFiles) -> PredictionFiles:
    gate = files.gate.model_copy(update={"slices": Slices(), "weak": None, "fairness": None})
    policy = files.policy.policy.model_copy(update={"gate": gate})
    return PredictionFiles(files.root, dataclasses.replace(files.policy, policy=policy))


def _answers(files: PredictionFiles, say: Callable[[str], None]) -> dict[SimpleName, Path | MlciError]:
    """Where each simple model's answers are, or why there are none."""
    names = files.gate.beats
    found: dict[SimpleName, Path | MlciError] = {}
    try:
        tables = [_digest(files.root, path) for path in (files.gate.train, files.gate.test)]
    except MlciError as error:
        return dict.fromkeys(names, error)
    # Apart, so that a column that cannot be read stops only those that read it.
    constant = [name for name in names if name in WITHOUT_INPUTS]
    reading = [name for name in names if name not in WITHOUT_INPUTS]
    for group in filter(None, (constant, reading)):
        try:
            found |= _made(files, group, tables, _inputs(files) if group is reading else (), say)
        except MlciError as error:
            found |= dict.fromkeys(group, error)
    return {name: found[name] for name in names}


def _made(
    files: PredictionFiles,
    names: list[SimpleName],
    tables: list[str],
    inputs: tuple[str, ...],
    say: Callable[[str], None],
) -> dict[SimpleName, Path]:
    """Answers of models that read the same columns, trained now unless they are kept from an earlier run."""
    places = {name: files.root / KEPT / f"{name}-{_key(files.policy, name, tables, inputs)}.parquet" for name in names}
    wanted = {name: path for name, path in places.items() if not _is_kept(path)}
    if wanted:
        say(f"training simple models: {', '.join(wanted)}")
        write_answers(files.root, files.policy, inputs, wanted)
    return places


def _is_kept(path: Path) -> bool:
    """Whether the answers are there; what is broken is made again."""
    try:
        read_trained(path)
    except WorldError:
        return False
    return True


def _digest(root: Path, path: str) -> str:
    if not (root / path).is_file() and not any(root.glob(path)):
        raise WorldError(
            f"{path} is not there, which simple models are trained on and asked about",
            f"fetch it with `dvc pull {path}`, or name another table in `mlci.gate.train`",
        )
    return table_digest(root, path)


def _inputs(files: PredictionFiles) -> tuple[str, ...]:
    """The columns that the policy names, else those that the candidate reads."""
    if files.gate.inputs:
        return files.gate.inputs
    path = files.root / files.model.path
    if not path.is_file():
        raise WorldError(
            f"which columns a simple model may read is not known: there is no {files.model.path}",
            "name them in `mlci.gate.inputs`",
        )
    from mlci.edges.onnx.session import OnnxModel  # noqa: PLC0415 - the runtime is heavy and not always needed

    try:
        return tuple(each.name for each in OnnxModel.load(path).signature.inputs)
    except WorldError as error:
        raise WorldError(
            f"which columns a simple model may read is not known: {error.problem}", "name them in `mlci.gate.inputs`"
        ) from error


def _key(policy: PolicyFile, name: SimpleName, tables: list[str], inputs: tuple[str, ...]) -> str:
    """Digest of everything that the answers depend on."""
    model, gate = policy.policy.model, policy.policy.gate
    assert model is not None and gate is not None  # noqa: S101, PT018 - whoever compares has both
    try:
        library = version("scikit-learn")
    except PackageNotFoundError:
        library = ""
    about = model.model_dump(mode="json", include={"task", "label", "id", "positive"})
    recipe = [RECIPE, MOST_ROWS, library, name, gate.seed, about, list(inputs), tables]
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:24]
