"""A sample of more rows than a block: the same numbers as from all rows at once."""

from __future__ import annotations

import numpy as np
import pytest

from mlci.edges.room import Room
from mlci.judge.contrast import change_of, estimate_of, point
from mlci.judge.stats.auc import delong
from mlci.judge.stats.losses import loss_change
from mlci.judge.stats.moments import Moments
from mlci.judge.stats.places import counts_below
from mlci.judge.stats.student import skewness
from mlci.measure.calibration import calibration
from mlci.measure.curves import curves, score_histograms
from mlci.nouns.policy import Cost
from mlci.nouns.sample import BLOCK, Answers, Part, Sample
from tests.judge.gates import TERMS

ROWS = BLOCK + BLOCK // 4


@pytest.fixture(scope="module")
def long() -> Sample:
    rng = np.random.default_rng(1)
    label = rng.random(ROWS) < 0.2
    latent = label + rng.normal(size=ROWS)
    scores = [1 / (1 + np.exp(1 - latent - 0.5 * rng.normal(size=ROWS))) for _ in range(2)]
    # A third of the scores are one of few, and one of them is more than a bucket.
    scores[1] = np.where(rng.random(ROWS) < 0.4, np.round(scores[1], 1), scores[1])
    old, new = (Answers(score >= 0.5, score) for score in scores)
    return Sample("binary", (), label, new, old, (Part(None, None, (), {}),), room=Room())


def _right(sample: Sample, answers: Answers) -> np.ndarray:
    return sample.label == answers.decision


def test_places_are_the_counts_of_one_sort(long):
    found = counts_below(long.label, long.new.score, long.room)
    order = np.sort(long.new.score[~long.label])
    low, high = (np.searchsorted(order, long.new.score[long.label], side=side) for side in ("left", "right"))
    np.testing.assert_array_equal(found[long.label], (low + high) / 2)


def test_an_auc_has_the_variance_that_all_its_placements_have(long):
    aucs = delong(long.label, long.old.score, long.new.score, room=long.room)
    places = [counts_below(long.label, each.score, long.room) for each in (long.old, long.new)]
    positives = np.count_nonzero(long.label)
    above = np.stack([place[long.label] for place in places]) / (ROWS - positives)
    below = 1 - np.stack([place[~long.label] for place in places]) / positives
    np.testing.assert_allclose(aucs.covariance, np.cov(above) / positives + np.cov(below) / (ROWS - positives))
    assert point("roc_auc", long, long.new, None) == pytest.approx(above[1].mean())


@pytest.mark.parametrize("metric", ["log_loss", "brier", "cost"])
def test_a_loss_moves_as_all_its_rows_say(long, metric):
    seen = change_of(metric, long, TERMS)
    losses = []
    for answers in (long.old, long.new):
        inside = np.clip(answers.score, 1e-15, 1 - 1e-15)
        losses.append(
            {
                "log_loss": -np.log(np.where(long.label, inside, 1 - inside)),
                "brier": (answers.score - long.label) ** 2,
                "cost": (_right(long, answers) ^ True).astype(float),
            }[metric]
        )
    wanted = loss_change(*losses, TERMS.rng)
    for name in ("old", "new", "low", "high", "p", "variance"):
        assert getattr(seen, name) == pytest.approx(getattr(wanted, name), rel=1e-9), name
    value = estimate_of(metric, long, 0.5, TERMS)
    assert value.value == pytest.approx(losses[1].mean())
    assert value.variance == pytest.approx(losses[1].var(ddof=1))


def test_counts_are_exact(long):
    before, after = _right(long, long.old), _right(long, long.new)
    seen = change_of("accuracy", long, TERMS)
    assert seen.discordant == (np.count_nonzero(after & ~before), np.count_nonzero(before & ~after))
    assert seen.new == after.mean()
    hits = np.count_nonzero(long.new.decision & long.label)
    assert point("recall", long, long.new, Cost()) == hits / np.count_nonzero(long.label)
    assert change_of("f1", long, TERMS).n == ROWS


def test_moments_of_blocks_are_those_of_all_values():
    values = np.random.default_rng(2).exponential(size=10_000) + 1e6
    seen = sum((Moments.of(part) for part in np.array_split(values, 7)), Moments())
    assert seen.variance == pytest.approx(values.var(ddof=1))
    assert seen.skewness == pytest.approx(skewness(values))


def test_curves_of_a_long_sample_are_points_of_the_exact_ones(long):
    found = {curve.kind: curve for curve in curves(long, long.new, "new")}
    roc = found["roc"]
    assert np.trapezoid(roc.y, roc.x) == pytest.approx(point("roc_auc", long, long.new, None), abs=1e-3)
    assert sum(found["calibration"].weight) == ROWS
    assert sum(sum(one.counts) for one in score_histograms(long, long.new, "new")) == ROWS
    seen = calibration(long.label, long.new.score, 1)
    brier = float(np.mean((long.new.score - long.label) ** 2))
    assert seen.reliability - seen.resolution + seen.uncertainty == pytest.approx(brier, abs=2e-3)
