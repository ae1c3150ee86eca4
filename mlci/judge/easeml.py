r"""Test rows by ease.ml/ci's bounds, to set beside our own.

A condition compares linear expressions of n (accuracy of the new model), o (of the old one) and d (share of rows on
which they differ), each with a tolerance: `n - o > 0.02 +/- 0.01 /\ d < 0.1 +/- 0.01`.

Source: Renggli, Karlas, Ding, Liu, Schawinski, Wu, Zhang (2019), Continuous Integration of Machine Learning Models with
ease.ml/ci: Towards a Rigorous Yet Practical Treatment, MLSys 2019 (sections 3 and 4).
"""

from __future__ import annotations

import math
import re
from typing import Literal, NamedTuple

Adaptivity = Literal["none", "full"]

_CLAUSE = re.compile(r"(.+?)([<>])\s*([+-]?\d*\.?\d+)\s*\+/-\s*(\d*\.?\d+)\s*")
_TERM = re.compile(r"([+-]?)(?:(\d*\.?\d+)\*)?([nod])")


class Clause(NamedTuple):
    """One comparison: the factors of n, o and d, and how far their sum may be off."""

    factors: dict[str, float]
    threshold: float
    tolerance: float


class Changed(NamedTuple):
    """What a condition costs where the share of changed predictions is bounded."""

    rows: int
    """Test rows for all commits, of which only the changed ones need a label."""
    labels_per_commit: int
    """Labels that each commit asks for."""


def parse(condition: str) -> tuple[Clause, ...]:
    r"""Read a condition: clauses joined by `/\`.

    Raises:
        ValueError: It is no condition.

    >>> parse("n - o > -0.01 +/- 0.02")
    (Clause(factors={'n': 1.0, 'o': -1.0}, threshold=-0.01, tolerance=0.02),)
    """
    return tuple(_clause(text) for text in condition.split("/\\"))


def _clause(text: str) -> Clause:
    found = _CLAUSE.fullmatch(text.strip())
    if found is None or float(found[4]) <= 0:
        raise ValueError(f"a condition such as `n - o > -0.01 +/- 0.01` is needed here, not {text.strip()!r}")
    written = found[1].replace(" ", "")
    terms = _TERM.findall(written)
    read = "".join(match[0] for match in _TERM.finditer(written))
    if not terms or read != written or not all(sign for sign, _, _ in terms[1:]):
        raise ValueError(f"{found[1].strip()!r} is no sum of n, o and d, such as `n - 1.1 * o`")
    factors: dict[str, float] = {}
    for sign, factor, name in terms:
        factors[name] = factors.get(name, 0.0) + (-1 if sign == "-" else 1) * float(factor or 1)
    if not any(factors.values()):
        raise ValueError(f"{found[1].strip()!r} is always 0")
    return Clause(factors, float(found[3]), float(found[4]))


def hoeffding(
    tolerance: float,
    risk: float,
    *,
    variables: int = 1,
    clauses: int = 1,
    scope: float = 1.0,
    steps: int = 1,
    adaptivity: Adaptivity = "none",
) -> int:
    """Test rows so that an estimate is within the tolerance: n = r^2 ln(1 / delta) / (2 eps^2).

    Args:
        tolerance: eps of the whole expression; every variable gets an equal part of it.
        risk: delta for all steps together; every clause and every variable gets an equal part of it.
        variables: Means in the expression, each estimated by itself.
        clauses: Comparisons in the condition.
        scope: r, the range of one variable (its factor).
        steps: H, commits that may be tested.
        adaptivity: Whether developers see the outcomes: `full` spends delta / 2^H on a step, `none` delta / H.

    >>> hoeffding(0.05, 0.0001, variables=2, steps=32)
    10696
    """
    nats = _spent(steps, adaptivity) + math.log(variables * clauses / risk)
    return math.ceil(scope**2 * nats / (2 * (tolerance / variables) ** 2))


def rows_of(clauses: tuple[Clause, ...], risk: float, *, steps: int = 1, adaptivity: Adaptivity = "none") -> int:
    """Test rows for a whole condition: the most that one of its clauses needs.

    A clause's tolerance is shared among its variables in proportion to their factors, which needs the fewest rows.
    """
    return max(
        hoeffding(
            clause.tolerance / (sum(sizes) / len(sizes)),
            risk,
            variables=len(sizes),
            clauses=len(clauses),
            steps=steps,
            adaptivity=adaptivity,
        )
        for clause in clauses
        if (sizes := [abs(factor) for factor in clause.factors.values() if factor])
    )


def bennett(
    tolerance: float, risk: float, changed: float, *, steps: int = 1, adaptivity: Adaptivity = "none"
) -> Changed:
    """Test rows for `n - o` where at most a share of the predictions changes: pattern 1 of the paper.

    Rows are (ln H - ln(delta / 4)) / (p h(eps / p)) with h(u) = (1 + u) ln(1 + u) - u; a commit needs labels for the
    changed rows only.

    Args:
        tolerance: eps of `n - o`.
        risk: delta for all steps together.
        changed: p, the bound on the share of changed predictions, above 0.
        steps: H, commits that may be tested.
        adaptivity: As for `hoeffding`.

    >>> bennett(0.01, 0.0001, 0.1, steps=32)
    Changed(rows=29048, labels_per_commit=2189)
    """
    ratio = tolerance / changed
    rate = changed * ((1 + ratio) * math.log1p(ratio) - ratio)
    nats = -math.log(risk / 4)
    return Changed(math.ceil((_spent(steps, adaptivity) + nats) / rate), math.ceil(nats / rate * changed))


def _spent(steps: int, adaptivity: Adaptivity) -> float:
    """What testing several commits adds to ln(1 / delta)."""
    return steps * math.log(2) if adaptivity == "full" else math.log(steps)
