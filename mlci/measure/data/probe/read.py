"""The statements of a probe, and what their answers show."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlci.measure.data.dialects import dialect_of
from mlci.measure.data.plan import plan
from mlci.measure.data.probe.cases import probe_cases
from mlci.measure.data.probe.rows import inline_table
from mlci.nouns.proof import Proof, Proven
from mlci.nouns.query import Plan

if TYPE_CHECKING:
    from collections.abc import Collection

    from mlci.measure.data.probe.cases import ProbeCase
    from mlci.nouns.aggregate import Answers, SliceKey, Value
    from mlci.nouns.table_schema import DialectName, TableSchema

_CLOSE = 1e-9


class Probe:
    """The questions of some kinds to one engine.

    Attributes:
        schema: The inline table.
        plan: The statements.
    """

    schema: TableSchema
    plan: Plan

    def __init__(self, dialect: DialectName, kinds: Collection[str] | None = None) -> None:
        """Args: dialect: The engine's words. kinds: What is needed; None for all that is known."""
        self.schema, cases = probe_cases(dialect)
        self._cases = [case for case in cases if kinds is None or set(case.kinds) & set(kinds)]
        self._kinds = kinds
        asked = plan((case.aggregate for case in self._cases), self.schema)
        table = inline_table(dialect_of(self.schema))
        self.plan = Plan(
            queries=tuple(
                query.model_copy(
                    update={"sql": f"{table} {query.sql}", "alone": tuple(f"{table} {sql}" for sql in query.alone)}
                )
                for query in asked.queries
            )
        )

    def read(self, answers: Answers, engine: str) -> Proof:
        """What the answers show of each kind."""
        wrong: dict[str, str] = {}
        for case in self._cases:
            said = _differs(case, answers)
            for kind in case.kinds:
                wrong[kind] = wrong.get(kind) or said
        asked = sorted(kind for kind in wrong if self._kinds is None or kind in self._kinds)
        return Proof(
            engine=engine,
            statements=len(self.plan.queries),
            kinds=tuple(Proven(kind=kind, wrong=wrong[kind]) for kind in asked),
        )


def _differs(case: ProbeCase, answers: Answers) -> str:
    """What is wrong with an answer; empty where it is right."""
    if (failed := answers.failures.get(case.aggregate)) is not None:
        return f"it answers with an error: {failed}"
    found = answers.values.get(case.aggregate, {})
    for key, expected in case.expected.items():
        if not _same(found.get(key), expected):
            return f"it says {_shown(found.get(key))} where {_shown(expected)} is right{_of(key)}"
    more = [key for key in found if key not in case.expected]
    return f"it knows a slice {more[0]} that is not there" if more else ""


def _same(found: Value, expected: Value) -> bool:
    if found is None or expected is None:
        return found is None and expected is None
    if isinstance(expected, int):
        return found == expected
    return math.isclose(found, expected, rel_tol=_CLOSE)


def _shown(value: Value) -> str:
    return "nothing" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _of(key: SliceKey) -> str:
    return f" of the slice {key[0]!r}" if key else ""
