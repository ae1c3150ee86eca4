"""The proof turns red, by name, wherever a converter is silently wrong; and green where it is right."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from frames import categories, delay, flights, table
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mlci.edges.onnx.session import OnnxModel
from mlci.errors import PolicyError, WorldError
from mlci.flows.export import prove_export

NUMBERS = ["month", "wind speed", "distance"]


def proven(estimator, frame, task="binary", **options):
    return prove_export(estimator, table(frame), name="flights", task=task, **options)[1]


def broken_groups(export):
    return [each.group for each in export.broken]


def test_native_categories_through_skl2onnx_are_red():
    frame = flights()
    model = HistGradientBoostingClassifier(max_iter=20, min_samples_leaf=5)
    model.fit(categories(frame, "month")[["month", "wind speed"]], delay(frame) > 0.5)
    rows = frame[["month", "wind speed"]]
    export = proven(model, rows, converter="skl2onnx")
    assert export.broken[0].group == "the real rows"
    assert export.broken[0].flips > 100
    assert "decision flips" in str(export.broken[0])
    assert not proven(model, rows).broken


def test_native_text_categories_cannot_go_through_skl2onnx():
    frame = flights()
    model = HistGradientBoostingClassifier(max_iter=10)
    model.fit(categories(frame, "carrier", "origin"), delay(frame) > 0.5)
    with pytest.raises(WorldError, match="skl2onnx cannot convert HistGradientBoostingClassifier: "):
        proven(model, frame, converter="skl2onnx")


def test_an_imputer_that_adds_indicators_is_red():
    frame = flights()[NUMBERS]
    frame.loc[::7, "distance"] = np.nan
    labels = delay(flights()) + 3 * frame["distance"].isna() > 0.5
    model = make_pipeline(SimpleImputer(add_indicator=True), GradientBoostingClassifier(n_estimators=10))
    export = proven(model.fit(frame, labels), frame)
    assert "the real rows" in broken_groups(export)


def test_a_forest_trained_with_missing_values_is_red():
    frame = flights()[NUMBERS]
    model = RandomForestClassifier(30, max_depth=8, random_state=0).fit(frame, delay(flights()) > 0.5)
    export = proven(model, frame)
    assert "the real rows" in broken_groups(export)
    assert "missing value in `wind speed`" in broken_groups(export)


def test_a_forest_that_saw_no_missing_value_refuses_one():
    frame = flights()[NUMBERS].fillna(0.0)
    model = RandomForestClassifier(30, max_depth=8, random_state=0).fit(frame, delay(flights()) > 0.5)
    content, export = prove_export(model, table(frame), name="flights", task="binary")
    assert export.held
    assert export.refuses_missing
    rows = frame.assign(**{export.refuses_missing[0]: np.nan})
    with pytest.raises(WorldError, match=f"`{export.refuses_missing[0]}`: 1,500 values are missing"):
        OnnxModel.load(content).score(table(rows))


def test_poisson_through_skl2onnx_is_red():
    frame = flights()[NUMBERS]
    model = HistGradientBoostingRegressor(loss="poisson", max_iter=20).fit(frame, np.exp(delay(flights()) / 3))
    export = proven(model, frame, "regression", converter="skl2onnx")
    assert "the real rows" in broken_groups(export)
    assert proven(model, frame, "regression").held


def _one_hot(frame, **options):
    encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", **options)
    columns = make_column_transformer((encoder, ["carrier"]), remainder="passthrough")
    return make_pipeline(columns, LogisticRegression()).fit(frame, delay(flights()) > 0.5)


def test_an_encoder_that_fails_on_unknown_categories_is_red():
    frame = flights()[["carrier", "wind speed"]].fillna({"carrier": "", "wind speed": 0.0})
    export = proven(_one_hot(frame), frame)
    assert broken_groups(export) == ["unseen category in `carrier`"]
    assert "the exported model fails: the model cannot answer" in str(export.broken[0])


def test_infrequent_categories_cannot_be_converted():
    frame = flights()[["carrier", "wind speed"]].fillna({"carrier": "", "wind speed": 0.0})
    with pytest.raises(WorldError, match="Infrequent categories are not implemented"):
        proven(_one_hot(frame, min_frequency=130), frame)


def test_double_inputs_that_do_not_load_are_red():
    frame = flights()[NUMBERS].fillna(0.0)
    model = make_pipeline(SimpleImputer(), HistGradientBoostingClassifier(max_iter=5))
    model.fit(frame, delay(flights()) > 0.5)
    export = proven(model, frame, converter="skl2onnx", numbers="double")
    assert broken_groups(export) == ["loading the model"]
    assert not export.held
    assert "the exported model fails" in str(export.broken[0])


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(StandardScaler(), LogisticRegression()),
        RandomForestClassifier(20, random_state=0),
        GradientBoostingClassifier(n_estimators=20),
        HistGradientBoostingClassifier(max_iter=20),
    ],
    ids=lambda each: type(each).__name__,
)
@pytest.mark.parametrize(("load", "task"), [(load_breast_cancer, "binary"), (load_iris, "multiclass")])
def test_ordinary_models_are_green(model, load, task):
    data = load(as_frame=True)
    content, export = prove_export(model.fit(data.data, data.target), table(data.data), name="it", task=task)
    assert export.held, export.broken
    real = export.parities[0]
    assert (real.rows, real.flips) == (len(data.data), 0)
    assert real.max_difference <= 1e-5
    scores = OnnxModel.load(content).score(table(data.data))
    assert scores.outputs.shape == (len(data.data), data.target.nunique())
    assert (scores.prediction == model.predict(data.data)).mean() > 0.999


def test_a_linear_regression_is_green():
    data = load_diabetes(as_frame=True)
    model = make_pipeline(StandardScaler(), Ridge()).fit(data.data, data.target)
    export = proven(model, data.data, "regression")
    assert export.held, export.broken
    assert set(export.refuses_missing) == set(data.data.columns)


def test_one_hot_categories_with_missing_ones_filled_are_green():
    frame = flights().fillna({"carrier": "", "wind speed": 0.0})
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["carrier", "origin"]), (StandardScaler(), NUMBERS)
    )
    model = make_pipeline(columns, LogisticRegression()).fit(frame, delay(frame) > 0.5)
    content, export = prove_export(model, table(frame), name="flights", task="binary")
    assert export.held, export.broken
    assert [each.name for each in OnnxModel.load(content).signature.inputs] == ["carrier", "origin", *NUMBERS]


def test_the_estimators_own_refusals_are_named():
    frame = flights().fillna({"carrier": "", "wind speed": 0.0})
    columns = make_column_transformer((OneHotEncoder(), ["carrier"]), remainder="drop")
    model = make_pipeline(columns, LogisticRegression()).fit(frame, delay(frame) > 0.5)
    assert "unseen category in `carrier`" in proven(model, frame).estimator_refuses


def test_a_task_that_the_estimator_has_not():
    data = load_iris(as_frame=True)
    model = HistGradientBoostingClassifier(max_iter=2).fit(data.data, data.target)
    with pytest.raises(WorldError, match="is a multiclass one, and the policy says binary"):
        proven(model, data.data, "binary")


def test_columns_that_cannot_be_inputs():
    frame = pd.DataFrame({"score": [0.0, 1.0] * 20})
    model = LogisticRegression().fit(frame, frame["score"] > 0)
    with pytest.raises(PolicyError, match="cannot be named `score`"):
        proven(model, frame)
