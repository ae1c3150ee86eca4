"""A trained scikit-learn estimator as the bytes of an ONNX model: the same bytes for the same estimator."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from sklearn.base import is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from mlci.edges.onnx.hgb import convert_hgb
from mlci.edges.onnx.hgb_features import NotOursError
from mlci.errors import PolicyError, WorldError
from mlci.nouns.signature import InputType, Provenance, Signature, to_metadata

with warnings.catch_warnings():
    # onnx and skl2onnx warn at import about what they will rename; nothing of it is used here.
    warnings.simplefilter("ignore", DeprecationWarning)
    from onnx import GraphProto, ModelProto, TensorProto, helper, numpy_helper
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Converter = Literal["auto", "mlci", "skl2onnx"]

FLOAT_TOLERANCE = 1e-5
DOUBLE_TOLERANCE = 1e-9
_OUTPUTS = ("score", "prediction")
_OPSETS = {"": 18, "ai.onnx.ml": 3}


@dataclass(frozen=True)
class Converted:
    """An ONNX model, who made it, and the score difference that is rounding at its precision."""

    content: bytes
    converter: Literal["mlci", "skl2onnx"]
    inputs: tuple[str, ...]
    tolerance: float


def convert(
    estimator: Any,  # noqa: ANN401 - scikit-learn has no types
    sample: pd.DataFrame,
    *,
    converter: Converter = "auto",
    numbers: Literal["float", "double"] = "float",
) -> Converted:
    """Convert a trained estimator or pipeline to ONNX.

    The model has one input of shape [rows, 1] per column (strings as strings, numbers as float or double) and
    the outputs `score` (class probabilities [rows, classes], or the values [rows, 1] of a regression) and
    `prediction` [rows].

    Args:
        estimator: A fitted scikit-learn classifier with `predict_proba`, or regressor.
        sample: Some rows of the training table: exactly the columns that the estimator was trained on.
        converter: `mlci` is exact for HistGradientBoosting; `skl2onnx` knows most others; `auto` chooses.
        numbers: Precision of the number inputs of `skl2onnx`.

    Raises:
        PolicyError: A column's type or name cannot be an input.
        WorldError: The estimator is of a kind that cannot be converted.
    """
    estimator = getattr(estimator, "best_estimator_", estimator)
    kinds = {str(name): column_type(sample[name]) for name in sample.columns}
    for name in _OUTPUTS:
        if name in kinds:
            raise PolicyError(
                f"an input column cannot be named `{name}`: the model's output is", f"rename the column `{name}`"
            )
    if is_classifier(estimator) and not hasattr(estimator, "predict_proba"):
        raise WorldError(
            f"{_name(estimator)} gives no probabilities",
            "train with `probability=True`, or wrap it in sklearn.calibration.CalibratedClassifierCV",
        )
    if converter != "skl2onnx":
        try:
            return _converted(convert_hgb(estimator, list(kinds)), list(kinds), "mlci", DOUBLE_TOLERANCE)
        except NotOursError as error:
            if converter == "mlci":
                raise WorldError(f"mlci's own exporter cannot convert {_name(estimator)}: {error}") from error
    return _converted(_by_skl2onnx(estimator, sample, kinds, numbers), list(kinds), "skl2onnx", FLOAT_TOLERANCE)


def column_type(column: pd.Series[Any]) -> InputType:
    """Return which type of input a column is.

    Raises:
        PolicyError: It is neither numbers, strings nor booleans.
    """
    dtype = column.cat.categories.dtype if isinstance(column.dtype, pd.CategoricalDtype) else column.dtype
    if pd.api.types.is_bool_dtype(dtype):
        return "boolean"
    if pd.api.types.is_integer_dtype(dtype):
        return "integer"
    if pd.api.types.is_float_dtype(dtype):
        return "float"
    if pd.api.types.is_string_dtype(dtype) or pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty"):
        return "string"
    if pd.api.types.infer_dtype(column, skipna=True) == "boolean":
        return "boolean"
    raise PolicyError(
        f"column `{column.name}` has the type {dtype}, which a model cannot take",
        "make it a number or a string before the training, in the table itself",
    )


def with_metadata(content: bytes, signature: Signature, provenance: Provenance) -> bytes:
    """Return the model with its signature and provenance inside; the same bytes for the same values."""
    model = ModelProto.FromString(content)
    del model.metadata_props[:]
    for key, value in to_metadata(signature, provenance).items():
        model.metadata_props.add(key=key, value=value)
    return bytes(model.SerializeToString(deterministic=True))


def _by_skl2onnx(estimator: Any, sample: pd.DataFrame, kinds: dict[str, InputType], numbers: str) -> ModelProto:  # noqa: ANN401 - scikit-learn has no types
    shown = _name(estimator)
    number = FloatTensorType if numbers == "float" else DoubleTensorType
    types = [(name, (StringTensorType if kind == "string" else number)([None, 1])) for name, kind in kinds.items()]
    first = estimator.steps[0][1] if isinstance(estimator, Pipeline) else estimator
    if not isinstance(first, ColumnTransformer):
        estimator = _taking_columns(estimator, sample)
    options = {id(estimator): {"zipmap": False}} if is_classifier(estimator) else None
    with warnings.catch_warnings():
        # The converters of skl2onnx warn about numpy's and onnx's coming changes; parity is proven afterwards.
        warnings.simplefilter("ignore")
        try:
            model: ModelProto = to_onnx(
                estimator, initial_types=types, name="model", target_opset=_OPSETS, options=options
            )
        except Exception as error:
            raise WorldError(
                f"skl2onnx cannot convert {shown}: {type(error).__name__}: {_first_line(error)}",
                "use estimators that it knows (https://onnx.ai/sklearn-onnx/supported.html), or let the training"
                " script write the predictions table itself and leave the export out",
            ) from error
    _name_ends(model, list(kinds), classifier=is_classifier(estimator), double=numbers == "double")
    return model


def _taking_columns(estimator: Any, sample: pd.DataFrame) -> Pipeline:  # noqa: ANN401 - scikit-learn has no types
    """Return the estimator with a first step that joins the columns, so that each can be an input by its name."""
    join = ColumnTransformer([("columns", "passthrough", list(sample.columns))]).fit(sample)
    steps = estimator.steps if isinstance(estimator, Pipeline) else [("model", estimator)]
    return Pipeline([("mlci_columns", join), *steps])


def _name_ends(model: ModelProto, columns: list[str], *, classifier: bool, double: bool) -> None:
    """Name the inputs as the columns (skl2onnx rewrites them) and the outputs `prediction` and `score`, in place."""
    graph = model.graph
    made = [each.name for each in graph.output]
    names = dict(zip(made, ("prediction", "score"), strict=True)) if classifier else {made[0]: "score"}
    names |= dict(zip((each.name for each in graph.input), columns, strict=True))
    inside = {name for node in graph.node for name in node.output} | {each.name for each in graph.initializer}
    names |= {name: f"/{name}" for name in inside & {*columns, *_OUTPUTS} if name not in names}
    _rename(graph, names)
    for each in (*graph.input, *graph.output, *graph.initializer):
        each.name = names.get(each.name, each.name)
    if not classifier:
        numbers = TensorProto.DOUBLE if double else TensorProto.FLOAT
        graph.node.append(helper.make_node("Reshape", ["score", "mlci_shape"], ["prediction"]))
        graph.initializer.append(numpy_helper.from_array(np.array([-1], dtype=np.int64), "mlci_shape"))
        graph.output.append(helper.make_tensor_value_info("prediction", numbers, [None]))


def _rename(graph: GraphProto, names: dict[str, str]) -> None:
    for node in graph.node:
        for fields in (node.input, node.output):
            fields[:] = [names.get(name, name) for name in fields]
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _rename(attribute.g, names)


def _converted(
    model: ModelProto, columns: list[str], converter: Literal["mlci", "skl2onnx"], tolerance: float
) -> Converted:
    """Bring a model into the one form that equal estimators share, without inputs that nothing reads."""
    used = set(_names_read(model.graph))
    inputs = sorted(
        (each for each in model.graph.input if each.name in used), key=lambda each: columns.index(each.name)
    )
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    opsets = sorted(model.opset_import, key=lambda each: each.domain)
    del model.opset_import[:]
    model.opset_import.extend(opsets)
    model.producer_name, model.producer_version = "mlci", ""
    content = bytes(model.SerializeToString(deterministic=True))
    return Converted(content, converter, tuple(each.name for each in inputs), tolerance)


def _names_read(graph: GraphProto) -> Iterator[str]:
    for node in graph.node:
        yield from node.input
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _names_read(attribute.g)


def _name(estimator: Any) -> str:  # noqa: ANN401 - scikit-learn has no types
    steps: Sequence[Any] = [step for _, step in estimator.steps] if isinstance(estimator, Pipeline) else [estimator]
    return " → ".join(type(step).__name__ for step in steps)


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no message")[:300]
