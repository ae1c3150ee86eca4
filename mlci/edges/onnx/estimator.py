"""The trained estimator: handed over as a pickle whose digest somebody vouches for, and asked for its answers.

A pickle runs code when it is opened. So one is opened only when its MD5 is the one that DVC recorded for the
output of the training stage, or when the caller says that he trusts it; the bytes that are checked are the
bytes that are opened.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import warnings
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.base import is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import Pipeline

from mlci.edges.onnx.hgb_features import column_positions
from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from mlci.nouns.signature import ClassLabel

_ANSWERS = ("predict_proba", "predict")


def load_estimator(path: Path, *, md5: str | None = None, trusted: bool = False) -> Any:  # noqa: ANN401 - scikit-learn has no types
    """Open the pickle or joblib file of a trained estimator.

    Args:
        path: The file, `.joblib` or any other name for a pickle.
        md5: The digest that it must have, as in `dvc.lock`.
        trusted: Open it whatever it is.

    Raises:
        WorldError: Nobody vouches for the file, it was changed, or it is no estimator of this environment.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WorldError(f"{path}: {error.strerror}", "run `dvc repro` to train it, or `dvc pull` to get it") from error
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if not trusted and md5 is None:
        raise WorldError(
            f"{path} is a pickle that nobody vouches for, and opening one runs the code inside",
            "make it an output of a stage in dvc.yaml, so that dvc.lock has its digest, or say that you trust it",
        )
    if not trusted and found != md5:
        raise WorldError(
            f"{path} has the MD5 {found}, and {md5} is expected", "run `dvc repro`: it was changed by hand"
        )
    estimator = _unpickle(path, content)
    if not any(hasattr(estimator, answer) for answer in _ANSWERS):
        raise WorldError(
            f"{path} holds a {type(estimator).__name__}, which is no estimator", "save the fitted pipeline"
        )
    return estimator


def _unpickle(path: Path, content: bytes) -> Any:  # noqa: ANN401 - scikit-learn has no types
    stream = io.BytesIO(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error", InconsistentVersionWarning)
        try:
            return joblib.load(stream) if path.suffix == ".joblib" else pickle.load(stream)  # noqa: S301 - its digest is vouched for
        except InconsistentVersionWarning as error:
            raise WorldError(
                f"{path} was trained with scikit-learn {error.original_sklearn_version},"
                f" and this is {error.current_sklearn_version}",
                "train it again here: `dvc repro`",
            ) from error
        except (AttributeError, ImportError) as error:
            raise WorldError(
                f"{path} needs code that is not importable here: {error}",
                "define custom transformers in an installed module, not in the training script",
            ) from error
        except Exception as error:  # a broken pickle raises whatever its bytes happen to mean
            raise WorldError(f"{path} is no pickle that can be opened: {error}", "run `dvc repro`") from error


def estimator_columns(estimator: Any, table_columns: list[str], leave_out: tuple[str, ...] = ()) -> list[str]:  # noqa: ANN401 - scikit-learn has no types
    """Return the columns that an estimator was trained on, in its order.

    Raises:
        WorldError: The table lacks one, or the estimator knows no names and the table does not fit its width.
    """
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None:
        missing = [str(name) for name in names if name not in table_columns]
        if missing:
            raise WorldError(f"the estimator was trained on the column `{missing[0]}`, which the data lack")
        return [str(name) for name in names]
    columns = [name for name in table_columns if name not in leave_out]
    width = getattr(estimator, "n_features_in_", len(columns))
    if width != len(columns):
        raise WorldError(
            f"the estimator was trained on {width} columns without names, and the data have {len(columns)}",
            "train it on a pandas DataFrame, so that it knows its columns by name",
        )
    return columns


def classes_of(estimator: Any) -> tuple[ClassLabel, ...]:  # noqa: ANN401 - scikit-learn has no types
    """Return the classes of a classifier, none for a regressor.

    Raises:
        WorldError: They are neither strings, whole numbers nor booleans.
    """
    if not is_classifier(estimator):
        return ()
    labels = np.asarray(estimator.classes_)
    if labels.dtype.kind == "f" and (labels == np.floor(labels)).all():
        labels = labels.astype(np.int64)
    classes = labels.tolist()
    if not all(isinstance(each, str | int) for each in classes):
        raise WorldError(
            f"the classes {classes[:5]} are neither strings, whole numbers nor booleans", "recode the label"
        )
    return tuple(classes)


def training_frame(estimator: Any, table: pa.Table, columns: list[str]) -> pd.DataFrame:  # noqa: ANN401 - scikit-learn has no types
    """Return a table in the form that the estimator was trained on.

    A missing string is what the estimator's encoder knows as missing: `""`, None or NaN.
    """
    known = dict(_known_categories(getattr(estimator, "best_estimator_", estimator)))
    data = {name: _series(table.column(name), known.get(name, ())) for name in columns}
    return pd.DataFrame(data)


def answers(estimator: Any, frame: pd.DataFrame) -> NDArray[np.float64]:  # noqa: ANN401 - scikit-learn has no types
    """Return the class probabilities [rows, classes] or the values [rows, 1] that the estimator gives."""
    rows: Any = frame if hasattr(estimator, "feature_names_in_") else frame.to_numpy()
    with warnings.catch_warnings():
        # Encoders warn about the unknown categories that a probe is made of.
        warnings.simplefilter("ignore")
        if is_classifier(estimator):
            return np.asarray(estimator.predict_proba(rows), dtype=np.float64)
        return np.asarray(estimator.predict(rows), dtype=np.float64).reshape(len(frame), -1)


def _series(column: pa.ChunkedArray, categories: Any) -> pd.Series[Any]:  # noqa: ANN401 - what an encoder lists
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        values = np.array(column.cast(pa.string()).to_pylist(), dtype=object)
        values[values == None] = _missing_marker(categories)  # noqa: E711 - elementwise
        return pd.Series(values, dtype=object)
    if pa.types.is_boolean(kind) and column.null_count:
        return pd.Series(np.array([np.nan if each is None else each for each in column.to_pylist()], dtype=object))
    return pd.Series(column.to_pandas())


def _missing_marker(categories: Any) -> Any:  # noqa: ANN401 - what an encoder lists
    listed = list(categories)
    if any(each is None for each in listed):
        return None
    knows_nan = any(isinstance(each, float) and np.isnan(each) for each in listed)
    return "" if "" in listed and not knows_nan else np.nan


def _known_categories(estimator: Any, columns: list[str] | None = None) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - scikit-learn has no types
    """Yield the categories that the encoders of a pipeline know, by column."""
    names = [str(each) for each in getattr(estimator, "feature_names_in_", columns or [])]
    if isinstance(estimator, Pipeline):
        for _, step in estimator.steps:
            yield from _known_categories(step, names)
    elif isinstance(estimator, ColumnTransformer):
        for _, transformer, spec in estimator.transformers_:
            if not isinstance(transformer, str):
                yield from _known_categories(transformer, [names[at] for at in column_positions(spec, names)])
    elif getattr(estimator, "_preprocessor", None) is not None:
        yield from _known_categories(estimator._preprocessor, names)  # noqa: SLF001 - the encoder inside has no public name
    elif len(getattr(estimator, "categories_", [])) == len(names):
        yield from zip(names, getattr(estimator, "categories_", []), strict=True)
