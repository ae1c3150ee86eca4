"""A model file, loaded once and asked in batches."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors
from pydantic import ValidationError

from mlci.edges.onnx.columns import DTYPES, as_table, require_columns, to_tensor
from mlci.errors import WorldError
from mlci.nouns.signature import ClassLabel, Input, InputType, Provenance, Signature, from_metadata

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

Task = Literal["binary", "multiclass", "regression"]

BATCH_ROWS = 65_536
_BINARY = 2
_FATAL = 4
_RUNTIME_ERRORS = tuple(
    getattr(ort_errors, name)
    for name in ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NotImplemented", "RuntimeException")
)
_INPUT_TYPES: dict[str, InputType] = {
    "tensor(float)": "float",
    "tensor(double)": "float",
    "tensor(int64)": "integer",
    "tensor(int32)": "integer",
    "tensor(bool)": "boolean",
    "tensor(string)": "string",
}


@dataclass(frozen=True)
class Scores:
    """What a model answers.

    Attributes:
        prediction: The class or the value, shape [rows].
        outputs: Every output column: class probabilities [rows, classes], or the values [rows, 1].
        score: What goes into the score columns: [rows, 1] for a binary model, [rows, classes] for
            a multiclass one, [rows, 0] for a regression.
    """

    prediction: NDArray[Any]
    outputs: NDArray[np.float64]
    score: NDArray[np.float64]


class OnnxModel:
    """An ONNX model and its signature."""

    def __init__(self, session: ort.InferenceSession, signature: Signature, provenance: Provenance, md5: str) -> None:
        self._session = session
        self.signature = signature
        self.provenance = provenance
        self.md5 = md5
        wanted = session.get_inputs()
        self._elements = {each.name: each.type for each in wanted}
        self._outputs = [each.name for each in session.get_outputs()]
        self._classes = np.array(signature.classes, dtype=_label_dtype(signature.classes))
        self._matrix = wanted[0].name if _is_matrix(wanted) else None
        elements = ((each.name, self._elements.get(self._matrix or each.name, "")) for each in signature.inputs)
        self._kinds = {name: DTYPES.get(element) for name, element in elements}

    @property
    def matrix(self) -> str | None:
        """The one input that takes all columns side by side, where the model has such a one."""
        return self._matrix

    @property
    def outputs(self) -> dict[str, str]:
        """Type of every output by its name, as ONNX Runtime writes it: `tensor(double)`."""
        return {each.name: each.type for each in self._session.get_outputs()}

    @classmethod
    def load(
        cls,
        source: Path | str | bytes,
        *,
        threads: int = 1,
        columns: Sequence[str] = (),
        signature: Signature | None = None,
    ) -> Self:
        """Load a model from a file or from its bytes.

        Args:
            source: The file, or what it holds.
            threads: Threads for one answer; 0: one per core. One gives the same bytes on every machine; with more,
                the order of sums moves a score by up to 1e-15 (double) or 2e-7 (float).
            columns: For a model of another tool that takes one matrix: its columns, in order.
            signature: For a model of another tool: what it wants and gives, where the file does not say it.

        Raises:
            WorldError: There is no such file, it is no ONNX model, or its signature cannot be read or made up.
        """
        name, content = _read(source)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _FATAL
        # Idle threads that spin steal the cores of whatever else runs on the machine.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except _RUNTIME_ERRORS as error:
            raise WorldError(
                f"{name} is no ONNX model that can be loaded: {_short(error)}", "export it again"
            ) from error
        stored = _stored(name, session)
        if stored is not None and signature is None:
            _check_inputs(name, session, stored[0])
            known, provenance = stored
        else:
            known, provenance = signature or _signature_of_graph(name, session, tuple(columns)), Provenance()
        return cls(session, known, provenance, hashlib.md5(content, usedforsecurity=False).hexdigest())

    def score(self, columns: pa.Table | Mapping[str, NDArray[Any]], *, batch_rows: int = BATCH_ROWS) -> Scores:
        """Answer for every row of a table; other columns than the model's inputs are left alone.

        Raises:
            WorldError: A column is missing or has another type, or the model cannot answer.
        """
        table = as_table(columns)
        require_columns(self.signature, table.column_names)
        starts = range(0, max(table.num_rows, 1), batch_rows)
        parts = [self._score_batch(table.slice(start, batch_rows)) for start in starts]
        return Scores(
            np.concatenate([part.prediction for part in parts]),
            np.concatenate([part.outputs for part in parts]),
            np.concatenate([part.score for part in parts]),
        )

    def element(self, name: str) -> str:
        """The element type of an input, as ONNX Runtime writes it: `tensor(double)`."""
        return str(self._elements[self._matrix or name])

    def ask(self, columns: Mapping[str, NDArray[Any]]) -> Scores:
        """Answer for rows that are known to be in order: the short way for a server.

        Args:
            columns: Values of every input, shape [rows]; a missing number is NaN, a missing text empty.

        Raises:
            WorldError: The model cannot answer.
        """
        return self.feed(
            {name: columns[name].astype(kind, copy=False).reshape(-1, 1) for name, kind in self._kinds.items()}
        )

    def feed(self, tensors: dict[str, NDArray[Any]]) -> Scores:
        """The same for tensors: shape [rows, 1], and of the types of `kinds`."""
        if self._matrix is not None:
            tensors = {self._matrix: np.hstack([tensors[name] for name in self._kinds])}
        return self._scores(*_run(self._session, self._outputs, tensors))

    @property
    def kinds(self) -> Mapping[str, Any]:
        """The type of numpy's array for every input, by name."""
        return self._kinds

    def _score_batch(self, table: pa.Table) -> Scores:
        if table.num_rows == 0:
            width = max(len(self.signature.classes), 1)
            return self._scores(np.zeros((0, width)), None)
        inputs = self.signature.inputs
        if self._matrix is None:
            feeds = {each.name: to_tensor(table, each, self._elements[each.name]) for each in inputs}
        else:
            element = self._elements[self._matrix]
            feeds = {self._matrix: np.hstack([to_tensor(table, each, element) for each in inputs])}
        return self._scores(*_run(self._session, self._outputs, feeds))

    def _scores(self, values: NDArray[np.float64], labels: NDArray[Any] | None) -> Scores:
        signature = self.signature
        if signature.task == "regression":
            return Scores(values[:, 0], values, values[:, :0])
        if values.shape[1] == 1 and len(signature.classes) == _BINARY:
            values = np.hstack([1 - values, values])
        if values.shape[1] != len(signature.classes):
            raise WorldError(
                f"model `{signature.model}` gives {values.shape[1]} scores for {len(signature.classes)} classes"
            )
        classes = self._classes
        prediction = (
            classes[values.argmax(axis=1)] if labels is None else np.asarray(labels).astype(classes.dtype, copy=False)
        )
        at = signature.positive_index
        score = values[:, at : at + 1] if signature.task == "binary" else values
        return Scores(prediction, values, score)


def _read(source: Path | str | bytes) -> tuple[str, bytes]:
    if isinstance(source, bytes):
        return "the model", source
    try:
        return str(source), Path(source).read_bytes()
    except OSError as error:
        raise WorldError(f"{source}: {error.strerror}", "run `dvc pull` or `dvc repro` to get the model") from error


def _stored(name: str, session: ort.InferenceSession) -> tuple[Signature, Provenance] | None:
    try:
        return from_metadata(session.get_modelmeta().custom_metadata_map)
    except ValidationError as error:
        first = error.errors()[0]
        raise WorldError(
            f"{name}: the signature inside cannot be read: {first['msg']}", "export the model again with this version"
        ) from error


def _check_inputs(name: str, session: ort.InferenceSession, signature: Signature) -> None:
    said, found = {each.name for each in signature.inputs}, {each.name for each in session.get_inputs()}
    if said != found:
        raise WorldError(
            f"{name}: the signature and the graph differ in the inputs {sorted(said ^ found)}", "export it again"
        )


def _run(
    session: ort.InferenceSession, names: list[str], feeds: dict[str, NDArray[Any]]
) -> tuple[NDArray[np.float64], NDArray[Any] | None]:
    """Return every score column in double, and the labels where the model gives them."""
    try:
        outputs = dict(zip(names, session.run(names, feeds), strict=True))
    except _RUNTIME_ERRORS as error:
        raise WorldError(f"the model cannot answer: {_short(error)}") from error
    values, labels = None, None
    for name, output in outputs.items():
        if isinstance(output, list):  # ZipMap: one dictionary of class probabilities per row
            values = np.array([[row[key] for key in sorted(row)] for row in output], dtype=np.float64)
        elif output.dtype.kind in "iuOUb":
            labels = output.reshape(-1)
        elif name == "score" or values is None:
            values = np.asarray(output, dtype=np.float64).reshape(len(output), -1)
    if values is None:
        raise WorldError(
            f"the model gives no scores; its outputs are {', '.join(outputs)}", "export it with probabilities"
        )
    return values, labels


def _is_matrix(inputs: Sequence[Any]) -> bool:
    """Whether a graph takes one matrix instead of one input per column."""
    shape = inputs[0].shape
    return len(inputs) == 1 and len(shape) == 2 and shape[1] != 1  # noqa: PLR2004 - a matrix has two dimensions


def _signature_of_graph(name: str, session: ort.InferenceSession, columns: tuple[str, ...]) -> Signature:
    """Make up the signature of a model of another tool: ask it one row and look at the answer."""
    wanted = session.get_inputs()
    unknown = next((each for each in wanted if each.type not in _INPUT_TYPES), None)
    if unknown is not None:
        raise WorldError(f"{name}: its input `{unknown.name}` is a {unknown.type}, which no column can be")
    if _is_matrix(wanted):
        width = wanted[0].shape[1]
        count = width if isinstance(width, int) else len(columns)
        if columns and len(columns) != count:
            raise WorldError(f"{name} takes {count} columns, and {len(columns)} are named")
        if not columns:
            raise WorldError(
                f"{name} was made by another tool and takes a matrix of {width} columns without names",
                "name its columns, in order",
            )
        inputs = tuple(_input(each, wanted[0].type) for each in columns)
        feeds: dict[str, NDArray[Any]] = {wanted[0].name: _blank(wanted[0].type, count)}
    else:
        inputs = tuple(_input(each.name, each.type) for each in wanted)
        feeds = {each.name: _blank(each.type, 1) for each in wanted}
    values, labels = _run(session, [each.name for each in session.get_outputs()], feeds)
    return _made_up(name, inputs, values.shape[1], labels)


def _input(name: str, element: str) -> Input:
    kind = _INPUT_TYPES[element]
    return Input(name=name, type=kind, nullable=kind in ("float", "string"))


def _made_up(name: str, inputs: tuple[Input, ...], width: int, labels: NDArray[Any] | None) -> Signature:
    if width == 1 and labels is None:
        return Signature(model=Path(name).stem, task="regression", inputs=inputs)
    count = max(width, _BINARY)
    task: Task = "binary" if count == _BINARY else "multiclass"
    texts = labels is not None and labels.dtype.kind in "OU"
    classes: tuple[ClassLabel, ...] = tuple(str(at) if texts else at for at in range(count))
    return Signature(model=Path(name).stem, task=task, inputs=inputs, classes=classes)


def _blank(element: str, width: int) -> NDArray[Any]:
    kinds: dict[str, Any] = {"float": np.float32, "double": np.float64, "string": object}
    kind = element.removeprefix("tensor(").removesuffix(")")
    blank = np.zeros((1, width), dtype=kinds.get(kind, kind))
    return np.full((1, width), "", dtype=object) if kind == "string" else blank


def _label_dtype(classes: tuple[ClassLabel, ...]) -> Any:  # noqa: ANN401 - what numpy takes as a dtype
    if all(isinstance(each, bool) for each in classes):
        return np.bool_
    return np.int64 if all(isinstance(each, int) for each in classes) else object


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__
