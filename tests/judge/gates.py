"""Samples and findings made by hand, for the tests of the gate."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlci.judge.contrast import Terms
from mlci.nouns.sample import Answers, Sample

TERMS = Terms(alpha=0.05, beta=0.05, seed=1)


def sample(
    task: Any,
    label: Any,
    old: Any,
    new: Any,
    scores: tuple[Any, Any] = (None, None),
    classes: tuple[str, ...] = (),
    group: Any = None,
) -> Sample:
    return Sample(
        task=task,
        ids=np.array([str(i) for i in range(len(label))], dtype=object),
        label=np.asarray(label),
        new=Answers(np.asarray(new), scores[1]),
        old=Answers(np.asarray(old), scores[0]),
        parts=(),
        classes=classes,
        group=group,
    )


def regression(n: int, seed: int, old: float = 1.0, new: float = 1.0, group: Any = None) -> Sample:
    """Labels of spread 2 and two models with errors of the given spreads, partly shared."""
    rng = np.random.default_rng(seed)
    label = 10 + 2 * rng.normal(size=n)
    shared = rng.normal(size=n)
    errors = [size * (0.8 * shared + 0.6 * rng.normal(size=n)) for size in (old, new)]
    return sample("regression", label, label + errors[0], label + errors[1], group=group)


def multiclass(n: int, seed: int, old: float = 0.2, new: float = 0.2, group: Any = None) -> Sample:
    """Three classes; models are wrong on the given shares of the rows."""
    rng = np.random.default_rng(seed)
    label = rng.choice(3, size=n, p=[0.6, 0.3, 0.1])
    decisions = [np.where(rng.random(n) < share, (label + rng.integers(1, 3, n)) % 3, label) for share in (old, new)]
    scores = [0.6 * np.eye(3)[decision] + 0.4 * rng.dirichlet([1, 1, 1], n) for decision in decisions]
    return sample("multiclass", label, *decisions, (scores[0], scores[1]), ("a", "b", "c"), group)


def binary(n: int, seed: int, old: float = 0.1, new: float = 0.1, group: Any = None) -> Sample:
    """A third of the rows are positive; models are wrong on the given shares of the rows."""
    rng = np.random.default_rng(seed)
    label = rng.random(n) < 1 / 3
    decisions = [label ^ (rng.random(n) < share) for share in (old, new)]
    scores = [np.where(each, 0.6, 0.1) + 0.3 * rng.random(n) for each in decisions]
    return sample("binary", label, *decisions, (scores[0], scores[1]), group=group)
