"""Known answers: the paired table 59/6/16/80 of the R package contingencytables (Fagerland et al.)."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import binom

from mlci.judge import stats
from mlci.judge.stats.paired import (
    accuracy_change,
    at_least,
    mcnemar_exact_two_sided,
    mcnemar_mid_p,
    mcnemar_mid_p_two_sided,
    newcombe_interval,
    smallest_mid_p,
    tango_interval,
    tango_lower,
    tango_score,
    tango_upper,
)
from mlci.nouns.change import Change, TooFew

# Both right 59, only one right 6 or 16, both wrong 80. The package's difference is (59 + 6) - (59 + 16) over 161,
# so its 6 are our gained rows and its 16 our lost ones: the sign of its interval is ours.
GAINED, LOST, ROWS = 6, 16, 161
COUNT = st.integers(0, 60)


def test_known_answers_of_the_paired_table():
    assert float(mcnemar_mid_p_two_sided(GAINED, LOST)) == pytest.approx(0.034690, abs=5e-7)
    assert float(mcnemar_exact_two_sided(GAINED, LOST)) == pytest.approx(0.052479, abs=5e-7)
    assert tango_interval(GAINED, LOST, ROWS) == pytest.approx((-0.1240, -0.0054), abs=5e-5)
    assert newcombe_interval(59, GAINED, LOST, 80) == pytest.approx((-0.1186, -0.0046), abs=5e-5)


def test_turning_the_models_round_turns_every_interval_round():
    low, high = tango_interval(LOST, GAINED, ROWS)
    assert (-high, -low) == pytest.approx(tango_interval(GAINED, LOST, ROWS), abs=1e-12)
    low, high = newcombe_interval(59, LOST, GAINED, 80)
    assert (-high, -low) == pytest.approx(newcombe_interval(59, GAINED, LOST, 80), abs=1e-12)


def test_mid_p_is_its_definition():
    for gained, lost in product(range(12), repeat=2):
        binomial = binom(gained + lost, 0.5)
        expected = binomial.sf(lost) + binomial.pmf(lost) / 2
        assert float(mcnemar_mid_p(gained, lost)) == pytest.approx(expected, abs=1e-14)


def test_without_a_discordant_row_nothing_speaks_for_either_side():
    assert float(mcnemar_mid_p(0, 0)) == float(smallest_mid_p(0, 0)) == 0.5
    assert float(mcnemar_mid_p_two_sided(0, 0)) == float(mcnemar_exact_two_sided(0, 0)) == 1.0


def test_functions_work_on_arrays():
    gained, lost = np.array([5, 0]), np.array([19, 3])
    assert mcnemar_mid_p(gained, lost).tolist() == [float(mcnemar_mid_p(5, 19)), float(mcnemar_mid_p(0, 3))]
    assert tango_lower(gained, lost, 412, 0.05).tolist() == [
        float(tango_lower(5, 19, 412, 0.05)),
        float(tango_lower(0, 3, 412, 0.05)),
    ]


def test_upper_tail_at_its_ends():
    assert at_least([0, 4, 5], [4, 4, 4]).tolist() == [1.0, 0.0625, 0.0]
    assert at_least(3, 10, 0.2) == pytest.approx(binom(10, 0.2).sf(2))


@given(COUNT, COUNT)
def test_mid_p_has_its_symmetry_and_its_smallest_value(gained, lost):
    p = float(mcnemar_mid_p(gained, lost))
    assert p + float(mcnemar_mid_p(lost, gained)) == pytest.approx(1)
    assert p >= float(smallest_mid_p(gained, lost)) * (1 - 1e-12)
    assert float(mcnemar_mid_p(0, gained + lost)) == pytest.approx(float(smallest_mid_p(gained, lost)))
    assert float(mcnemar_exact_two_sided(gained, lost)) >= float(mcnemar_mid_p_two_sided(gained, lost)) - 1e-12


@given(COUNT, COUNT, st.integers(0, 2000), st.floats(0.001, 0.2))
def test_tango_bounds_invert_the_score(gained, lost, concordant, tail):
    n = gained + lost + concordant + 1
    low, high = float(tango_lower(gained, lost, n, tail)), float(tango_upper(gained, lost, n, tail))
    assert -1 <= low <= (gained - lost) / n <= high <= 1
    if low > -1 + 1e-9:
        assert float(tango_score(gained, lost, n, low)) == pytest.approx(-float(ndtri(tail)), abs=1e-4)


@given(COUNT, COUNT, st.integers(0, 500), st.floats(-0.9, 0.9))
def test_tango_score_falls_with_the_assumed_difference(gained, lost, concordant, d0):
    n = gained + lost + concordant + 1
    here, further = (float(tango_score(gained, lost, n, d)) for d in (d0, d0 + 0.05))
    assert further <= here + 1e-9


def test_at_no_difference_tango_is_mcnemar():
    assert float(tango_score(44, 58, 2000, 0.0)) == pytest.approx((44 - 58) / np.sqrt(44 + 58))


@given(COUNT, COUNT, COUNT, COUNT)
def test_newcombe_holds_the_difference(both_right, gained, lost, both_wrong):
    n = both_right + gained + lost + both_wrong
    if n:
        low, high = newcombe_interval(both_right, gained, lost, both_wrong)
        assert -1 - 1e-9 <= low <= (gained - lost) / n + 1e-12
        assert (gained - lost) / n - 1e-12 <= high <= 1 + 1e-9


def test_the_change_of_an_accuracy_says_what_a_report_needs():
    seen = accuracy_change(1744, 44, 58, 154)
    assert isinstance(seen, Change)
    assert (seen.old, seen.new, seen.discordant, seen.n) == (0.901, 0.894, (44, 58), 2000)
    assert seen.change == seen.gain == pytest.approx(-0.007)
    assert seen.lower_bound == seen.low == pytest.approx(-0.0155, abs=5e-4)
    assert seen.upper_bound == seen.high
    assert seen.variance == 102 / 2000
    # 19 worse, 5 better of 412: about 2 times in 1,000.
    worse = accuracy_change(344, 5, 19, 44)
    assert isinstance(worse, Change)
    assert worse.p == pytest.approx(0.002, abs=1e-4)


def test_under_thirty_rows_nothing_is_judged():
    assert accuracy_change(20, 3, 3, 3) == TooFew(what="rows", seen=29, needed=30)


@pytest.mark.parametrize("module", [m.name for m in pkgutil.iter_modules(stats.__path__)])
def test_examples_in_docstrings_hold(module):
    assert doctest.testmod(importlib.import_module(f"mlci.judge.stats.{module}")).failed == 0
