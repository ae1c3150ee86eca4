"""Hold a warehouse to a table whose answers are known, before it is asked of real data."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

from mlci.edges.warehouse.table import probed
from mlci.measure.data.dialects import dialect_of
from mlci.measure.data.probe.kinds import kinds_of
from mlci.measure.data.probe.read import Probe
from mlci.nouns.proof import Proof

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from mlci.edges.warehouse.connect import Warehouse
    from mlci.nouns.aggregate import Aggregate
    from mlci.nouns.table_schema import TableSchema


@dataclass
class Prober:
    """What a connection has proven so far, for one table.

    Attributes:
        connection: To the warehouse.
        schema: The table.
        words: What each of the policy's conditions holds.
        proof: What was asked so far.
    """

    connection: Warehouse
    schema: TableSchema
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)
    proof: Proof = field(default_factory=lambda: Proof(engine=""))

    def refused(self, aggregates: Iterable[Aggregate], told: list[str]) -> dict[Aggregate, str]:
        """The questions that this warehouse can't be asked, each with the reason.

        Args:
            aggregates: What shall be asked.
            told: Gets what was asked of the probe.

        Raises:
            WorldError: The warehouse can't be reached any more.
        """
        kinds = {aggregate: kinds_of(aggregate, self.schema, self.words) for aggregate in aggregates}
        asked = {proven.kind for proven in self.proof.kinds}
        new = {kind for each in kinds.values() for kind in each} - asked
        if new:
            before = perf_counter()
            proof = prove(self.connection, new)
            told.append(_told(proof, 1e3 * (perf_counter() - before)))
            self.proof = self.proof.joined(proof)
        found: dict[Aggregate, str] = {}
        for aggregate, each in kinds.items():
            for kind in each:
                if (why := self.proof.wrong(kind)) is not None:
                    found[aggregate] = f"{kind} can't be checked in {self.proof.engine}: of the probe's rows {why}"
        return found


def prove(connection: Warehouse, kinds: Collection[str] | None = None) -> Proof:
    """Ask the probe.

    Args:
        connection: To the warehouse.
        kinds: The kinds of question that are needed; None for all.

    Raises:
        WorldError: The warehouse can't be reached any more.
    """
    probe = Probe(connection.dialect, kinds)
    name = dialect_of(probe.schema).name
    number = re.search(r"\d+(?:\.\d+)*", connection.version)
    engine = f"{name} {number[0]}" if number else name
    return probe.read(probed(connection, probe.schema, probe.plan), engine)


def _told(proof: Proof, milliseconds: float) -> str:
    count = f"{len(proof.kinds)} kinds of question, {proof.statements} statements on rows of its own"
    lines = [f"-- probe of {proof.engine}: {count}, {len(proof.refused)} answered wrong: {milliseconds:,.0f} ms"]
    lines += [f"--   refused: {each.kind}: {each.wrong}" for each in proof.refused]
    return "\n".join(lines)
