"""A window of predictions as arrays to compute with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlci.nouns.logged import Logged

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy.typing as npt

    from mlci.nouns.signature import Signature


def logged(window: pa.Table, signature: Signature, threshold: float, private: Collection[str] = ()) -> Logged:
    """The rows of a window.

    Args:
        window: As `window_schema(signature)` says.
        signature: Of the model.
        threshold: Score from which a row is positive, where no prediction was stored.
        private: Inputs that are not stored.
    """
    window = window.combine_chunks()
    inputs = _struct(window.column("inputs"))
    features = {
        each.name: _feature(inputs.field(place))
        for place, each in enumerate(signature.inputs)
        if each.name not in private
    }
    score = _numbers(window.column("score")) if "score" in window.column_names else None
    if score is not None and np.isnan(score).any():
        score = None
    at, labelled_at = _seconds(window.column("predicted_at")), _seconds(window.column("labelled_at"))
    labelled = window.column("label").is_valid().to_numpy().astype(bool)
    came = np.where(np.isnan(labelled_at), at, np.maximum(labelled_at, at))
    decision = _answers(window.column("prediction"), signature)
    stored = window.column("prediction").is_valid().to_numpy().astype(bool)
    if signature.task == "binary" and score is not None:
        decision = np.where(stored, decision, score >= threshold)
    label = _answers(window.column("label"), signature)
    return Logged(at, features, score, decision, label, labelled, came)


def _struct(column: pa.ChunkedArray) -> pa.StructArray:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _feature(values: pa.Array) -> npt.NDArray[Any]:
    kind = values.type
    if pa.types.is_string(kind):
        return np.array(values.to_pylist(), dtype=object)
    if pa.types.is_boolean(kind):
        return np.array([None if value is None else str(value).lower() for value in values.to_pylist()], dtype=object)
    return np.asarray(values.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _numbers(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)


def _seconds(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    return _numbers(column.cast(pa.int64())) / 1e6


def _answers(column: pa.ChunkedArray, signature: Signature) -> npt.NDArray[Any]:
    """Labels or decisions: whether positive, the class as text, or a number; of a null anything."""
    if signature.task == "regression":
        return np.nan_to_num(_numbers(column))
    if signature.task == "binary":
        same = pc.equal(column, pa.scalar(signature.positive_class, column.type))
        return np.asarray(same.fill_null(fill_value=False).to_numpy(), dtype=np.bool_)
    return np.array([str(value) for value in column.to_pylist()], dtype=object)
