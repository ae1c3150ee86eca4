"""Our exporter against scikit-learn: exact for every input, natively categorical or encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from frames import categories, delay, flights, table
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from mlci.edges.onnx.convert import convert
from mlci.edges.onnx.estimator import answers, training_frame
from mlci.edges.onnx.session import OnnxModel
from mlci.errors import WorldError
from mlci.flows.export import prove_export

if TYPE_CHECKING:
    import pandas as pd

EXACT = 1e-12


def broken_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows again, with unseen categories, missing values and infinities in every combination of columns."""
    rng = np.random.default_rng(1)
    frame = frame.astype({"month": float, "distance": float})
    for name, values in {
        "carrier": ["unseen", None],
        "origin": ["unseen", None],
        "month": [13.0, 0.0, 2.5, -1.0, np.nan],
        "wind speed": [np.nan, np.inf, -np.inf],
        "holiday": [np.nan],
        "distance": [np.nan, 1e300],
    }.items():
        column = frame[name].astype(object)
        at = rng.random(len(frame)) < 0.3
        column[at] = rng.choice(np.array(values, dtype=object), at.sum())
        frame[name] = column if name in ("carrier", "origin", "holiday") else column.astype(float)
    return frame


def assert_exact(estimator, frame, task):
    rows = table(broken_rows(frame))
    columns = list(frame.columns)
    content, export = prove_export(estimator, table(frame), name="flights", task=task)
    assert export.converter == "mlci"
    assert not export.broken, export.broken
    model = OnnxModel.load(content, threads=1)
    expected = answers(estimator, training_frame(estimator, rows, columns))
    got = model.score(rows)
    scale = np.maximum(1, np.abs(expected))
    assert np.max(np.abs(got.outputs - expected) / scale) <= EXACT
    if task != "regression":
        labels = estimator.predict(training_frame(estimator, rows, columns))
        assert (got.prediction == labels).all()
    return export


@pytest.mark.parametrize("carriers", [12, 200])
def test_native_categories_binary(carriers):
    frame = flights(carriers=carriers)
    model = HistGradientBoostingClassifier(max_iter=30, min_samples_leaf=5)
    model.fit(categories(frame, "carrier", "origin", "month"), delay(frame) > 0.5)
    export = assert_exact(model, frame, "binary")
    assert export.refuses_missing == ()
    assert export.max_difference <= EXACT


def test_native_categories_multiclass_with_text_labels():
    frame = flights()
    labels = np.array(["early", "late", "on time"])[np.digitize(delay(frame), [-1, 1])]
    model = HistGradientBoostingClassifier(max_iter=10, min_samples_leaf=5)
    assert_exact(model.fit(categories(frame, "carrier", "origin"), labels), frame, "multiclass")


@pytest.mark.parametrize("loss", ["squared_error", "poisson", "gamma", "absolute_error"])
def test_native_categories_regression(loss):
    frame = flights()
    model = HistGradientBoostingRegressor(max_iter=20, loss=loss, min_samples_leaf=5)
    assert_exact(model.fit(categories(frame, "carrier", "origin"), np.exp(delay(frame) / 3)), frame, "regression")


@pytest.mark.parametrize(
    "options",
    [
        {"unknown_value": -1},
        {"unknown_value": np.nan},
        {"unknown_value": -1, "encoded_missing_value": -5},
        {"unknown_value": -1, "min_frequency": 120},
    ],
    ids=str,
)
@pytest.mark.parametrize("mask", [[0, 1, 2], None], ids=["categorical", "as numbers"])
def test_ordinal_encoder_before_it(options, mask):
    frame = flights()
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", **options)
    columns = make_column_transformer((encoder, ["carrier", "origin"]), remainder="passthrough")
    model = HistGradientBoostingClassifier(max_iter=20, min_samples_leaf=5, categorical_features=mask)
    assert_exact(make_pipeline(columns, model).fit(frame, delay(frame) > 0.5), frame, "binary")


def test_columns_by_name_out_of_order_and_dropped():
    frame = flights()
    columns = ColumnTransformer(
        [
            ("numbers", "passthrough", ["wind speed", "month"]),
            ("gone", "drop", ["distance"]),
            ("codes", make_pipeline(OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)), ["carrier"]),
        ],
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    model = HistGradientBoostingClassifier(max_iter=20, categorical_features=["carrier", "month"])
    pipeline = make_pipeline(columns, model).fit(frame, delay(frame) > 0.5)
    assert_exact(pipeline, frame, "binary")
    assert convert(pipeline, frame).inputs == ("carrier", "month", "wind speed")


def test_empty_strings_where_the_training_filled_missing_ones():
    frame = flights().fillna({"carrier": ""})
    model = HistGradientBoostingClassifier(max_iter=20, min_samples_leaf=5)
    fitted = model.fit(categories(frame, "carrier", "origin"), delay(frame) > 0.5)
    assert_exact(fitted, frame, "binary")


def test_a_model_without_a_single_split():
    frame = flights()[["wind speed", "month"]]
    model = HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=len(frame)).fit(
        frame, np.arange(len(frame)) % 2
    )
    content, export = prove_export(model, table(frame), name="constant", task="binary")
    assert not export.broken
    assert OnnxModel.load(content).score(table(frame)).score == pytest.approx(0.5)


def test_only_its_own_kind():
    frame = flights()[["wind speed", "month"]].fillna(0)
    model = LogisticRegression().fit(frame, frame["month"] > 6)
    with pytest.raises(WorldError, match="own exporter cannot convert LogisticRegression"):
        convert(model, frame, converter="mlci")
