"""What using one test set again and again costs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlci.nouns import units
from mlci.nouns.finding import Finding

if TYPE_CHECKING:
    from mlci.nouns.policy import Gate, MetricGate, PolicyFile


def beta_of(gate: Gate, promise: MetricGate) -> float:
    """The chance of passing a loss of the tolerance that one use may spend on a promise.

    A critical promise shares beta among all planned uses (Bonferroni): a model that is worse would else get through in
    the end if it is tried again and again. The bound is for tries that do not learn from the outcomes.
    """
    return gate.beta / gate.reuse if promise.critical else gate.beta


def alpha_of(gate: Gate, look: int | None) -> float:
    """The chance to block a model that is no worse that one run may spend, over all its checks together.

    The k-th look of a pull request spends alpha / 2^k: however often it is tried, alpha / 2 + alpha / 4 + ... is below
    alpha. Where the looks of a pull request are not known, every run spends alpha for itself.

    >>> from mlci.nouns.policy import Gate
    >>> [alpha_of(Gate(), look) for look in (None, 1, 2, 3)]
    [0.05, 0.025, 0.0125, 0.00625]
    """
    return gate.alpha if look is None else math.ldexp(gate.alpha, -look)


def spent_finding(used: int, policy: PolicyFile, reuse: int) -> Finding:
    """A test set was used more often than planned: said, not blocked.

    Args:
        used: Which use of the test set this is.
        policy: For the place of the finding.
        reuse: Uses that were planned.
    """
    return Finding(
        check="gate.reuse",
        title="the test set is not used up",
        area="gate",
        level="warn",
        outcome="fail",
        message=f"This is use {units.count(used)} of a test set that was planned for {units.count(reuse)}. "
        "Whoever tries often enough passes by luck, so what critical checks promise holds no longer.",
        mend="Ask for fresh rows: label new ones for the test set, and keep the old ones for validation.",
        place=policy.place("gate", "reuse"),
    )
