from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mlci.nouns.ledger import Ledger, Use, UsedTestSet, union

USES = st.builds(
    Use,
    test=st.sampled_from(["a" * 64, "b" * 64]),
    candidate=st.sampled_from([f"{number:064x}" for number in range(4)]),
    baselines=st.sampled_from([(), ("git:1",)]),
    policy=st.sampled_from(["p", "q"]),
    commit=st.sampled_from(["", "c"]),
    outcome=st.sampled_from(["pass", "fail", "inconclusive"]),
    at=st.integers(0, 9).map(lambda second: f"2026-03-01T12:00:0{second}Z"),
)


@given(st.lists(USES, max_size=20), st.lists(USES, max_size=20), st.lists(USES, max_size=20))
def test_ledgers_join_in_any_order_and_as_often_as_you_like(one, two, three):
    joined = union([*one, *two, *three])
    assert union([*union([*three, *one]), *union([*two, *one])]) == joined
    assert union(joined) == joined
    assert len({use.key for use in joined}) == len(joined)
    assert {use.key for use in joined} == {use.key for use in [*one, *two, *three]}


@given(st.lists(USES, min_size=1, max_size=20))
def test_uses_of_a_test_set_are_numbered_from_one(uses):
    ledger = Ledger(uses=union(uses))
    for test in {use.test for use in uses}:
        own = ledger.of(test)
        assert [ledger.number(use.key) for use in own] == list(range(1, len(own) + 1))
        assert ledger.number((test, "new", (), "p")) == len(own) + 1


@pytest.mark.parametrize("wrong", [{"test": "a"}, {"at": "yesterday"}, {"schema_version": 2}, {"outcome": "maybe"}])
def test_what_is_no_use_is_refused(wrong):
    right = {"test": "a" * 64, "candidate": "b" * 64, "policy": "p", "outcome": "pass", "at": "2026-03-01T12:00:00Z"}
    assert Use.model_validate(right).commit == ""
    with pytest.raises(ValidationError):
        Use.model_validate(right | wrong)


def test_what_is_left_is_never_negative():
    assert UsedTestSet(test="a", used=7, planned=50).left == 43
    assert UsedTestSet(test="a", used=70, planned=50).left == 0
    assert UsedTestSet(test="a", used=7).left is None


def test_looks_of_a_change_are_counted_over_all_test_sets():
    def use(candidate, change, *, test="a", second=0):
        at = f"2026-03-01T12:00:0{second}Z"
        return Use(test=test * 64, candidate=candidate * 64, policy="p", outcome="pass", at=at, change=change)

    first, other = use("1", "7"), use("1", "8", second=1)
    second, fresh = use("2", "7", second=2), use("2", "7", test="b", second=3)
    ledger = Ledger(uses=union([fresh, second, other, first, first]))
    assert [ledger.look("7", each.key) for each in (first, second, fresh)] == [1, 2, 3]
    assert ledger.look("7", use("3", "7").key) == 4
    assert [ledger.look("8", each.key) for each in (first, second)] == [1, 2]
    assert ledger.look("9", first.key) == 1
    # What two changes ask alike is a look of each of them, but one use of the test set.
    assert [each.candidate[0] for each in ledger.of("a" * 64)] == ["1", "2"]
