import math

import pytest

from mlci.nouns import units


@pytest.mark.parametrize(
    ("metric", "number", "said"),
    [
        ("accuracy", 0.901, "90.1 %"),
        ("roc_auc", 0.7171, "0.717"),
        ("mae", 12.345, "12.35"),
        ("mae", 123.45, "123.5"),
        ("mse", 12_345.6, "12,346"),
        ("cost", None, "no value"),
        ("cost", math.nan, "no value"),
    ],
)
def test_a_value_has_about_four_digits(metric, number, said):
    assert units.value(metric, number) == said


def test_a_pair_can_be_told_apart():
    assert units.pair("accuracy", 0.91, 0.909) == "91.0 → 90.9 %"
    assert units.pair("accuracy", 0.91, 0.9099) == "91.00 → 90.99 %"
    assert units.pair("roc_auc", 0.7, 0.7) == "0.700 → 0.700"
    assert units.pair("roc_auc", 0.7, 0.700_000_1) == "0.70000 → 0.70000"


@pytest.mark.parametrize(
    ("number", "said"),
    [(336_776.0, "336,776"), (0.795193, "0.7952"), (1234.5, "1,234"), (math.inf, "no value"), (12.5, "12.5")],
)
def test_measured_numbers_are_short(number, said):
    assert units.measured(number) == said


def test_amounts_are_rounded_to_the_careful_side():
    assert units.amount("accuracy", 0.005, up=True) == "0.5"
    assert units.amount("accuracy", 0.00501, up=True) == "0.51"
    assert units.amount("mae", 1234.0) == "1,234"
    assert units.amount("mae", math.inf) == "any size"
    assert units.amount("mae", 0.0) == "0"
    assert units.with_unit("accuracy", "1") == "1 point"
    assert units.bound_beside("accuracy", 0.00996, 0.01) == "0.996"
    assert units.bound_beside("accuracy", math.inf, 0.01) == "any size"


def test_counts_are_words():
    assert units.rows(1) == "1 row"
    assert units.rows(2_000) == "2,000 rows"
    assert units.about(1_234_567) == "1,230,000"
    assert units.frequency(0.0023) == "about 2 times in 1,000"
    assert units.frequency(0.01) == "about once in 100"
    assert units.metric_name("my_own") == "my own"
