"""ROC AUCs of a sample's models: each model's scores are put in order once, whatever is asked of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlci.judge.stats.auc import Aucs, auc, delong
from mlci.nouns.sample import BLOCK

if TYPE_CHECKING:
    from mlci.nouns.sample import Answers, Sample


def paired_aucs(sample: Sample) -> Aucs:
    """Of the old and the new model, in this order. Both have scores; raises as `delong` does."""
    old, new = sample.old, sample.new
    assert old is not None  # noqa: S101 - whoever compares has both
    assert old.score is not None  # noqa: S101
    assert new.score is not None  # noqa: S101
    scores = old.score, new.score
    return sample.memo.once("paired AUCs", lambda: delong(sample.label, *scores, room=sample.room))


def aucs_of(sample: Sample, answers: Answers) -> Aucs:
    """Of one model, which has scores. Raises as `delong` does.

    Of a long sample with two models it comes out of what tells them apart; its last digits may depend on that.
    """
    score, side = answers.score, sample.side(answers)
    assert score is not None  # noqa: S101 - whoever asks has seen to it
    if side is not None and _paired(sample):
        both, at = paired_aucs(sample), 0 if side == "old" else 1
        mine = slice(at, at + 1)
        return Aucs(both.values[mine], both.covariance[mine, mine], both.exact[mine], both.positives, both.rows)
    if side is None:
        return delong(sample.label, score, room=sample.room)
    return sample.memo.once(("AUC", side), lambda: delong(sample.label, score, room=sample.room))


def area(sample: Sample, answers: Answers) -> float | None:
    """The AUC alone; None without scores, or without a row of either class."""
    if answers.score is None:
        return None
    positives = int(np.count_nonzero(sample.label))
    if _paired(sample) and sample.side(answers) is not None and 1 < positives < sample.size - 1:
        return float(aucs_of(sample, answers).exact[0])
    return auc(sample.label, answers.score, sample.room)


def _paired(sample: Sample) -> bool:
    old = sample.old
    return sample.size > BLOCK and old is not None and old.score is not None and sample.new.score is not None
