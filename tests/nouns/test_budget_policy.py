from __future__ import annotations

import pytest
from pydantic import ValidationError

from mlci.edges.policy_file import parse_policy
from mlci.errors import PolicyError
from mlci.judge.loosened import policy_changes
from mlci.nouns.budgets import Budgets

GATE = "mlci:\n  model: {name: m, label: y, id: id}\n  gate: {metrics: {accuracy: {drop: 0.01}}}\n  budgets: "


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ({"latency_p99": "5ms"}, 0.005),
        ({"latency_p50": "800 us"}, 0.0008),
        ({"cold_start": {"limit": "2s"}}, 2),
        ({"throughput": "1_000/s"}, 1000),
        ({"throughput": "600/min"}, 10),
        ({"size": "20MB"}, 20e6),
        ({"memory": 1000}, 1000),
        ({"cost_per_million": 0.5, "price": 0.04}, 0.5),
    ],
)
def test_limits_are_read_in_their_units(written, value):
    (budget,) = Budgets.model_validate(written).asked().values()
    assert budget.limit is not None
    assert budget.limit.value == pytest.approx(value)
    assert budget.limit.text in str(written)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"latency_p99": "5"}, "a time such as 5ms, 800us or 2s is needed here, not '5'"),
        ({"latency_p99": 5}, "a time such as 5ms"),
        ({"latency_p99": "20%"}, "a share of the previous model's is {rise: 20%}"),
        ({"latency_p99": "0ms"}, "more than nothing"),
        ({"throughput": "1000"}, "a rate such as 1000/s"),
        ({"throughput": {"rise": "20%"}}, "of throughput more is better: write `drop`"),
        ({"throughput": {"drop": "150%"}}, "less than 1"),
        ({"memory": {"drop": "20%"}}, "less of it is better: write `rise`"),
        ({"memory": {"rise": "-5%"}}, "zero or more"),
        ({"memory": {"level": "warn"}}, "a budget needs a `limit`"),
        ({"size": True}, "a size such as 20MB"),
        ({"cost_per_million": "0.5"}, "`price` must say what an hour of one CPU costs"),
    ],
)
def test_what_is_no_budget_is_told_with_what_is(written, told):
    with pytest.raises(ValidationError) as error:
        Budgets.model_validate(written)
    assert told in str(error.value)


def test_a_misspelt_budget_is_named_with_the_nearest_and_its_line():
    with pytest.raises(PolicyError, match=r"params.yaml:4: .*latency_p9.*did you mean.*latency_p99"):
        parse_policy(GATE + "{latency_p9: 5ms}\n", "params.yaml")


def test_budgets_need_a_gate():
    with pytest.raises(PolicyError, match=r"budgets: .*add `gate:`"):
        parse_policy("mlci:\n  model: {name: m, label: y, id: id}\n  budgets: {size: 1MB}\n", "params.yaml")


@pytest.mark.parametrize(
    ("before", "after", "kind", "told"),
    [
        ("{size: 1MB}", "{size: 2MB}", "loosened", "`budgets.size.limit` 1MB → 2MB"),
        ("{size: 2MB}", "{size: 1MB}", "tightened", "`budgets.size.limit` 2MB → 1MB"),
        ("{throughput: 1000/s}", "{throughput: 10/s}", "loosened", "`budgets.throughput.limit` 1000/s → 10/s"),
        ("{throughput: 10/s}", "{throughput: 1000/s}", "tightened", "`budgets.throughput.limit` 10/s → 1000/s"),
        ("{memory: {rise: 5%}}", "{memory: {rise: 50%}}", "loosened", "`budgets.memory.rise` 0.05 → 0.5"),
        ("{throughput: {drop: 5%}}", "{throughput: {drop: 50%}}", "loosened", "`budgets.throughput.drop` 0.05 → 0.5"),
        ("{size: 1MB, price: 2}", "{size: 1MB, price: 1}", "loosened", "`budgets.price` 2.0 → 1.0"),
        ("{size: 1MB}", "{size: {limit: 1MB, level: warn}}", "loosened", "`budgets.size.level` added: warn"),
        ("{size: 1MB, memory: 1GB}", "{size: 1MB}", "loosened", "`budgets.memory.limit` removed (was 1GB)"),
        ("{size: 1MB}", "{size: 1MB, memory: 1GB}", "tightened", "`budgets.memory.limit` added: 1GB"),
        ("{size: 1MB}", "{size: 1MB, concurrency: 4}", "changed", "`budgets.concurrency` added: 4"),
    ],
)
def test_the_guard_knows_a_looser_budget(before, after, kind, told):
    old, new = (parse_policy(f"{GATE}{text}\n", "params.yaml").policy for text in (before, after))
    (change,) = policy_changes(old, new)
    assert (change.kind, str(change)) == (kind, told)
