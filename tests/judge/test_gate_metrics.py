"""Every metric against scikit-learn and scipy, and its test against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from gates import TERMS, binary, multiclass, regression, sample
from scipy import stats
from sklearn import metrics

from mlci.judge.contrast import change_of, estimate_of, point
from mlci.judge.influence import influence
from mlci.nouns.change import Change, Estimate, Missing, TooFew
from mlci.nouns.metric import FAMILIES, METRICS, ON_DEMAND, TASK_METRICS, direction, has_metric, pinball_quantile, top_k
from mlci.nouns.units import metric_name, value

REGRESSION = {
    "mae": metrics.mean_absolute_error,
    "mse": metrics.mean_squared_error,
    "rmse": metrics.root_mean_squared_error,
    "r2": metrics.r2_score,
    "mape": metrics.mean_absolute_percentage_error,
    "pinball_90": lambda label, said: metrics.mean_pinball_loss(label, said, alpha=0.9),
}


@pytest.mark.parametrize("metric", REGRESSION)
def test_regression_agrees_with_scikit_learn(metric: str):
    rows = regression(500, 1)
    assert point(metric, rows, rows.new, None) == pytest.approx(REGRESSION[metric](rows.label, rows.new.decision))


MULTICLASS = {
    "accuracy": lambda label, said, _: metrics.accuracy_score(label, said),
    "macro_f1": lambda label, said, _: metrics.f1_score(label, said, average="macro"),
    "micro_f1": lambda label, said, _: metrics.f1_score(label, said, average="micro"),
    "recall_b": lambda label, said, _: metrics.recall_score(label, said, average=None)[1],
    "precision_c": lambda label, said, _: metrics.precision_score(label, said, average=None)[2],
    "f1_a": lambda label, said, _: metrics.f1_score(label, said, average=None)[0],
    "top_2_accuracy": lambda label, _, score: metrics.top_k_accuracy_score(label, score, k=2),
    "log_loss": lambda label, _, score: metrics.log_loss(label, score),
    "brier": lambda label, _, score: float(((score - np.eye(3)[label]) ** 2).sum(axis=1).mean()),
}


@pytest.mark.parametrize("metric", MULTICLASS)
def test_multiclass_agrees_with_scikit_learn(metric: str):
    rows = multiclass(600, 2)
    theirs = MULTICLASS[metric](rows.label, rows.new.decision, rows.new.score)
    assert point(metric, rows, rows.new, None) == pytest.approx(theirs)


def test_a_model_that_says_nothing_gains_nothing_from_the_top_k():
    rows = multiclass(600, 2)
    flat = sample("multiclass", rows.label, rows.label, rows.label, (np.ones((600, 3)) / 3,) * 2, rows.classes)
    assert point("top_2_accuracy", flat, flat.new, None) == 0


BINARY = {
    "precision": metrics.precision_score,
    "recall": metrics.recall_score,
    "f1": metrics.f1_score,
    "balanced_accuracy": metrics.balanced_accuracy_score,
}


@pytest.mark.parametrize("metric", BINARY)
def test_counts_agree_with_scikit_learn(metric: str):
    rows = binary(500, 3)
    assert point(metric, rows, rows.new, None) == pytest.approx(BINARY[metric](rows.label, rows.new.decision))


@pytest.mark.parametrize(
    ("metric", "make"),
    [
        ("rmse", regression),
        ("r2", regression),
        ("macro_f1", multiclass),
        ("recall_b", multiclass),
        ("f1", binary),
        ("precision", binary),
        ("balanced_accuracy", binary),
        ("roc_auc", binary),
    ],
)
def test_influences_are_those_of_the_jackknife(metric: str, make):
    """The delete-one jackknife is the same to the first order, for any metric and without a derivative."""
    rows = make(400, 4)
    found = influence(metric, rows, rows.new)
    assert found is not None
    assert found.rows.sum() == pytest.approx(0, abs=1e-9)
    without = []
    for i in range(0, 400, 20):
        left = rows.only(np.arange(400) != i)
        without.append(point(metric, left, left.new, None))
    jackknife = 399 / 400 * (found.value - np.array(without))
    assert found.rows[::20] == pytest.approx(jackknife, abs=3e-2 * np.abs(found.rows).max())


def test_the_delta_method_agrees_with_a_bootstrap():
    rows = regression(3_000, 5, old=1.0, new=1.03)
    for metric in ("rmse", "r2"):
        seen = change_of(metric, rows, TERMS)
        assert isinstance(seen, Change)

        def gap(label, old, new, metric=metric):
            return REGRESSION[metric](label, new) - REGRESSION[metric](label, old)

        data = (rows.label, rows.old.decision, rows.new.decision)
        drawn = stats.bootstrap(
            data,
            gap,
            paired=True,
            vectorized=False,
            n_resamples=1_000,
            confidence_level=0.9,
            rng=1,
            method="percentile",
        )
        assert seen.low == pytest.approx(drawn.confidence_interval.low, abs=0.1 * (seen.high - seen.low))
        assert seen.high == pytest.approx(drawn.confidence_interval.high, abs=0.1 * (seen.high - seen.low))


def test_methods_are_named():
    assert change_of("rmse", regression(3_000, 5), TERMS).method == "delta method, t"
    assert change_of("mae", regression(3_000, 5), TERMS).method == "paired t"
    assert change_of("macro_f1", multiclass(600, 5), TERMS).method == "paired bootstrap"
    assert change_of("top_2_accuracy", multiclass(600, 5), TERMS).method == "McNemar mid-p, Tango"
    assert change_of("recall_a", multiclass(600, 5), TERMS).method == "paired bootstrap"


def test_many_classes_take_the_delta_method():
    rng = np.random.default_rng(1)
    label = np.repeat(np.arange(200), 30)
    said = [np.where(rng.random(6_000) < 0.5, rng.integers(0, 200, 6_000), label) for _ in range(2)]
    rows = sample("multiclass", label, *said, classes=tuple(str(i) for i in range(200)))
    seen = change_of("macro_f1", rows, TERMS)
    assert isinstance(seen, Change)
    assert seen.method == "delta method, t"


def test_what_has_no_value_says_why():
    rows = regression(100, 1)
    rows.label[3] = 0
    seen = change_of("mape", rows, TERMS)
    assert isinstance(seen, Missing)
    assert seen.why == "1 of 100 labels are 0, and an error relative to 0 has no size."
    flat = sample("regression", np.ones(100), rows.label, rows.label)
    assert isinstance(change_of("r2", flat, TERMS), Missing)
    assert isinstance(estimate_of("r2", flat, 0.5, TERMS), Missing)
    no_scores = sample("binary", rows.label > 10, rows.label > 10, rows.label > 11)
    assert isinstance(change_of("roc_auc", no_scores, TERMS), Missing | TooFew)
    assert isinstance(change_of("log_loss", no_scores, TERMS), Missing)


def test_a_rare_class_is_too_few():
    seen = change_of("macro_f1", multiclass(60, 1), TERMS)
    assert isinstance(seen, TooFew)
    label = np.array([0] * 195 + [1] * 5)
    seen = change_of("macro_f1", sample("multiclass", label, label, label, classes=("a", "b")), TERMS)
    assert isinstance(seen, TooFew)
    assert seen.what == "rows of the rarest class"


@pytest.mark.parametrize(("task", "make"), [("binary", binary), ("multiclass", multiclass), ("regression", regression)])
def test_every_metric_has_a_change_an_estimate_and_a_name(task, make):
    names = [
        *TASK_METRICS[task],
        *{"multiclass": ["recall_a", "top_2_accuracy"], "regression": ["pinball_5"]}.get(task, []),
    ]
    for metric in names:
        rows = make(1_000, 1)
        seen, stands = change_of(metric, rows, TERMS), estimate_of(metric, rows, 0.5, TERMS)
        assert isinstance(seen, Change), metric
        assert isinstance(stands, Estimate), metric
        assert has_metric(task, metric)
        assert seen.new == stands.value == pytest.approx(point(metric, rows, rows.new, None))
        assert (seen.good == "up") == (stands.good == "up") == (direction(metric) == 1), metric
        assert stands.low <= stands.value <= stands.high
        assert metric_name(metric) != metric or metric in {"accuracy", "precision", "recall", "specificity"}


def test_names_of_families():
    assert top_k("top_0_accuracy") is None
    assert pinball_quantile("pinball_0") is None
    assert pinball_quantile("pinball_99.9") == pytest.approx(0.999)
    assert direction("acuracy") is None
    assert not has_metric("binary", "recall_a")
    assert set(FAMILIES) == set(TASK_METRICS)
    named = (*TASK_METRICS.values(), *ON_DEMAND.values())
    assert set(METRICS) == {name for names in named for name in names}
    assert metric_name("recall_AA") == "recall of AA"
    assert value("top_5_accuracy", 0.931) == "93.1 %"
    assert metric_name("pinball_2.5") == "pinball loss at 2.5 %"
