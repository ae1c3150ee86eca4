"""Three outcomes: what a gate may conclude from a bound and a p-value."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlci.nouns.change import Change, Estimate, FailWhen, Outcome


def decide(
    lower_bound: float,
    p_value: float,
    tolerance: float,
    alpha: float,
    *,
    fail_when: FailWhen = "any_drop",
    upper_bound: float | None = None,
) -> Outcome:
    """Pass, fail or inconclusive. Bounds are of the gain, in the good direction; NaN neither passes nor fails.

    - pass: the one-sided (1 - beta) lower bound is above -tolerance: a bigger drop is ruled out. A test that passes
      cannot fail, and nothing is corrected for here, because all checks must pass.
    - fail: 'no worse' is rejected: `p_value` <= `alpha`, where `alpha` is the threshold after the correction for
      slices. With `fail_when="worse_than_tolerance"` the (1 - alpha) upper bound must be below -tolerance too.
    - inconclusive: otherwise.

    Raises:
        ValueError: `worse_than_tolerance` without an upper bound, or a negative tolerance.

    >>> decide(-0.004, 0.5, tolerance=0.01, alpha=0.05)
    'pass'
    >>> decide(-0.016, 0.01, tolerance=0.01, alpha=0.05)
    'fail'
    >>> decide(-0.016, 0.1, tolerance=0.01, alpha=0.05)
    'inconclusive'
    """
    if tolerance < 0:
        raise ValueError(f"a tolerance is at least 0, not {tolerance}")
    if lower_bound > -tolerance:
        return "pass"
    if not p_value <= alpha:
        return "inconclusive"
    if fail_when == "any_drop":
        return "fail"
    if upper_bound is None:
        raise ValueError("fail_when='worse_than_tolerance' needs the upper bound")
    return "fail" if upper_bound < -tolerance else "inconclusive"


def decide_change(
    seen: Change | Estimate, tolerance: float, threshold: float, fail_when: FailWhen = "any_drop"
) -> Outcome:
    """The same for a noun. `threshold` is what the correction leaves of alpha for this check; 0 never fails."""
    return decide(seen.lower_bound, seen.p, tolerance, threshold, fail_when=fail_when, upper_bound=seen.upper_bound)
