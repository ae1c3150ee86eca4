from __future__ import annotations

import numpy as np
import pytest

from mlci.judge.stats.grouped import group_sums, grouped_accuracy_change, grouped_change
from mlci.judge.stats.losses import loss_change
from mlci.judge.stats.paired import accuracy_change
from mlci.nouns.change import Change, TooFew


def rng():
    return np.random.default_rng(0)


def sample(groups, each, seed=0):
    """Losses with an effect per group, so that rows of a group go together."""
    draw = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), each)
    old = draw.exponential(size=group.size)
    return group, old, old + draw.normal(0, 0.3, size=groups)[group] + draw.normal(0, 0.1, size=group.size)


def test_sums_by_group():
    rows, doubled = group_sums(np.array([0, 2, 2, 0, 4]), [1, 2, 3, 4, 5])
    assert rows.tolist() == [2, 2, 1]
    assert doubled.tolist() == [5, 5, 5]


def test_groups_of_one_row_are_rows():
    _, old, new = sample(500, 1)
    seen, plain = grouped_change(np.ones(500), old, new, rng()), loss_change(old, new, rng())
    assert isinstance(seen, Change)
    assert isinstance(plain, Change)
    fields = ("old", "new", "low", "high", "p", "variance")
    assert [getattr(seen, f) for f in fields] == pytest.approx([getattr(plain, f) for f in fields])


def test_rows_that_go_together_say_less():
    group, old, new = sample(200, 20)
    seen, plain = grouped_change(*group_sums(group, old, new), rng()), loss_change(old, new, rng())
    assert isinstance(seen, Change)
    assert isinstance(plain, Change)
    assert seen.change == pytest.approx(plain.change)
    assert seen.high - seen.low > 3 * (plain.high - plain.low)


def test_repeating_every_group_as_it_is_changes_nothing():
    _, old, new = sample(200, 1)
    once, often = (grouped_change(np.full(200, k), k * old, k * new, rng()) for k in (1, 7))
    assert isinstance(once, Change)
    assert isinstance(often, Change)
    assert (often.low, often.high, often.p) == pytest.approx((once.low, once.high, once.p))
    assert often.n == 7 * once.n


def test_few_groups_take_the_more_careful_answer():
    group, old, new = sample(40, 5)
    sums = group_sums(group, old, new)
    seen = grouped_change(*sums, rng())
    assert isinstance(seen, Change)
    assert "BCa" in seen.method
    assert seen == grouped_change(*sums, rng())
    turned = grouped_change(sums[0], -sums[1], -sums[2], rng(), good="up")
    assert isinstance(turned, Change)
    assert (turned.low, turned.high, turned.p) == pytest.approx((-seen.high, -seen.low, seen.p))


def test_right_and_wrong_by_group_is_never_surer_than_without_groups():
    draw = np.random.default_rng(2)
    rows = draw.integers(1, 30, size=300)
    gained, lost = draw.binomial(rows, 0.02), draw.binomial(rows, 0.03)
    wrong = draw.binomial(rows - gained - np.minimum(lost, rows - gained), 0.1)
    lost = np.minimum(lost, rows - gained)
    right = rows - gained - lost - wrong
    seen = grouped_accuracy_change(rows, right, gained, lost, rng())
    plain = accuracy_change(right.sum(), gained.sum(), lost.sum(), wrong.sum())
    assert isinstance(seen, Change)
    assert isinstance(plain, Change)
    assert (seen.old, seen.new) == pytest.approx((plain.old, plain.new))
    assert seen.discordant == plain.discordant
    assert seen.low <= plain.low
    assert seen.high >= plain.high
    assert seen.p >= plain.p
    assert seen.smallest_p == plain.smallest_p


def test_without_a_discordant_row_a_doubt_remains():
    rows, nothing = np.full(100, 5), np.zeros(100)
    seen = grouped_accuracy_change(rows, rows, nothing, nothing, rng())
    assert isinstance(seen, Change)
    assert seen.low < 0 < seen.high
    assert seen.p == 0.5


def test_too_little_and_no_numbers():
    few = np.ones(29)
    too_few = TooFew(what="groups", seen=29, needed=30)
    assert grouped_change(few, few, few, rng()) == grouped_accuracy_change(few, few, 0 * few, 0 * few, rng()) == too_few
    many = np.ones(50)
    with pytest.raises(ValueError, match="NaN"):
        grouped_change(many, many, many * np.nan, rng())
