"""What the policy must say for the loop to work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.errors import MlciError
from mlci.flows.doctor.patient import Look

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlci.flows.doctor.patient import Patient
    from mlci.nouns.diagnosis import Diagnosed


def readable(patient: Patient) -> Iterator[Diagnosed]:
    """The policy follows its schema."""
    look = Look("policy.schema", "Policy")
    loaded = patient.loaded
    if isinstance(loaded, MlciError):
        yield look.broken(loaded)
        return
    tables = len(loaded.policy.data)
    yield look.fine(f"{loaded.file} follows the schema, with promises about {tables} table{'s' if tables != 1 else ''}")


def gate(patient: Patient) -> Iterator[Diagnosed]:
    """There is something to judge a model by."""
    look = Look("policy.gate", "Policy")
    if patient.policy is None:
        return
    policy = patient.policy
    if policy.policy.gate is None:
        yield look.failure(
            "the policy has no `gate`: no model can be judged", "write `mlci.gate` with at least one metric"
        )
    elif not policy.policy.gate.metrics and not policy.policy.gate.slices.named:
        yield look.warning(
            "the gate promises no metric: it lets every model through",
            "name metrics with `drop`, `rise`, `floor` or `ceiling` in `mlci.gate.metrics`",
            policy.place("gate"),
        )
    else:
        yield look.fine(f"the gate judges {', '.join(policy.policy.gate.metrics) or 'slices'}")


def tables(patient: Patient) -> Iterator[Diagnosed]:
    """Data is promised something."""
    look = Look("policy.data", "Policy")
    if patient.policy is not None and not patient.policy.policy.data:
        yield look.warning(
            "the policy promises nothing about any table: bad data is not noticed",
            "`mlci data infer TABLE` proposes `mlci.data`",
        )


CHECKS = (readable, gate, tables)
