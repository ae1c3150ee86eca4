"""What the gate says of a model of shuffled labels, and when a leak is suspected."""

import numpy as np
import pytest

from mlci.judge.sanity import knows, leak, refusal, unmeasured
from mlci.nouns.finding import Finding
from mlci.nouns.policy import Policy, PolicyFile
from mlci.nouns.sample import Answers, Sample

POLICY = PolicyFile(Policy(), lines={("train", "shuffled_labels"): 7})


def sample(label, new, *, task="binary", decision=None):
    ids = np.arange(len(label)).astype(object)
    decided = decision if decision is not None else new >= 0.5
    return Sample(task=task, ids=ids, label=label, new=Answers(decided, new), old=None, parts=())


def binary(seed=1, n=4_000):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, rng.random(n) < 1 / (1 + np.exp(-x))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_a_lucky_direction_is_no_leak():
    x, label = binary()
    real = Answers(sigmoid(x) >= 0.5, sigmoid(x))
    lucky = sample(label, sigmoid(0.02 * x))
    kept = knows(lucky, real)
    assert kept.shuffled == pytest.approx(kept.model), "the AUC is that of the real model"
    assert kept.share < 0.1
    assert leak(lucky, real, POLICY) is None


def test_scores_that_differ_but_say_nothing_are_no_leak():
    x, label = binary()
    noise = np.random.default_rng(2).random(len(x))
    assert leak(sample(label, noise), Answers(x >= 0, sigmoid(x)), POLICY) is None


def test_a_model_that_still_knows_is_a_leak():
    x, label = binary()
    found = leak(sample(label, sigmoid(0.9 * x)), Answers(x >= 0, sigmoid(x)), POLICY)
    assert found.check == "train.shuffled_labels.leak"
    assert found.warns
    assert not found.blocks
    assert found.place.line == 7
    assert "still has a ROC AUC of 0.7" in found.message


def test_other_tasks_have_leaks_too():
    x, label = binary()
    y = x + np.random.default_rng(3).normal(size=len(x))
    model = Answers(x, None)
    alike, shuffled = (sample(y, None, task="regression", decision=each) for each in (x, np.zeros(len(x))))
    assert leak(alike, model, POLICY) is not None
    assert leak(shuffled, model, POLICY) is None
    classes = (label.astype(int) + (x > 1)).astype(int)
    model = Answers(classes, None)
    most = np.full(len(x), np.bincount(classes).argmax())
    assert leak(sample(classes, None, task="multiclass", decision=classes), model, POLICY) is not None
    assert leak(sample(classes, None, task="multiclass", decision=most), model, POLICY) is None
    plain = Answers(x >= 0, None)
    assert leak(sample(label, None, decision=x >= 0), plain, POLICY) is not None
    assert leak(sample(label, None, decision=np.ones(len(x), bool)), plain, POLICY) is None


def test_a_candidate_that_knows_nothing_has_nothing_to_keep():
    x, label = binary()
    assert knows(sample(label, sigmoid(x)), Answers(x < 0, np.full(len(x), 0.5))) is None


def finding(outcome, level="block", **more):
    return Finding(check="gate.x", title="ROC AUC floor", area="gate", level=level, outcome=outcome, message="", **more)


@pytest.mark.parametrize(
    ("found", "outcome", "said"),
    [
        ([], "fail", "passes this gate: it proves nothing"),
        ([finding("pass"), finding("fail", "warn")], "fail", "passes this gate: it proves nothing"),
        ([finding("pass"), finding("fail")], "pass", "refuses it by: ROC AUC floor"),
        ([finding("inconclusive", critical=True)], "pass", "refuses it by: ROC AUC floor"),
        ([finding("pass"), finding("inconclusive")], "inconclusive", "neither refuses it nor lets it pass"),
        ([finding("too_small")], "fail", "passes this gate"),
    ],
)
def test_the_gate_is_asked(found, outcome, said):
    x, label = binary()
    asked = refusal(found, sample(label, sigmoid(0.01 * x)), Answers(x >= 0, sigmoid(x)), POLICY)
    assert (asked.check, asked.outcome, asked.level) == ("train.shuffled_labels", outcome, "block")
    assert said in asked.message
    assert asked.place.line == 7


def test_the_floor_that_is_proposed_lies_between_the_two():
    x, label = binary()
    noise = np.random.default_rng(2).random(len(x))
    asked = refusal([], sample(label, noise), Answers(x >= 0, sigmoid(x)), POLICY)
    assert "`roc_auc: {floor: 0.6" in asked.mend
    number = sample(x, None, task="regression", decision=np.zeros(len(x)))
    assert "`r2: {floor: 0.5}`" in refusal([], number, Answers(x, None), POLICY).mend
    assert (
        "`balanced_accuracy: {floor: 0.6}`"
        in refusal([], sample(label, None, decision=label), Answers(~label, None), POLICY).mend
    )


def test_what_was_not_measured_blocks_only_as_sanity():
    assert unmeasured("it is stale", POLICY).blocks
    spread = unmeasured("it is stale", POLICY, "train.seeds")
    assert spread.warns
    assert spread.message == "It is stale."
