import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlci.judge.words import gate_mend, gate_message, gate_title
from mlci.nouns.finding import GateEvidence


def evidence(**given):
    return GateEvidence(**{"metric": "accuracy", "kind": "change", "rows": 2_000} | given)


WHOLE = evidence(
    old=0.901, new=0.894, gained=44, lost=58, worst=0.016, tolerance=0.01, p_value=0.08, more_rows=1_150, more_labels=59
)
OVER_50 = evidence(slice="age > 50", rows=412, old=0.881, new=0.847, gained=5, lost=19, p_value=0.0023, tests=20)


def test_not_enough_data_reads_as_promised():
    assert gate_message(WHOLE, "inconclusive") == (
        "The models differ on 102 rows: 44 better, 58 worse; that can be chance. A drop of up to 1.6 points cannot be "
        "ruled out; you allow 1. About 1,150 more rows (59 labels) would settle it 4 times in 5 if the models are "
        "equally good."
    )


def test_blocked_reads_as_promised():
    assert gate_message(OVER_50, "fail") == (
        "19 rows got worse, 5 better. If the model were no worse, this would happen about 2 times in 1,000. "
        "Holds after correcting for 20 checks."
    )


def test_safe_reads_as_promised():
    said = gate_message(evidence(old=0.91, new=0.909, worst=0.005, tolerance=0.01), "pass")
    assert said == "The drop is at most 0.5 points (95 % sure); you allow 1."


def test_too_small_reads_as_promised():
    said = gate_message(evidence(slice="region X", rows=180, detectable=0.0507), "too_small")
    assert said == "This slice only reveals drops above about 5 points."


@pytest.mark.parametrize(
    ("given", "outcome", "said"),
    [
        ({"worst": 0.0}, "pass", "Any drop is ruled out (95 % sure)."),
        ({}, "pass", "A drop bigger than you allow is ruled out (95 % sure)."),
        (
            {"gained": 0, "lost": 0, "worst": 0.0013, "tolerance": 0.01},
            "pass",
            "The models are right on the same rows. The drop is at most 0.13 points (95 % sure); you allow 1.",
        ),
        (
            {"metric": "log_loss", "worst": 0.004, "tolerance": 0.01},
            "pass",
            "The rise is at most 0.004 (95 % sure); you allow 0.01.",
        ),
        (
            {"metric": "roc_auc", "old": 0.717, "new": 0.696, "p_value": 2e-7, "tests": 1},
            "fail",
            "The ROC AUC fell by 0.021. If the model were no worse, this would happen less than once in 1,000,000.",
        ),
        (
            {"metric": "cost", "old": 0.571, "new": 0.793, "p_value": 0.0001},
            "fail",
            "The cost per row rose by 0.22. If the model were no worse, this would happen about once in 10,000.",
        ),
        ({"metric": "cost"}, "fail", "The cost per row got worse."),
        (
            {"metric": "roc_auc", "old": 0.7, "new": 0.69, "p_value": 0.2, "worst": 0.03, "tolerance": 0.01},
            "inconclusive",
            (
                "The ROC AUC changed by \N{MINUS SIGN}0.01; that can be chance. "
                "A drop of up to 0.03 cannot be ruled out; you allow 0.01."
            ),
        ),
        (
            {
                "gained": 58,
                "lost": 44,
                "p_value": 0.9,
                "worst": 0.011,
                "tolerance": 0.01,
                "more_rows": 1,
                "more_labels": 1,
            },
            "inconclusive",
            (
                "The models differ on 102 rows: 58 better, 44 worse. A drop of up to 1.1 points cannot be ruled out; "
                "you allow 1. About 1 more row would settle it 4 times in 5 if the models are equally good."
            ),
        ),
        (
            {"gained": 44, "lost": 70, "p_value": 0.01, "p_adjusted": 0.2, "worst": 0.02},
            "inconclusive",
            (
                "The models differ on 114 rows: 44 better, 70 worse; over so many checks that can be chance. "
                "A drop of up to 2 points cannot be ruled out."
            ),
        ),
        (
            {"gained": 44, "lost": 70, "p_value": 0.01, "p_adjusted": 0.02},
            "inconclusive",
            (
                "The models differ on 114 rows: 44 better, 70 worse; that is hardly chance, but may be no more than "
                "you allow."
            ),
        ),
        (
            {"metric": "cost", "old": 0.6, "new": 0.59, "p_value": 0.7, "worst": 0.03, "tolerance": 0.01},
            "inconclusive",
            (
                "The cost per row changed by \N{MINUS SIGN}0.01. A rise of up to 0.03 cannot be ruled out; "
                "you allow 0.01."
            ),
        ),
        (
            {"worst": 0.03},
            "inconclusive",
            "The interval of the change is wide. A drop of up to 3 points cannot be ruled out.",
        ),
        ({"rows": 18, "slice": "x"}, "too_small", "This slice has 18 rows, which are too few to judge."),
        ({"rows": 1}, "too_small", "The test set has 1 row, which is too few to judge."),
        (
            {"metric": "f1", "rows": 900, "positives": 80, "kind": "value"},
            "too_small",
            "The test set has 900 rows, 80 of them positive, which are too few to judge.",
        ),
        ({"rows": 5}, "not_comparable", "The accuracy has no value on these 5 rows."),
        (
            {"new": 0.9},
            "not_comparable",
            "It is 90.0 % now; there is no earlier value on the same rows to compare it with.",
        ),
        ({}, "not_measured", "This was not measured, and what was not measured does not pass."),
    ],
)
def test_what_is_said_of_a_change(given, outcome, said):
    assert gate_message(evidence(**given), outcome) == said


def test_a_late_look_says_that_it_may_block_less():
    seen = evidence(gained=44, lost=70, p_value=0.002, p_adjusted=0.03)
    assert gate_message(seen, "inconclusive", spent=0.025) == (
        "The models differ on 114 rows: 44 better, 70 worse; over so many looks of one pull request that can be chance."
    )


@pytest.mark.parametrize(
    ("given", "outcome", "said"),
    [
        (
            {"rows": 100, "new": 0.88, "low": 0.813, "high": 0.929, "bound": 0.85, "more_rows": 1_234},
            "inconclusive",
            (
                "The accuracy is 88.0 %; on 100 rows it could be anything from 81.3 to 92.9 %; your floor is 85 %. "
                "About 1,230 more rows would settle it 4 times in 5."
            ),
        ),
        (
            {"new": 0.88, "low": 0.861, "high": 0.89, "bound": 0.85},
            "pass",
            "The accuracy is 88.0 %, at least 86.1 % (95 % sure); your floor is 85 %.",
        ),
        (
            {"new": 0.82, "low": 0.80, "high": 0.839, "bound": 0.85},
            "fail",
            "The accuracy is 82.0 %, at most 83.9 % (95 % sure); your floor is 85 %.",
        ),
        (
            {"metric": "cost", "new": 0.8, "low": 0.76, "high": 0.84, "bound": 0.6},
            "fail",
            "The cost per row is 0.800, at least 0.760 (95 % sure); your ceiling is 0.6.",
        ),
        (
            {"metric": "cost", "new": 0.5, "low": 0.46, "high": 0.54, "bound": 0.6},
            "pass",
            "The cost per row is 0.500, at most 0.540 (95 % sure); your ceiling is 0.6.",
        ),
        ({"new": 0.5, "limit": "floor 0.85"}, "fail", "The accuracy is 50.0 %; floor 0.85."),
    ],
)
def test_what_is_said_of_a_value(given, outcome, said):
    assert gate_message(evidence(kind="value", **given), outcome) == said


def test_a_critical_pass_says_how_sure_it_is():
    assert "(99.9 % sure)" in gate_message(evidence(worst=0.005), "pass", beta=0.001)


def test_titles():
    assert gate_title(WHOLE) == "accuracy, all rows"
    assert gate_title(OVER_50.model_copy(update={"baseline": "release"}), name_baseline=True) == (
        "accuracy, age > 50, against release"
    )
    assert gate_title(evidence(kind="value", slice="over 50s")) == "accuracy floor, over 50s"
    assert gate_title(evidence(kind="value", metric="log_loss")) == "log loss ceiling, all rows"


def test_mends_name_the_knob():
    assert "larger `drop`" in gate_mend(WHOLE, "fail")
    assert "larger `rise`" in gate_mend(evidence(metric="cost"), "fail")
    assert "move the `floor`" in gate_mend(evidence(kind="value"), "fail")
    assert gate_mend(WHOLE, "inconclusive").startswith("Add about 1,150 test rows, or allow a larger `drop`")
    assert "move the `ceiling`" in gate_mend(evidence(kind="value", metric="cost"), "inconclusive")
    assert "run it again" in gate_mend(WHOLE, "not_measured")
    assert gate_mend(WHOLE, "pass") == gate_mend(WHOLE, "too_small") == gate_mend(WHOLE, "not_comparable") == ""


@given(
    worst=st.floats(0, 1),
    tolerance=st.floats(1e-4, 1).map(lambda number: round(number, 4)),
    metric=st.sampled_from(["accuracy", "roc_auc", "cost"]),
)
def test_a_sentence_never_contradicts_its_outcome(worst, tolerance, metric):
    outcome = "pass" if worst < tolerance else "inconclusive"
    said = gate_message(evidence(metric=metric, worst=worst, tolerance=tolerance), outcome)
    if worst < 1e-9:
        return
    shown, allowed = said.rsplit("; you allow ", 1)
    number = float(shown.split(" of up to ", 1)[-1].split("at most ")[-1].split(" ")[0].replace(",", ""))
    limit = float(allowed.rstrip("."))
    assert number <= limit if outcome == "pass" else number >= limit
