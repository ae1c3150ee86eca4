from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlci.judge.stats.decision import decide, decide_change
from mlci.judge.stats.losses import loss_change_from_sums
from mlci.judge.stats.paired import accuracy_change
from mlci.nouns.change import Bounds, Change

UNIT = st.floats(0, 1)
SIDE = st.floats(-1, 1)


def test_a_bound_at_the_tolerance_does_not_pass():
    assert decide(-0.01, 1.0, 0.01, 0.05) == "inconclusive"
    assert decide(-0.01 + 1e-12, 0.0, 0.01, 0.05) == "pass"


def test_a_p_at_alpha_fails():
    assert decide(-0.02, 0.05, 0.01, 0.05) == "fail"


def test_a_drop_within_the_tolerance_fails_only_where_any_drop_does():
    assert decide(-0.02, 0.001, 0.01, 0.05) == "fail"
    assert decide(-0.02, 0.001, 0.01, 0.05, fail_when="worse_than_tolerance", upper_bound=-0.002) == "inconclusive"
    assert decide(-0.02, 0.001, 0.01, 0.05, fail_when="worse_than_tolerance", upper_bound=-0.011) == "fail"


def test_what_was_not_measured_neither_passes_nor_fails():
    assert decide(math.nan, math.nan, 0.01, 0.05) == "inconclusive"
    assert decide(-math.inf, math.nan, 0.01, 0.05) == "inconclusive"


def test_a_threshold_of_zero_never_fails():
    assert decide(-0.5, 1e-9, 0.01, 0.0) == "inconclusive"


def test_wrong_calls_are_refused():
    with pytest.raises(ValueError, match="at least 0"):
        decide(0, 0, -0.1, 0.05)
    with pytest.raises(ValueError, match="upper bound"):
        decide(-1, 0, 0.1, 0.05, fail_when="worse_than_tolerance")


@given(SIDE, UNIT, UNIT, UNIT, SIDE)
def test_the_milder_rule_fails_no_more(lower, p, tolerance, alpha, upper):
    mild = decide(lower, p, tolerance, alpha, fail_when="worse_than_tolerance", upper_bound=upper)
    strict = decide(lower, p, tolerance, alpha)
    assert mild == strict or (strict, mild) == ("fail", "inconclusive")


def test_a_rise_of_a_loss_is_a_drop():
    worse = loss_change_from_sums(0.30, 0.33, 10_000, 0.01)
    assert isinstance(worse, Change)
    assert worse.change == pytest.approx(0.03)
    assert worse.gain == pytest.approx(-0.03)
    assert worse.lower_bound == -worse.high < worse.gain < worse.upper_bound == -worse.low
    assert decide_change(worse, 0.01, 0.05) == "fail"
    assert decide_change(worse, 0.05, 0.05) == "pass"
    better = loss_change_from_sums(0.33, 0.30, 10_000, 0.01)
    assert isinstance(better, Change)
    assert decide_change(better, 0.0, 0.05) == "pass"


def test_the_worked_examples():
    assert _outcome(1744, 44, 58, 154) == "inconclusive"  # 90.1 -> 89.4 %
    assert _outcome(344, 5, 19, 44) == "fail"  # 88.1 -> 84.7 %
    assert _outcome(3700, 28, 32, 340) == "pass"  # 91.0 -> 90.9 %


def test_bounds_turn_round_for_a_loss():
    assert Bounds(-1.0, 2.0).natural("up") == (-1.0, 2.0)
    assert Bounds(-1.0, 2.0).natural("down") == (-2.0, 1.0)


def _outcome(*cells):
    seen = accuracy_change(*cells)
    assert isinstance(seen, Change)
    return decide_change(seen, 0.01, 0.05)
