"""From the policy of a table to its checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.measure.data.columns import column_checks
from mlci.measure.data.whole import (
    conflict_checks,
    fresh_checks,
    key_checks,
    overlap_checks,
    row_checks,
    rule_checks,
)

if TYPE_CHECKING:
    from mlci.measure.data.asked import Asked
    from mlci.nouns.data_check import DataCheck


def data_checks(asked: Asked) -> tuple[DataCheck, ...]:
    """Everything that the policy asks of a table, but drift."""
    return (
        *row_checks(asked),
        *fresh_checks(asked),
        *column_checks(asked),
        *key_checks(asked),
        *rule_checks(asked),
        *overlap_checks(asked),
        *conflict_checks(asked),
    )
