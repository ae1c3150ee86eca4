"""The files that a policy names, what they are to a project, and which of them judging reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlci.flows.data_findings import BUDGETS, SEEDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlci.nouns.data_policy import Table
    from mlci.nouns.policy import Policy


class Named(NamedTuple):
    """A file that a policy names.

    Attributes:
        path: Relative to the project, or a pattern.
        what: In words, for a reader.
        judged: Whether a comparison reads it, so that it must be at hand.
    """

    path: str
    what: str
    judged: bool = False


def policy_files(policy: Policy) -> Iterator[Named]:
    """All of them; a file may come more than once."""
    gate, model, train = policy.gate, policy.model, policy.train
    if gate is not None:
        yield Named(gate.test, "test data", judged=True)
        yield Named(gate.predictions, "predictions", judged=True)
        yield Named(gate.trained_on, "training rows", judged=True)
        if gate.beats:
            yield Named(gate.train, "training data", judged=True)
        for metric in gate.metrics.values():
            if metric.function is not None:
                module = metric.function.partition(":")[0].replace(".", "/")
                yield Named(f"{module}.py", "metric")
                yield Named(module, "metric")
    if model is not None:
        yield Named(model.path, "model", judged=gate is not None)
    if train is not None:
        yield Named(SEEDS, "training with other seeds", judged=True)
        if train.shuffled_labels:
            yield Named(train.shuffled, "predictions from shuffled labels", judged=True)
    if policy.budgets is not None:
        yield Named(BUDGETS, "measured budgets")
    for table in policy.data.values():
        yield from (Named(path, "data") for path in table_files(table))


def table_files(table: Table) -> Iterator[str]:
    """What checking a table reads."""
    yield table.path
    if table.overlap is not None:
        yield table.overlap.table
    if table.drift is not None:
        yield table.drift.reference
