"""Weak slices that nobody named, and rates by group."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gates import binary, regression, sample
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlci.judge.fairness import group_rates, wilson
from mlci.judge.weak import weak_slices
from mlci.nouns.sample import Feature


def features(n, seed, many=3, values=6):
    rng = np.random.default_rng(seed)
    return tuple(Feature(rng.integers(0, values, n), tuple(f"f{i} = {j}" for j in range(values))) for i in range(many))


def wrong(n, seed, weak, share=0.3):
    """Rows wrong on 10 %, and on more where `weak` holds."""
    rng = np.random.default_rng(seed)
    label = rng.random(n) < 0.4
    new = label ^ (rng.random(n) < np.where(weak, share, 0.1))
    old = label ^ (rng.random(n) < 0.1)
    return sample("binary", label, old, new)


def test_a_planted_slice_is_found_first():
    found = features(10_000, 1)
    weak = found[1].codes == 2
    told = weak_slices(replace(wrong(10_000, 2, weak), features=found), "release")
    elsewhere = [each for each in told if each.than == "elsewhere"]
    assert elsewhere[0].slice == "f1 = 2"
    assert elsewhere[0].measured == pytest.approx(0.3, abs=0.03)
    assert 0 < elsewhere[0].low < elsewhere[0].excess < elsewhere[0].high
    before = [each for each in told if each.than == "before"]
    assert before[0].slice == "f1 = 2"
    assert before[0].baseline == "release"


def test_a_planted_pair_is_told_beyond_its_values():
    found = features(20_000, 3)
    weak = (found[0].codes == 1) & (found[2].codes == 4)
    told = weak_slices(replace(wrong(20_000, 4, weak, 0.5), features=found))
    assert told[0].slice == "f0 = 1, f2 = 4"
    assert all("f1" not in each.slice for each in told)


def test_noise_is_hardly_ever_told():
    """Nothing is weak: 3 features and 3 pairs of 6 values, 126 cells, in each of 60 samples."""
    told = [weak_slices(replace(wrong(3_000, seed, weak=False), features=features(3_000, seed))) for seed in range(60)]
    assert np.mean([len(each) > 0 for each in told]) <= 0.1


def test_a_regression_is_measured_by_its_error():
    rows = regression(6_000, 1)
    found = features(6_000, 5)
    weak = found[0].codes == 3
    rows.new.decision[weak] += 2
    told = weak_slices(replace(rows, features=found))
    assert told[0].slice == "f0 = 3"
    assert weak_slices(rows) == ()
    assert weak_slices(replace(rows.only(np.arange(40)), features=features(40, 1))) == ()


@given(st.integers(0, 400), st.integers(1, 400))
def test_wilson_is_scipys(k, n):
    k = min(k, n)
    theirs = stats.binomtest(k, n).proportion_ci(0.95, method="wilson")
    assert wilson(k, n) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_newcombes_known_answer():
    """Newcombe (1998), table II, case a: 56/70 against 48/80 is .2000 (.0524 to .3339)."""
    decision = np.repeat([True, False, True, False], [56, 14, 48, 32])
    rows = sample("binary", np.ones(150, dtype=bool), decision, decision)
    groups = (Feature(np.repeat([0, 1], [70, 80]), ("sex = f", "sex = m")),)
    found = {(each.kind, each.group): each for each in group_rates(replace(rows, groups=groups))}
    one = found["selection rate", "sex = f"]
    assert (one.rows, one.rate) == (70, 0.8)
    assert one.difference == pytest.approx(0.2)
    assert (one.difference_low, one.difference_high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    other = found["selection rate", "sex = m"]
    assert (other.difference_low, other.difference_high) == pytest.approx((-0.3339, -0.0524), abs=5e-5)
    assert found["true positive rate", "sex = f"].rate == 0.8
    assert ("false positive rate", "sex = f") not in found


def test_rates_agree_with_counting():
    rows = binary(2_000, 1, new=0.2)
    groups = features(2_000, 2, many=1, values=3)
    for each in group_rates(replace(rows, groups=groups)):
        mine = groups[0].codes == int(each.group[-1])
        about = {
            "selection rate": mine,
            "true positive rate": mine & rows.label,
            "false positive rate": mine & ~rows.label,
        }
        assert each.rows == about[each.kind].sum()
        assert each.rate == pytest.approx(rows.new.decision[about[each.kind]].mean())
    assert group_rates(replace(regression(100, 1), groups=groups)) == ()


def test_rates_of_groups_since_the_old_model():
    rows = binary(2_000, 1, old=0.05, new=0.2)
    both = replace(rows, groups=features(2_000, 2, many=1, values=3))
    feature, found = both.groups[0], group_rates(both, both)
    assert len(found) == 9
    for each in found:
        mine = feature.codes == feature.names.index(each.group)
        about = {"true positive rate": rows.label, "false positive rate": ~rows.label}.get(
            each.kind, np.ones_like(mine)
        )
        assert each.before == pytest.approx(rows.old.decision[mine & about].mean())
        assert each.before + each.change == pytest.approx(each.rate)
        assert each.change_low < each.change < each.change_high
    # The new model is wrong on 15 % more rows: it finds fewer positives in every group, and takes more negatives.
    assert all(each.change_high < 0 for each in found if each.kind == "true positive rate")
    assert all(each.change_low > 0 for each in found if each.kind == "false positive rate")
    mirrored = group_rates(both, replace(both, old=both.new, new=both.old))
    for one, other in zip(found, mirrored, strict=True):
        assert (other.change, other.change_low, other.change_high) == pytest.approx(
            (-one.change, -one.change_high, -one.change_low)
        )


def test_groups_that_the_old_model_has_not_answered_have_no_change():
    both = replace(binary(2_000, 1), groups=features(2_000, 2, many=1, values=3))
    few = both.only(np.arange(50))
    few = replace(few, groups=tuple(Feature(each.codes[:50], each.names) for each in both.groups))
    assert all(each.before is None for each in group_rates(both))
    assert all(each.before is None for each in group_rates(both, few))
