"""What the policy must say for the loop to work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.errors import MlciError, WorldError
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


def engine(patient: Patient) -> Iterator[Diagnosed]:
    """The warehouse can be reached, and answers rows whose answers are known as it should."""
    look = Look("policy.engine", "Policy")
    if patient.policy is None or patient.policy.policy.engine.name != "warehouse":
        return
    if patient.offline:
        yield look.not_asked("the warehouse was not asked", "leave `--offline` out")
        return
    from mlci.edges.warehouse.connect import warehouse  # noqa: PLC0415 - only who has one
    from mlci.flows.data_probe import prove  # noqa: PLC0415

    try:
        with warehouse(patient.policy.policy.engine) as connection:
            proof = prove(connection)
    except WorldError as error:
        yield look.broken(error)
        return
    place = patient.policy.place("engine")
    for each in proof.refused:
        yield look.warning(
            f"{proof.engine} answers {each.kind} wrong: of the probe's rows {each.wrong}",
            "checks that need it are not measured there; leave them out, or mend the server's settings",
            place,
        )
    if not proof.refused:
        yield look.fine(f"{proof.engine} answers all {len(proof.kinds)} kinds of question of the probe right")


CHECKS = (readable, gate, tables, engine)
