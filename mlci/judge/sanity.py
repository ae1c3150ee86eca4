"""A model that was trained on shuffled labels knows nothing: a gate that lets it pass proves nothing.

Source: permutation tests of a classifier (Ojala and Garriga 2010, JMLR 11:1833-1863). One shuffle is a check of the
gate and of the pipeline, not a p-value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mlci.judge.contrast import point
from mlci.nouns import units
from mlci.nouns.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.nouns.finding import Outcome
    from mlci.nouns.policy import PolicyFile
    from mlci.nouns.sample import Answers, Sample

CHECK = "train.shuffled_labels"
LEAK = "train.shuffled_labels.leak"
_KEPT = 0.5
"""Share of what the model knows from which its shuffled twin is suspected to have seen the labels."""
_PATH = ("train", "shuffled_labels")


def refusal(findings: Sequence[Finding], shuffled: Sample, model: Answers, policy: PolicyFile) -> Finding:
    """Whether the gate refuses the model of shuffled labels.

    Args:
        findings: What the gate says of it: floors, and changes against the baselines of this run.
        shuffled: Its answers, as `new`.
        model: The candidate's answers on the same rows, to suggest a floor between the two.
        policy: For the place.
    """
    blocking = next((finding for finding in findings if finding.blocks), None)
    if blocking is not None:
        return _finding("pass", f"The gate refuses it by: {blocking.title}.", "", policy)
    unsettled = next((item for item in findings if item.level == "block" and item.outcome == "inconclusive"), None)
    mend = f"Add a floor, such as `{_floor(shuffled, model)}`, in `mlci.gate.metrics`."
    if unsettled is not None:
        said = f"The gate neither refuses it nor lets it pass: {unsettled.title} has not enough data to say."
        return _finding("inconclusive", said, mend, policy)
    said = "A model trained on shuffled labels passes this gate: it proves nothing."
    return _finding("fail", said, mend, policy)


def unmeasured(why: str, policy: PolicyFile, check: str = CHECK) -> Finding:
    """What the policy asks for and nobody measured for this model; only the sanity check blocks."""
    seeds = check != CHECK
    return Finding(
        check=check,
        title="the spread of retraining is known" if seeds else _TITLE,
        area="gate",
        level="warn" if seeds else "block",
        outcome="not_measured",
        message=f"{why[:1].upper()}{why[1:]}.",
        mend="Run `mlci model seeds` (`dvc repro` does where it is a stage) and compare again.",
        place=policy.place(*check.split(".")),
    )


_TITLE = "a model trained on shuffled labels is refused"


def _finding(outcome: Outcome, message: str, mend: str, policy: PolicyFile) -> Finding:
    return Finding(
        check=CHECK, title=_TITLE, area="gate", outcome=outcome, message=message, mend=mend, place=policy.place(*_PATH)
    )


class Kept(NamedTuple):
    """What a model of shuffled labels still knows.

    Attributes:
        metric: What it is measured by.
        shuffled: Its value.
        model: The candidate's value.
        share: Of what the candidate knows beyond guessing.
    """

    metric: str
    shuffled: float
    model: float
    share: float


def leak(shuffled: Sample, model: Answers, policy: PolicyFile) -> Finding | None:
    """A warning where the model of shuffled labels knows half of what the candidate knows; None otherwise.

    Then the training does not learn from the labels that were shuffled: it reads them elsewhere, or a label, or rows of
    the test table, hide in a feature. An AUC above one half alone says little: of a model with few features one shuffle
    draws a direction, which is right every second time. Its scores then hardly differ from row to row. So both the
    AUC and the spread of the scores must be kept.

    Args:
        shuffled: The answers of the model of shuffled labels, as `new`.
        model: The candidate's, on the same rows.
        policy: For the place.
    """
    kept = knows(shuffled, model)
    if kept is None or kept.share < _KEPT:
        return None
    what = units.metric_name(kept.metric)
    return Finding(
        check=LEAK,
        title="nothing is learnt from shuffled labels",
        area="gate",
        level="warn",
        outcome="fail",
        message=f"Trained on shuffled labels, the model still has {'an' if what[0] in 'aeiou' else 'a'} {what} of "
        f"{units.value(kept.metric, kept.shuffled)}; the candidate has {units.value(kept.metric, kept.model)}. "
        "A leak is suspected: it does not learn from the labels that were shuffled.",
        mend="See where else the training finds the label: another table, a feature made from it, rows of the test "
        "table. Name the table that it learns from in `mlci.train.table`.",
        place=policy.place(*_PATH),
    )


def knows(shuffled: Sample, model: Answers) -> Kept | None:
    """What the model of shuffled labels kept of the candidate's knowledge; None where the candidate knows nothing."""
    if shuffled.task == "binary":
        return _binary(shuffled, model)
    if shuffled.task == "regression":
        return _kept("r2", _r2(shuffled, shuffled.new), _r2(shuffled, model), 0.0)
    counts = np.bincount(shuffled.label[shuffled.label >= 0])
    guess = float(counts.max(initial=0)) / shuffled.size
    one, other = (float(np.mean(answers.decision == shuffled.label)) for answers in (shuffled.new, model))
    return _kept("accuracy", one, other, guess)


def _binary(shuffled: Sample, model: Answers) -> Kept | None:
    old, new = model.score, shuffled.new.score
    if old is None or new is None:
        values = [point("balanced_accuracy", shuffled, answers, None) for answers in (shuffled.new, model)]
        return None if values[0] is None or values[1] is None else _kept("balanced_accuracy", values[0], values[1], 0.5)
    aucs = [point("roc_auc", shuffled, answers, None) for answers in (shuffled.new, model)]
    if aucs[0] is None or aucs[1] is None or float(old.std()) == 0:
        return None
    kept = _kept("roc_auc", aucs[0], aucs[1], 0.5)
    return kept._replace(share=min(kept.share, float(new.std() / old.std()))) if kept is not None else None


def _r2(sample: Sample, answers: Answers) -> float:
    return point("r2", sample, answers, None) or 0.0


def _kept(metric: str, shuffled: float, model: float, guess: float) -> Kept | None:
    return Kept(metric, shuffled, model, (shuffled - guess) / (model - guess)) if model > guess else None


def _floor(shuffled: Sample, model: Answers) -> str:
    """A floor half way between what knows nothing and the candidate, to two digits."""
    metric = {"regression": "r2", "multiclass": "macro_f1"}.get(shuffled.task, "roc_auc")
    if metric == "roc_auc" and (model.score is None or shuffled.new.score is None):
        metric = "balanced_accuracy"
    ends = [point(metric, shuffled, answers, None) for answers in (shuffled.new, model)]
    if ends[0] is None or ends[1] is None or ends[1] <= ends[0]:
        return f"{metric}: {{floor: 0.6}}"
    return f"{metric}: {{floor: {round((ends[0] + ends[1]) / 2, 2):g}}}"
