from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlci.judge.asks import Ask
from mlci.judge.plan import needs_of, peer_of, peer_of_condition, risk_of, sharing, supposed
from mlci.judge.stats.paired import accuracy_change
from mlci.nouns.change import Missing, TooFew
from mlci.nouns.policy import Gate, MetricGate
from mlci.nouns.scalars import Amount


def test_a_risk_shared_by_fifty_uses_costs_two_and_a_half_times_the_rows():
    once = supposed(None, 0.05, 0.01, alpha=0.05, risk=0.05)
    often = supposed(None, 0.05, 0.01, alpha=0.05, risk=risk_of(0.05, 50, "none", critical=True))
    assert (once.needed_rows, once.needed_labels) == (3_092, 155)
    assert often.needed_rows == pytest.approx(2.5 * 3_092, rel=0.01)


@pytest.mark.parametrize(("rows", "alone", "first_of_20"), [(500, 2.4, 3.5), (2_000, 1.2, 1.8), (10_000, 0.6, 0.8)])
def test_what_a_test_set_sees(rows, alone, first_of_20):
    need = supposed(rows, 0.05, 0.01, alpha=0.05, risk=0.05, tests=20)
    assert round(100 * need.sees, 1) == alone
    assert round(100 * need.sees_first, 1) == first_of_20


def test_the_risk_of_a_use():
    assert risk_of(0.05, 50, "none", critical=False) == 0.05
    assert risk_of(0.05, 50, "none", critical=True) == pytest.approx(0.001)
    assert risk_of(0.05, 3, "full", critical=True) == pytest.approx(0.05 / 8)
    assert 0 < risk_of(0.05, 100_000, "full", critical=True) < 1e-200


@settings(deadline=None)
@given(
    st.integers(30, 5_000),
    st.floats(0.01, 0.5),
    st.floats(0.001, 0.3),
    st.integers(1, 500),
    st.sampled_from(["none", "full"]),
)
def test_missing_rows_and_labels_add_up(rows, differ, drop, steps, adaptivity):
    need = supposed(rows, differ, drop, alpha=0.05, risk=risk_of(0.05, steps, adaptivity, critical=True))
    assert need.more_rows == max(0, need.needed_rows - rows)
    assert 0 <= need.more_labels <= need.more_rows
    assert need.needed_rows >= 30
    assert need.needed_labels == math.ceil(need.needed_rows * differ)


def an_ask(part=None, *, critical=False, n=2_000, seen=None, drop="0.01"):
    promise = MetricGate(drop=Amount.model_validate(drop), critical=critical)
    found = seen or accuracy_change(n - 200, 44, 58, 98, alpha=0.05, beta=0.05)
    return Ask(("gate",), "accuracy", part, promise, "merge-base", n, None, found)


def test_needs_follow_what_was_measured():
    few = TooFew(what="rows", seen=12, needed=30)
    asks = [an_ask(critical=True), an_ask("old"), an_ask("tiny", n=12, seen=few), an_ask("exact", drop="0")]
    gate = Gate(reuse=50)
    assert sharing(asks, gate.alpha) == 3
    whole, old, tiny, exact = needs_of(asks, gate, 50, "none")
    assert whole.risk == pytest.approx(0.001)
    assert whole.differ == old.differ == tiny.differ == 102 / 2_000
    assert old.needed_rows == 3_154
    assert whole.needed_rows > 2 * old.needed_rows
    assert old.sees < old.sees_first
    assert (tiny.rows, tiny.needed_rows, tiny.note) == (12, 3_154, "fewer than 30 rows: reported, never judged")
    assert exact.needed_rows is None
    assert exact.more_rows is exact.more_labels is None
    assert "no loss is allowed" in exact.note


def test_what_was_not_measured_says_why():
    (need,) = needs_of([an_ask(seen=Missing(why="There are no scores."))], Gate(), 1, "none")
    assert (need.needed_rows, need.sees, need.note) == (None, None, "There are no scores")


def test_models_that_never_differ_still_need_some_rows():
    (need,) = needs_of([an_ask(seen=accuracy_change(1_900, 0, 0, 100))], Gate(), 1, "none")
    assert need.differ == 1 / 2_000
    assert need.needed_rows >= 30


def test_the_peer_of_a_promise_and_of_a_condition():
    peer = peer_of(0.01, 0.1, 1e-4, 32, "none")
    assert peer.condition == "n - o > -0.01 +/- 0.01"
    assert abs(peer.rows - 267_385) <= 1
    assert abs(peer.few_changed_rows - 29_047) <= 1
    assert abs(peer.labels_per_commit - 2_188) <= 1
    pattern = peer_of_condition("d < 0.1 +/- 0.01 /\\ n - o > 0.02 +/- 0.01", 1e-4, 32, "full")
    assert pattern.changed == 0.1
    assert abs(pattern.few_changed_rows - 67_705) <= 1
    assert peer_of_condition("n > 0.8 +/- 0.05", 1e-4, 32, "none").few_changed_rows is None


def test_groups_that_move_together_need_more_rows():
    plain = accuracy_change(1_800, 44, 58, 98)
    grouped = plain.model_copy(update={"variance": 4 * plain.variance})
    one, four = needs_of([an_ask(seen=plain), an_ask(seen=grouped)], Gate(), 1, "none")
    assert four.needed_rows == pytest.approx(4 * one.needed_rows, abs=4)
    assert four.sees == pytest.approx(2 * one.sees, rel=0.1)
    assert four.differ == one.differ
