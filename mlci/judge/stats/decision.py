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


def decide_beats(no_better: float, as_good: float, *, beta: float, alpha: float) -> Outcome:
    """Pass, fail or inconclusive beside a model that is to be beaten. NaN neither passes nor fails.

    - pass: 'no better' is rejected at beta.
    - fail: 'better by the tolerance' is rejected at what the correction for all checks leaves of alpha, and not pass.

    Args:
        no_better: p-value of 'the candidate is no better'.
        as_good: p-value of 'the candidate is better by the tolerance'.
        beta: chance to pass a candidate that is no better.
        alpha: threshold of this check; 0 never fails.

    >>> decide_beats(0.01, 1.0, beta=0.05, alpha=0.05), decide_beats(0.6, 0.001, beta=0.05, alpha=0.05)
    ('pass', 'fail')
    """
    if no_better <= beta:
        return "pass"
    return "fail" if as_good <= alpha else "inconclusive"
