"""Simple models, trained here: what any candidate must beat. scikit-learn's, seeded, on one thread.

Numbers are imputed by their median and scaled; texts are one-hot, a missing text being one more category, and the rare
ones of a column with many put together.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlci.nouns.metric import Task
    from mlci.nouns.simple import SimpleName

MOST_CATEGORIES = 100
_DEPTH = 3
_STEPS = 300
_DIGITS = 7


class Columns(NamedTuple):
    """Rows as a simple model reads them.

    Attributes:
        numbers: Shape (n, numeric columns); missing ones are NaN.
        texts: Shape (n, text columns), objects; missing ones are "".
    """

    numbers: NDArray[np.float64]
    texts: NDArray[np.object_]

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.numbers)


class Said(NamedTuple):
    """What a simple model answers.

    Attributes:
        prediction: The class or the value, shape (n,).
        score: Of each class, shape (n, classes); None for a regression.
    """

    prediction: NDArray[Any]
    score: NDArray[np.float64] | None


class Encoder:
    """From columns to the matrix that a simple model takes, as learned from the training rows."""

    def __init__(self, rows: Columns) -> None:
        self._numbers = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
        self._texts = OneHotEncoder(
            handle_unknown="infrequent_if_exist", max_categories=MOST_CATEGORIES, dtype=np.float64
        )
        if rows.numbers.shape[1]:
            self._numbers.fit(rows.numbers)
        if rows.texts.shape[1]:
            self._texts.fit(rows.texts)

    def matrix(self, rows: Columns) -> sparse.csr_matrix:
        """Shape (n, features)."""
        parts = [sparse.csr_matrix((rows.size, 0))]
        if rows.numbers.shape[1]:
            parts.append(sparse.csr_matrix(self._numbers.transform(rows.numbers)))
        if rows.texts.shape[1]:
            with warnings.catch_warnings():
                # A category that training never saw is put to the rare ones, which is what is wanted.
                warnings.simplefilter("ignore", UserWarning)
                parts.append(self._texts.transform(rows.texts))
        return sparse.csr_matrix(sparse.hstack(parts, format="csr"))


class SimpleModel:
    """One of them, trained.

    Args:
        name: Which.
        task: Of the candidate.
        rows: The training rows, encoded.
        label: Bools or texts for classes, floats for a regression; shape (n,).
        seed: Settles ties between splits of a tree.
    """

    def __init__(self, name: SimpleName, task: Task, rows: sparse.csr_matrix, label: NDArray[Any], seed: int) -> None:
        self.task = task
        one_class = task != "regression" and len(np.unique(label)) == 1
        self._model = _estimator("majority" if one_class else name, task, seed)
        with threadpool_limits(1), warnings.catch_warnings():
            # One that has not quite converged is a simple model all the same.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._model.fit(rows, label)

    @property
    def classes(self) -> tuple[Any, ...]:
        """In the order of the scores' columns; empty for a regression."""
        return () if self.task == "regression" else tuple(self._model.classes_.tolist())

    def answer(self, rows: sparse.csr_matrix) -> Said:
        """For encoded rows; scores are rounded, so that the last bit of a sum decides nothing."""
        with threadpool_limits(1):
            if self.task == "regression":
                return Said(np.asarray(self._model.predict(rows), dtype=np.float64), None)
            score = np.asarray(self._model.predict_proba(rows), dtype=np.float64).round(_DIGITS)
        return Said(self._model.classes_[score.argmax(axis=1)], score)


def _estimator(name: SimpleName, task: Task, seed: int) -> Any:  # noqa: ANN401 - scikit-learn has no types
    if name == "majority":
        return DummyClassifier(strategy="prior")
    if name in {"mean", "median"}:
        return DummyRegressor(strategy=name)
    if name == "logistic":
        return LogisticRegression(max_iter=_STEPS)
    if name == "linear":
        # Next to no penalty: without any, one-hot columns beside an intercept have no unique answer.
        return Ridge(alpha=1e-3, solver="sparse_cg", tol=1e-6, max_iter=1_000)
    tree = DecisionTreeRegressor if task == "regression" else DecisionTreeClassifier
    return tree(max_depth=_DEPTH, random_state=seed)
