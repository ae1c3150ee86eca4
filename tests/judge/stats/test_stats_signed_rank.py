from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlci.judge.stats.signed_rank import centre

BEFORE = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
AFTER = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]


def test_depression_scale_of_hollander_and_wolfe():
    # Table 3.1, example 3.2: the estimate is -0.46; example 3.3: the 96 % interval is (-.786, -.010).
    found = centre(np.subtract(AFTER, BEFORE), 0.02)
    assert found == pytest.approx((-0.46, -0.786, -0.010), abs=5e-4)


def test_few_values_have_no_interval():
    assert centre([0.1, 0.2, 0.3, 0.4], 0.05) == (0.25, -math.inf, math.inf)
    assert centre([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 0.025) == pytest.approx((0.35, 0.1, 0.6))


@given(st.lists(st.integers(-1000, 1000).filter(bool), min_size=5, max_size=14, unique_by=abs), st.floats(0.01, 0.2))
def test_interval_ends_above_nothing_where_the_exact_test_says_so(values, alpha):
    p = stats.wilcoxon(values, alternative="greater", method="exact").pvalue
    if abs(p - alpha) > 1e-9:
        assert (centre(values, alpha).low > 0) == (p <= alpha)


@given(st.lists(st.floats(-5, 5), min_size=6, max_size=24), st.floats(-3, 3))
def test_it_moves_with_the_values(values, shift):
    found, moved = centre(values, 0.025), centre([value + shift for value in values], 0.025)
    assert moved == pytest.approx([each + shift for each in found], abs=1e-9)
    assert found.low <= found.estimate <= found.high
