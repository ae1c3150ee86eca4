import pytest

from mlci.judge.headline import footer, headline, overall
from mlci.nouns.finding import Comparison, DataEvidence, Finding, GateEvidence


def gate(outcome, **given):
    evidence = GateEvidence(
        **{"metric": "accuracy", "kind": "change", "rows": 2_000, "old": 0.901, "new": 0.894} | given
    )
    title = f"{evidence.metric}, {evidence.slice or 'all rows'}"
    return Finding(check="gate.accuracy", title=title, area="gate", outcome=outcome, message="", gate=evidence)


def data(outcome="fail", level="block", title="distance is at most 5 % missing", **given):
    evidence = DataEvidence(table="flights", column="distance", **given)
    return Finding(check="data", title=title, area="data", outcome=outcome, level=level, message="", data=evidence)


def compared(status="compared", reason=""):
    return [Comparison(baseline="merge-base", status=status, reason=reason)]


OPEN = gate("inconclusive", worst=0.016, tolerance=0.01)
OPEN_SLICE = gate("inconclusive", worst=0.016, tolerance=0.01, slice="origin = JFK")
SAFE = gate("pass", worst=0.005, tolerance=0.01, old=0.91, new=0.909)
BAD = gate("fail", slice="age > 50", old=0.881, new=0.847, gained=5, lost=19)


@pytest.mark.parametrize(
    ("findings", "comparisons", "line"),
    [
        ([], [], "Blocked: nothing was checked, and a verdict on nothing does not pass"),
        (
            [gate("fail", metric="roc_auc", old=0.717, new=0.696)],
            compared(),
            "Blocked: roc_auc, all rows: 0.717 → 0.696",
        ),
        ([SAFE, BAD], compared(), "Blocked: accuracy, age > 50: 88.1 → 84.7 % (19 rows worse, 5 better)"),
        (
            [BAD, data(count=20_880, share=0.062, rows=336_776, limit="<= 5%")],
            compared(),
            "Blocked: accuracy, age > 50: 88.1 → 84.7 % (19 rows worse, 5 better); 1 more check blocks",
        ),
        (
            [data(count=20_880, share=0.062, limit="<= 5%")],
            [],
            "Blocked: distance is at most 5 % missing: 6.2 % (20,880 rows), limit <= 5%",
        ),
        ([data(share=0.000_005_1)], [], "Blocked: distance is at most 5 % missing: 0.00051 %"),
        ([data()], [], "Blocked: distance is at most 5 % missing: not so"),
        ([data(count=1)], [], "Blocked: distance is at most 5 % missing: 1 row"),
        ([data(measured=9_000.4)], [], "Blocked: distance is at most 5 % missing: 9,000"),
        ([data(measured=12.5, limit="<= 10")], [], "Blocked: distance is at most 5 % missing: 12.5, limit <= 10"),
        ([data(title="a\nb")], [], "Blocked: a b: not so"),
        ([data("not_measured")], [], "Blocked: distance is at most 5 % missing: not measured"),
        (
            [OPEN, SAFE, OPEN],
            compared(),
            (
                "Not enough data: accuracy, all rows: 90.1 → 89.4 %; a drop of up to 1.6 points cannot be ruled out, "
                "you allow 1; 1 more check is open too"
            ),
        ),
        (
            [SAFE, data(level="warn")],
            compared(),
            "Safe: accuracy, all rows: 91.0 → 90.9 %; a drop of more than 0.5 points is ruled out; 1 warning",
        ),
        ([data("pass")], compared(), "Safe: 1 check held"),
        (
            [gate("pass", metric="cost", old=0.584, new=0.559, worst=0.0, tolerance=0.01)],
            compared(),
            "Safe: cost, all rows: 0.584 → 0.559; any rise is ruled out",
        ),
        (
            [SAFE, OPEN_SLICE, OPEN_SLICE],
            compared(),
            (
                "Safe on all rows: accuracy, all rows: 91.0 → 90.9 %; a drop of more than 0.5 points is ruled out; "
                "2 slice checks need more data"
            ),
        ),
        ([data("pass")], compared("unchanged"), "Safe: the predictions did not change; 1 check held"),
        ([data("pass")], compared("not_comparable", "no common rows"), "Not comparable (no common rows); 1 check held"),
        (
            [data("pass"), gate("not_comparable", old=None)],
            compared("first_run"),
            "First run, accuracy 89.4 %: nothing to compare with yet; 1 check held",
        ),
        ([data("pass"), data("pass")], [], "Held: 2 checks"),
        (
            [gate("fail", kind="value", new=0.82, bound=0.85)],
            compared(),
            "Blocked: accuracy, all rows: 82.0 %; your limit is 85 %",
        ),
    ],
)
def test_one_line_says_the_verdict_and_its_number(findings, comparisons, line):
    assert headline(findings, comparisons) == line


def test_levels_decide():
    assert overall([data(level="warn")]) == "pass"
    assert overall([OPEN.model_copy(update={"level": "warn"})]) == "pass"
    assert overall([OPEN.model_copy(update={"critical": True})]) == "fail"


def test_footer():
    assert footer(0.05, 7, 50) == (
        "Use 7 of 50 of this test set. A model that is no worse on any check is blocked in at most about 5 of 100 "
        "comparisons, over all checks together."
    )
    assert footer() == ""


def test_the_footer_says_what_a_look_of_a_pull_request_spends():
    assert footer(0.05, 7, 50, 3) == (
        "Use 7 of 50 of this test set. 3rd look of this pull request: each look may block by chance half as often as "
        "the one before, this one in 0.625 of 100. A model that is no worse on any check is blocked in at most about 5 "
        "of 100 pull requests, over all looks and checks together."
    )
    assert footer(None, 7, 50, 3) == "Use 7 of 50 of this test set."
