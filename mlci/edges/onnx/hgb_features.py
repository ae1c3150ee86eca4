"""How the columns of a table become the features of a HistGradientBoosting model's trees.

Read from the fitted encoders by asking them, category by category, so that infrequent, unknown and missing
categories are mapped exactly as scikit-learn maps them, through up to two encoders: the one of the user's
pipeline and the one inside HistGradientBoosting.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNSEEN_TEXT = "\x00 unseen"


class NotOursError(Exception):
    """The estimator is not of the form that this exporter knows."""


@dataclass(frozen=True)
class Coding:
    """How a category becomes a number: a code for each key and one for every other value.

    A missing category is the key `""` of strings and the key NaN of numbers, where it has a code of its own.
    """

    keys: tuple[str, ...] | tuple[float, ...]
    codes: tuple[float, ...]
    otherwise: float

    @property
    def of_text(self) -> bool:
        """Whether the keys are strings."""
        return bool(self.keys) and isinstance(self.keys[0], str)


@dataclass(frozen=True)
class Feature:
    """One feature of the trees: a column as it is, or coded; `extra` is the code of unknown and missing."""

    column: str
    coding: Coding | None
    extra: int | None = None


@dataclass(frozen=True)
class _Encoded:
    """A column on its way through the encoders: which column of which encoder comes next."""

    column: str
    encoders: tuple[tuple[OrdinalEncoder, int], ...] = ()


def split_pipeline(estimator: Any) -> tuple[list[Any], Any]:  # noqa: ANN401 - scikit-learn has no types
    """Return the transformers before the HistGradientBoosting model, and the model.

    Raises:
        NotOursError: The estimator does not end with one.
    """
    steps = [step for _, step in estimator.steps] if isinstance(estimator, Pipeline) else [estimator]
    *before, model = steps
    if not isinstance(model, HistGradientBoostingClassifier | HistGradientBoostingRegressor):
        raise NotOursError(type(model).__name__)
    return [step for step in before if step not in ("passthrough", None)], model


def tree_features(estimator: Any, columns: Sequence[str]) -> list[Feature]:  # noqa: ANN401 - scikit-learn has no types
    """Return the features of the trees, in the order in which the tree nodes count them.

    Args:
        estimator: A fitted HistGradientBoosting model, or a Pipeline of column transformers that ends with one.
        columns: The columns of the table, in the order of the training.

    Raises:
        NotOursError: A step before the model is no encoder of single columns.
    """
    before, model = split_pipeline(estimator)
    plan = [_Encoded(column) for column in columns]
    for step in before:
        plan = _through(step, plan)
    if model._preprocessor is None:  # noqa: SLF001 - the encoder inside has no public name
        return [_feature(each, categories=None) for each in plan]
    encoder = model._preprocessor.named_transformers_["encoder"]  # noqa: SLF001 - the same
    categorical = np.flatnonzero(model.is_categorical_)
    numerical = np.flatnonzero(~model.is_categorical_)
    coded = [_Encoded(plan[at].column, (*plan[at].encoders, (encoder, i))) for i, at in enumerate(categorical)]
    sizes = [len(each) for each in encoder.categories_]
    return [_feature(each, categories=size) for each, size in zip(coded, sizes, strict=True)] + [
        _feature(plan[at], categories=None) for at in numerical
    ]


def _through(step: Any, plan: list[_Encoded]) -> list[_Encoded]:  # noqa: ANN401 - scikit-learn has no types
    """Return the columns after a transformer that keeps columns apart."""
    if isinstance(step, OrdinalEncoder):
        return [_Encoded(each.column, (*each.encoders, (step, at))) for at, each in enumerate(plan)]
    if isinstance(step, FunctionTransformer) and step.func is None:
        return plan
    if isinstance(step, Pipeline):
        for _, inner in step.steps:
            plan = plan if inner in ("passthrough", None) else _through(inner, plan)
        return plan
    if not isinstance(step, ColumnTransformer):
        raise NotOursError(type(step).__name__)
    names = list(getattr(step, "feature_names_in_", range(len(plan))))
    after: list[_Encoded] = []
    for _, transformer, spec in step.transformers_:
        chosen = [plan[at] for at in column_positions(spec, names)]
        if not isinstance(transformer, str):
            after += _through(transformer, chosen) if chosen else []
        elif transformer == "passthrough":
            after += chosen
    return after


def column_positions(spec: Any, names: list[Any]) -> list[int]:  # noqa: ANN401 - names, positions, a mask or a slice
    """Return which columns a ColumnTransformer's entry takes."""
    if isinstance(spec, slice):
        if isinstance(spec.start, str) or isinstance(spec.stop, str):
            first = 0 if spec.start is None else names.index(spec.start)
            last = len(names) - 1 if spec.stop is None else names.index(spec.stop)
            return list(range(first, last + 1))
        return list(range(*spec.indices(len(names))))
    chosen = np.atleast_1d(np.asarray(spec))
    if chosen.dtype == bool:
        return [int(at) for at in np.flatnonzero(chosen)]
    return [names.index(each) if isinstance(each, str) else int(each) for each in chosen.tolist()]


def _feature(path: _Encoded, categories: int | None) -> Feature:
    """Ask the encoders what becomes of every category; `categories` is the size of a native categorical."""
    if not path.encoders:
        return Feature(path.column, None)
    first, at = path.encoders[0]
    known = [key for key in first.categories_[at] if not _is_missing(key)]
    of_text = any(isinstance(key, str) for key in known)
    if not all(isinstance(key, str) == of_text for key in known):
        raise NotOursError(f"`{path.column}` mixes strings and numbers")
    keys = [str(key) if of_text else float(key) for key in known]
    unseen: Any = _UNSEEN_TEXT if of_text else max((float(key) for key in keys), default=0.0) + 1.0
    otherwise = _code(path, unseen, math.nan)
    marker = None if any(each is None for each in first.categories_[at]) else math.nan
    missing = _code(path, marker, otherwise)
    codes = [_code(path, key, math.nan) for key in known]
    blank: Any = "" if of_text else math.nan
    if blank not in keys and not _same(missing, otherwise):
        keys, codes = [*keys, blank], [*codes, missing]
    if categories is None:
        return Feature(path.column, Coding(tuple(keys), tuple(codes), otherwise))  # type: ignore[arg-type]  # one kind, as checked above
    inside = tuple(_or_extra(code, categories) for code in codes)
    coding = Coding(tuple(keys), inside, _or_extra(otherwise, categories))  # type: ignore[arg-type]  # the same
    return Feature(path.column, coding, extra=categories)


def _or_extra(code: float, categories: int) -> float:
    """Return the code itself, or the extra one where the trees take it for missing."""
    return code if 0 <= code < categories else float(categories)


def _code(path: _Encoded, value: Any, refused: float) -> float:  # noqa: ANN401 - a category
    """Return what the encoders make of one category, or `refused` where one of them refuses it."""
    for encoder, at in path.encoders:
        row: list[Any] = [next(iter(each), None) for each in encoder.categories_]
        row[at] = value
        names = getattr(encoder, "feature_names_in_", None)
        dtype = encoder.categories_[at].dtype
        frame = pd.DataFrame(
            {i: np.array([each], dtype=object if i != at else _dtype_for(dtype, each)) for i, each in enumerate(row)}
        )
        if names is not None:
            frame.columns = pd.Index(names)
        try:
            value = float(np.asarray(encoder.transform(frame if names is not None else frame.to_numpy()))[0, at])
        except ValueError:
            return refused
    return float(value)


def _dtype_for(dtype: np.dtype[Any], value: object) -> Any:  # noqa: ANN401 - what numpy takes as a dtype
    return object if dtype.kind == "O" or isinstance(value, str) else float


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float | np.floating) and math.isnan(value))


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))
