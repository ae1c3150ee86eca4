from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from sklearn import metrics

from mlci.judge.stats.confusion import COUNT_METRICS, Confusion, Costs, CountMetric, evaluate, good_direction
from mlci.judge.stats.counts import count_change, paired_counts
from mlci.judge.stats.floors import count_estimate
from mlci.nouns.change import Change, Estimate, TooFew

CELLS = np.array([[[800, 30], [25, 60]], [[30, 10], [12, 90]]])
COSTS = Costs(false_negative=5, false_positive=1)


def rows(cells):
    """Label, old and new decision of every row."""
    return (np.repeat(column, cells.ravel()).astype(bool) for column in np.indices((2, 2, 2)).reshape(3, 8))


def by_scikit_learn(metric, label, decided):
    if metric == "cost":
        return (5 * (label & ~decided).sum() + (~label & decided).sum()) / label.size
    if metric == "specificity":
        return metrics.recall_score(~label, ~decided)
    names = {"mcc": "matthews_corrcoef"}
    score = getattr(metrics, names.get(metric, f"{metric}_score"))
    return score(label, decided)


def change(metric, cells=CELLS, seed=0, **more):
    seen = count_change(cells, metric, np.random.default_rng(seed), costs=COSTS, **more)
    assert isinstance(seen, Change)
    return seen


def test_rows_are_counted_by_label_old_and_new():
    assert (paired_counts(*rows(CELLS)) == CELLS).all()


@pytest.mark.parametrize("metric", COUNT_METRICS)
def test_old_and_new_are_what_scikit_learn_says(metric):
    label, old, new = rows(CELLS)
    seen = change(metric)
    assert seen.old == pytest.approx(by_scikit_learn(metric, label, old))
    assert seen.new == pytest.approx(by_scikit_learn(metric, label, new))
    assert seen.change == seen.new - seen.old
    assert seen.good == good_direction(metric)


@pytest.mark.parametrize("metric", COUNT_METRICS)
def test_nothing_over_nothing_is_zero(metric):
    nothing = Confusion(*(np.zeros(1) for _ in range(4)))
    assert evaluate(metric, nothing, COSTS).tolist() == [0]


@pytest.mark.parametrize("metric", COUNT_METRICS)
def test_bounds_hold_the_change_and_the_seed_decides_all(metric):
    seen = change(metric)
    assert seen.low < seen.change < seen.high
    assert seen == change(metric)
    assert seen != change(metric, seed=1)
    assert seen.lower_bound < seen.gain < seen.upper_bound


@pytest.mark.parametrize("metric", COUNT_METRICS)
def test_turning_the_models_round_turns_the_change_round(metric):
    seen, turned = change(metric), change(metric, CELLS.swapaxes(1, 2))
    assert turned.change == pytest.approx(-seen.change)
    assert 0.97 < seen.p + turned.p < 1.15  # resamples without a change count for both
    assert turned.high == pytest.approx(-seen.low, abs=0.1 * (seen.high - seen.low))


def test_with_many_rows_the_bootstrap_of_an_accuracy_is_its_normal_interval():
    seen = change("accuracy", 100 * CELLS)
    gained, lost = 100 * (25 + 10), 100 * (30 + 12)
    assert seen.discordant == (lost - 700, lost) == (gained, lost)
    n = 100 * CELLS.sum()
    error = np.sqrt((gained + lost) / n - ((gained - lost) / n) ** 2) / np.sqrt(n)
    assert seen.low == pytest.approx(seen.change - 1.6448536 * error, abs=0.05 * error)
    assert seen.high == pytest.approx(seen.change + 1.6448536 * error, abs=0.05 * error)
    assert 1e-15 < seen.p < 1e-6  # 7.9 standard errors; no resample of 10,000 shows one
    assert seen.smallest_p < seen.p


def test_models_that_agree_everywhere_still_leave_a_doubt():
    same = np.array([[[1000, 0], [0, 50]], [[30, 0], [0, 120]]])
    seen = change("f1", same)
    assert seen.change == 0
    assert -0.03 < seen.low < 0 < seen.high
    assert 0.3 < seen.p <= 1


def test_under_a_hundred_positives_nothing_is_judged():
    few = np.array([[[800, 30], [25, 60]], [[9, 0], [0, 90]]])
    too_few = TooFew(what="positives", seen=99, needed=100)
    assert count_change(few, "f1", np.random.default_rng(0)) == too_few
    assert count_estimate(few.sum(axis=1), "f1", 0.5, np.random.default_rng(0)) == too_few


def test_every_metric_is_listed():
    assert get_args(CountMetric) == COUNT_METRICS


@pytest.mark.parametrize("metric", COUNT_METRICS)
def test_a_limit_is_ruled_out_on_the_right_side(metric):
    cells = CELLS.sum(axis=1)
    good = good_direction(metric)
    value = float(evaluate(metric, Confusion(*cells.ravel().astype(float)), COSTS))
    easy, hard = (0.8 * value, (1 + value) / 2) if good == "up" else (1.4 * value, 0.6 * value)
    reached, missed = (
        count_estimate(cells, metric, limit, np.random.default_rng(0), costs=COSTS) for limit in (easy, hard)
    )
    assert isinstance(reached, Estimate)
    assert isinstance(missed, Estimate)
    assert reached.value == pytest.approx(value)
    assert reached.low < value < reached.high
    assert reached.lower_bound > 0
    assert reached.p > 0.9
    assert missed.upper_bound < 0
    assert missed.p < 0.05
