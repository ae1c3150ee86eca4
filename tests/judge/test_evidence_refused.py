"""Why verdicts are no evidence, each with its mend."""

from __future__ import annotations

import pytest

from mlci.judge.evidence import refusal
from mlci.nouns.finding import Finding, Verdict


def verdict(outcome, *findings):
    return Verdict(project="people", outcome=outcome, headline="A headline", tool="mlci", findings=findings)


def finding(outcome, *, critical=False):
    return Finding(
        check="gate.accuracy.drop", title="accuracy", area="gate", outcome=outcome, message="", critical=critical
    )


@pytest.mark.parametrize(
    ("known", "accept", "problem", "mend"),
    [
        ((), False, "no verdict speaks for its commit", "mlci compare --record"),
        ((verdict("fail"),), False, "rests on nothing: no check was asked", "`floor` or `ceiling`"),
        ((verdict("fail", finding("fail")),), True, "is 'blocked' (gate.accuracy.drop)", "waive the check by name"),
        (
            (verdict("fail", finding("inconclusive", critical=True)),),
            True,  # what is critical is not accepted
            "is 'blocked' (gate.accuracy.drop)",
            "mend the model",
        ),
        ((verdict("inconclusive", finding("inconclusive")),), False, "is 'not enough data'", "mlci plan"),
    ],
)
def test_a_refusal_says_why_and_what_helps(known, accept, problem, mend):
    why = refusal(known, accept_inconclusive=accept)
    assert why is not None
    assert problem in why.problem
    assert mend in why.mend


def test_one_good_verdict_is_enough():
    good = verdict("pass", finding("pass"))
    assert refusal((verdict("fail", finding("fail")), good)) is None
    assert refusal((verdict("inconclusive", finding("inconclusive")),), accept_inconclusive=True) is None
