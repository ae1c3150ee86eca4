"""Export: a trained estimator becomes the one artefact, after proof that it answers the same."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Literal

from mlci import __version__
from mlci.edges.files import write_bytes
from mlci.edges.onnx.convert import Converted, Converter, column_type, convert, with_metadata
from mlci.edges.onnx.estimator import classes_of, estimator_columns, load_estimator, training_frame
from mlci.edges.onnx.parity import Pair, score_pairs
from mlci.edges.onnx.rows import Rows
from mlci.edges.onnx.session import OnnxModel
from mlci.errors import WorldError
from mlci.measure.parity import compare_scores
from mlci.nouns.parity import Export, Parity
from mlci.nouns.signature import ClassLabel, Input, Provenance, Signature

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

PARITY_ROWS = 100_000


def export_model(  # noqa: PLR0913 - what to export, who it is and how it is proven
    estimator_path: Path,
    data_path: Path,
    out_path: Path,
    *,
    name: str,
    task: Literal["binary", "multiclass", "regression"],
    md5: str | None = None,
    trusted: bool = False,
    not_inputs: Sequence[str] = (),
    positive: ClassLabel | None = None,
    threshold: float | None = None,
    provenance: Provenance | None = None,
    rows: int = PARITY_ROWS,
) -> Export:
    """Convert a trained estimator to ONNX, prove it on real rows and on probes, and write it.

    Args:
        estimator_path: The pickle or joblib file of the estimator.
        data_path: Real rows (Parquet or CSV) with the columns of the training: the training or the test table.
        out_path: The ONNX file; written whole, and only when the proof holds.
        name: The model's name.
        task: `binary`, `multiclass` or `regression`.
        md5: Digest that the estimator's file must have, as in `dvc.lock`.
        trusted: Open the estimator's file whatever it is.
        not_inputs: Columns that are no inputs (id, label), for an estimator that knows no column names.
        positive: The positive class of a binary model; default: the last.
        threshold: The score from which a row of a binary model is decided positive; default: one half.
        provenance: What to store about the model's origin.
        rows: At most so many real rows, spread evenly over the table.

    Returns:
        The proof. Where it does not hold, nothing is written and the gate has failed: `broken` says where.

    Raises:
        WorldError: A file cannot be read, or the estimator cannot be converted.
    """
    estimator = load_estimator(estimator_path, md5=md5, trusted=trusted)
    source = Rows(data_path)
    columns = estimator_columns(estimator, source.columns, tuple(not_inputs))
    table = source.sample(columns, rows)
    origin = (provenance or Provenance()).model_copy(update={"mlci_version": __version__})
    content, export = prove_export(
        estimator, table, name=name, task=task, positive=positive, threshold=threshold, provenance=origin
    )
    if export.held:
        write_bytes(out_path, content)
    return export


def prove_export(  # noqa: PLR0913 - what to export, who it is and how it is proven
    estimator: Any,  # noqa: ANN401 - scikit-learn has no types
    table: pa.Table,
    *,
    name: str,
    task: Literal["binary", "multiclass", "regression"],
    positive: ClassLabel | None = None,
    threshold: float | None = None,
    provenance: Provenance | None = None,
    converter: Converter = "auto",
    numbers: Literal["float", "double"] = "float",
) -> tuple[bytes, Export]:
    """Convert an estimator, and compare its answers with the exported model's, whether or not they agree.

    Args:
        estimator: A fitted scikit-learn estimator or pipeline.
        table: Real rows: exactly the columns of the training, in its order.
        name: The model's name.
        task: `binary`, `multiclass` or `regression`.
        positive: The positive class of a binary model; default: the last.
        threshold: The score from which a row of a binary model is decided positive; default: one half.
        provenance: What to store about the model's origin.
        converter: `auto`, or the one to force.
        numbers: Precision of the number inputs of skl2onnx.

    Returns:
        The bytes of the ONNX model, and the proof.

    Raises:
        WorldError: The estimator cannot be converted.
    """
    columns = list(table.column_names)
    frame = training_frame(estimator, table, columns)
    converted = convert(estimator, frame, converter=converter, numbers=numbers)
    classes = classes_of(estimator)
    _require_task(task, classes)
    inputs = tuple(Input(name=each, type=column_type(frame[each])) for each in converted.inputs)
    draft = Signature(model=name, task=task, inputs=inputs, classes=classes, positive=positive)
    origin = provenance or Provenance(mlci_version=__version__)
    try:
        model = OnnxModel.load(with_metadata(converted.content, draft, origin))
    except WorldError as error:
        failed = Parity(group="loading the model", rows=0, tolerance=converted.tolerance, failure=error.problem)
        return converted.content, _export(converted.content, converted, [failed])
    limit = threshold if threshold is not None or task != "binary" else 0.5
    pairs = list(score_pairs(estimator, model, table, columns))
    judged = [(pair, _compare(pair, draft, limit, converted.tolerance)) for pair in pairs if pair.expected is not None]
    # A missing value that the rows never hold is refused at the door, rather than answered without proof.
    refused = {pair.column for pair, parity in judged if pair.kind == "missing" and not pair.occurs and not parity.held}
    refused |= {pair.column for pair in pairs if pair.kind == "missing" and pair.expected is None}
    signature = draft.model_copy(
        update={"inputs": tuple(each.model_copy(update={"nullable": each.name not in refused}) for each in inputs)}
    )
    content = with_metadata(converted.content, signature, origin)
    parities = [parity for pair, parity in judged if _counts(pair, parity, refused)]
    unknown = tuple(pair.group for pair in pairs if pair.expected is None)
    return content, _export(content, converted, parities, tuple(sorted(refused)), unknown)


def _require_task(task: str, classes: tuple[ClassLabel, ...]) -> None:
    found = "regression" if not classes else "binary" if len(classes) == 2 else "multiclass"  # noqa: PLR2004 - a binary model has two classes
    if task != found and not (task == "multiclass" and classes):
        raise WorldError(f"the estimator is a {found} one, and the policy says {task}", "set `mlci.model.task`")


def _counts(pair: Pair, parity: Parity, refused: set[str]) -> bool:
    """Whether a group of rows decides: one that never occurs and is refused, or read as missing, does not."""
    if pair.kind == "empty":
        return pair.occurs or parity.held
    return pair.kind != "missing" or pair.column not in refused


def _compare(pair: Pair, signature: Signature, threshold: float | None, tolerance: float) -> Parity:
    if pair.expected is None or pair.got is None:
        return Parity(group=pair.group, rows=0, tolerance=tolerance, failure=pair.failure)
    limit = threshold if signature.task == "binary" else None
    return compare_scores(
        pair.expected,
        pair.got,
        threshold=limit,
        tolerance=tolerance,
        group=pair.group,
        positive=signature.positive_index,
    )


def _export(
    content: bytes,
    converted: Converted,
    parities: Sequence[Parity],
    refuses_missing: tuple[str, ...] = (),
    estimator_refuses: tuple[str, ...] = (),
) -> Export:
    return Export(
        md5=hashlib.md5(content, usedforsecurity=False).hexdigest(),
        size=len(content),
        converter=converted.converter,
        parities=tuple(parities),
        refuses_missing=refuses_missing,
        estimator_refuses=estimator_refuses,
    )
