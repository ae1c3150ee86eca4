"""What strategies of the past were worth: means over all rows, and how many models they trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.nouns.replay import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.nouns.replay import Period, Strategy


def totals(periods: Sequence[Period], metric: str) -> dict[Strategy, float]:
    """Each strategy's mean of a metric over the rows of all periods.

    Args:
        periods: At least one, each with rows.
        metric: A mean over rows, such as a cost.
    """
    rows = sum(each.rows for each in periods)
    return {name: sum(each.served[name].metrics[metric] * each.rows for each in periods) / rows for name in STRATEGIES}


def trainings(periods: Sequence[Period]) -> dict[Strategy, int]:
    """How many models each strategy trained after the first; the one at the end of the last period serves nobody."""
    served = list(periods)
    return {
        "mlci": sum(each.decision.trains for each in served),
        "never": 0,
        "always": max(len(served) - 1, 0),
    }
