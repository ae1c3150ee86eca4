"""Beyond what resamples show: careful, continuous, and able to fail one check among thousands."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, norm

from mlci.judge.stats.bca import bootstrap_ratio
from mlci.judge.stats.counts import count_change
from mlci.judge.stats.multiplicity import tarone_holm
from mlci.judge.stats.tail import LEAST, at_least, lower_quantile
from mlci.nouns.change import Change

NORMAL = np.random.default_rng(4).normal(size=10_000)


@pytest.mark.parametrize("at", [3.5, 4.0, 5.0, 6.0, 8.0])
def test_the_line_is_above_the_normal_tail_and_not_far(at):
    told = at_least(NORMAL, at)
    assert told > norm.sf(at)
    assert told < 0.0012
    assert np.log(told) < 0.45 * np.log(norm.sf(at))


def test_sums_of_skewed_rows_are_told_carefully_too():
    drawn = np.random.default_rng(5).binomial(2_000, 0.01, size=10_000).astype(float)
    for at in (40, 50, 60):
        assert at_least(drawn, at) > binom.sf(at - 1, 2_000, 0.01)
        assert binom.cdf(-lower_quantile(-drawn, 1e-6), 2_000, 0.01) > 1 - 1e-6


def test_where_resamples_show_enough_they_are_counted():
    assert at_least(NORMAL, 2.0) == (1 + np.count_nonzero(NORMAL >= 2)) / 10_001
    assert lower_quantile(NORMAL, 0.05) == np.quantile(NORMAL, 0.05, method="lower")


def test_quantile_and_probability_are_each_others_inverse():
    for level in (3e-4, 1e-6, 1e-9):
        assert at_least(-NORMAL, -lower_quantile(NORMAL, level)) == pytest.approx(level, rel=1e-6)


@pytest.mark.parametrize("values", [np.zeros(10_000), np.full(10_000, np.nan), NORMAL[:50]])
def test_what_has_no_line_is_counted(values):
    assert at_least(values, 9.0) == 1 / (values.size + 1)


def test_no_end_is_told():
    assert at_least(NORMAL, 1e9) == LEAST
    assert at_least(np.append(NORMAL[:9_800], np.full(200, np.inf)), 5.0) > 0.01


def test_the_bounds_of_bca_go_on_beyond_the_resamples():
    rng = np.random.default_rng(6)
    drawn = bootstrap_ratio(rng.exponential(size=300), np.ones(300), rng)
    for level in (0.99, 0.9999, 1 - 1e-7):
        assert drawn.p_at_least(drawn.bound(level)) == pytest.approx(1 - level, rel=0.1)
    ends = [drawn.bound(level) for level in (1e-9, 1e-6, 1e-3, 0.5, 0.999, 1 - 1e-6, 1 - 1e-9)]
    assert ends == sorted(set(ends))


def test_a_plain_loss_of_f1_is_found_among_a_thousand_checks():
    worse = count_change([[[900, 20], [20, 60]], [[60, 40], [140, 760]]], "f1", np.random.default_rng(1))
    assert isinstance(worse, Change)
    fair = np.linspace(0.01, 0.99, 999)
    corrected = tarone_holm([worse.p, *fair], [worse.smallest_p, *np.zeros(999)], 0.05 / 8)
    assert corrected.rejected[0]
    assert not corrected.rejected[1:].any()
