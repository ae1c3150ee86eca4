"""The gate as far as a log can answer it: slices of columns that the model doesn't read are left out, and told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlci.edges.duck import session
from mlci.edges.duck_sql import check_condition
from mlci.edges.tables import find_table, open_table
from mlci.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from mlci.nouns.policy import Gate, PolicyFile


def fitting(policy: PolicyFile, root: Path, folder: Path) -> tuple[PolicyFile, tuple[str, ...]]:
    """The policy with a gate that reads the tables of a trial.

    Args:
        policy: The project's.
        root: Its folder.
        folder: Of `test.parquet` and `new.parquet`, relative to it.

    Returns:
        The policy, and what of its gate the log can't answer, in words.

    Raises:
        PolicyError: Rows of one group are no independent ones, and the log doesn't know the groups.
    """
    gate = policy.policy.gate
    assert gate is not None  # noqa: S101 - a trial is judged by one
    test = str(folder / "test.parquet")
    columns, misfits = _known(policy, root, test)
    if gate.group is not None and gate.group not in columns:
        raise PolicyError(
            f"{policy.place('gate', 'group')}: the log has no column `{gate.group}`, so nobody knows which rows belong "
            "together, and an interval would be too narrow",
            "judge a trial by a policy without `group`, if its rows are independent: --policy",
        )
    fitted, lacking = _without(gate, columns, misfits)
    changes = {"test": test, "predictions": str(folder / "new.parquet"), "beats": ()}
    return replace(policy, policy=policy.policy.model_copy(update={"gate": fitted.model_copy(update=changes)})), lacking


def _known(policy: PolicyFile, root: Path, test: str) -> tuple[list[str], dict[str, str]]:
    """The log's columns, and the named slices whose conditions don't fit them."""
    gate = policy.policy.gate
    assert gate is not None  # noqa: S101 - asked before
    files = find_table(root, test)
    misfits = {}
    with session(policy.policy.engine, reads=files.files) as connection:
        schema = open_table(connection, files, "test file")
        for name, item in gate.slices.named.items():
            try:
                check_condition(connection, item.where, schema, policy.place("gate", "slices", name, "where"))
            except PolicyError as error:
                misfits[name] = error.problem
        return list(schema.columns), misfits


def _without(gate: Gate, columns: Collection[str], misfits: Collection[str]) -> tuple[Gate, tuple[str, ...]]:
    crossed = [((one,) if isinstance(one, str) else tuple(one)) for one in gate.slices.by]
    by = [one for one, names in zip(gate.slices.by, crossed, strict=True) if set(names) <= set(columns)]
    bins = {name: edges for name, edges in gate.slices.bins.items() if name in columns}
    lost = [*misfits, *(" and ".join(names) for names in crossed if not set(names) <= set(columns))]
    lost += [name for name in gate.slices.bins if name not in columns]
    named = {name: item for name, item in gate.slices.named.items() if name not in misfits}
    slices = gate.slices.model_copy(update={"named": named, "by": tuple(by), "bins": bins})
    changes: dict[str, object] = {"slices": slices, "weak": None}
    if gate.fairness is not None:
        groups = tuple(name for name in gate.fairness.groups if name in columns)
        changes["fairness"] = gate.fairness.model_copy(update={"groups": groups}) if groups else None
    if gate.beats:
        lost.append("simple models")
    return gate.model_copy(update=changes), tuple(lost)
