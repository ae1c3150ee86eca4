"""The spread over seeds and the recipe's change: known answers, and coverage by simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from mlci.judge.recipe import Draws, is_lucky, recipe_change, spread
from mlci.judge.recipe_words import metric_words, model_only, recipe_words
from mlci.nouns.training import RecipeMetric


def test_the_spread_is_the_sample_sd_with_its_chi_square_interval():
    values = [0.71, 0.74, 0.72, 0.75, 0.73]
    found = spread(values)
    assert found.count == 5
    assert found.mean == pytest.approx(0.73)
    assert found.sd == pytest.approx(np.std(values, ddof=1))
    ends = [found.sd * math.sqrt(4 / stats.chi2.ppf(q, 4)) for q in (0.975, 0.025)]
    assert [found.low, found.high] == pytest.approx(ends)


def test_one_seed_has_no_spread_and_equal_ones_have_none_at_all():
    assert spread([0.7]) is None
    same = spread([0.1 + 0.2, 0.1 + 0.2, 0.1 + 0.2])
    assert (same.sd, same.low, same.high) == (0, 0, 0)


def draws(model, *values):
    return Draws(model, spread(values))


def test_the_change_holds_the_rows_and_the_seeds():
    new = draws(0.76, 0.75, 0.76, 0.77)
    found = recipe_change("merge-base", 0.03, 0.004, 1_000, new)
    seeds = 0.01**2 * (1 + 1 / 3)
    variance = 0.004**2 + seeds
    freedom = variance**2 / (0.004**4 / 999 + seeds**2 / 2)
    reach = stats.t.ppf(0.975, freedom) * math.sqrt(variance)
    assert found.recipe == pytest.approx(0.03)
    assert [found.low, found.high] == pytest.approx([0.03 - reach, 0.03 + reach])
    assert found.times == pytest.approx(3.0)
    assert found.old_seeds == 0


def test_the_baselines_own_seeds_are_used_where_they_are_known():
    new, old = draws(0.76, 0.75, 0.75, 0.75, 0.754), draws(0.70, 0.71, 0.72, 0.72, 0.73)
    found = recipe_change("release", 0.06, 0.002, 5_000, new, old)
    assert found.recipe == pytest.approx(np.mean([0.75, 0.75, 0.75, 0.754]) - np.mean([0.71, 0.72, 0.72, 0.73]))
    parts = [(0.002**2, 4_999), (new.spread.sd**2 / 4, 3), (old.spread.sd**2 / 4, 3)]
    variance = sum(part for part, _ in parts)
    reach = stats.t.ppf(0.975, variance**2 / sum(p**2 / f for p, f in parts)) * math.sqrt(variance)
    assert found.high - found.low == pytest.approx(2 * reach)
    assert found.old_seeds == 4


def test_without_any_spread_and_without_error_the_interval_is_a_point():
    found = recipe_change("release", 0.01, 0.0, 100, draws(0.7, 0.7, 0.7, 0.7))
    assert (found.low, found.high, found.times, found.told) == (0.01, 0.01, None, "recipe")
    assert recipe_change("release", 0.0, 0.0, 100, draws(0.7, 0.7, 0.7)).told == "seed"


@pytest.mark.parametrize(
    ("change", "error", "told"), [(0.03, 0.001, "recipe"), (0.001, 0.001, "seed"), (0.03, 0.03, "rows")]
)
def test_what_explains_a_change_is_told(change, error, told):
    seeds = draws(0.75, 0.749, 0.750, 0.751, 0.7505, 0.7495)
    assert recipe_change("release", change, error, 1_000, seeds).told == told


def test_a_seed_is_lucky_beyond_the_prediction_bound():
    values = [0.70, 0.71, 0.72, 0.73, 0.74]
    found = spread(values)
    bound = found.mean + stats.t.ppf(0.95, 4) * found.sd * math.sqrt(1.2)
    assert is_lucky(Draws(bound + 1e-9, found), "up")
    assert not is_lucky(Draws(bound - 1e-9, found), "up")
    assert not is_lucky(Draws(bound + 1e-9, found), "down")
    assert is_lucky(Draws(2 * found.mean - bound - 1e-9, found), "down")


def metric(name, new, values, *changes, lucky=False):
    seeds = {str(i): value for i, value in enumerate(values)}
    return RecipeMetric(metric=name, new=new, seeds=seeds, spread=spread(values), lucky=lucky, changes=changes)


def test_the_words():
    seeds = [0.749, 0.750, 0.751, 0.7505, 0.7495]
    own = draws(0.75, *seeds)
    big, small = (recipe_change("release", change, 0.001, 1_000, own) for change in (0.028, 0.001))
    assert metric_words(metric("roc_auc", 0.75, seeds, big)) == (
        "Retraining alone moves the ROC AUC by about ±0.00079 (5 seeds); this change of +0.028 is 35 times that: "
        "the recipe changed by +0.025 to +0.031 (95 % sure)."
    )
    assert metric_words(metric("accuracy", 0.75, seeds, small)) == (
        "Retraining alone moves the accuracy by about ±0.079 points (5 seeds); this change of +0.1 points is within "
        "what another seed does: it says nothing of the recipe."
    )
    two = metric_words(metric("roc_auc", 0.75, seeds, big, small), {"release": "the last release"}.get)
    assert "this change of +0.028 against the last release is 35 times that" in two
    assert "This change of +0.001 against the last release is within what another seed does" in two
    assert metric_words(metric("roc_auc", 0.75, seeds)).endswith("by about ±0.00079 (5 seeds).")
    lucky = metric_words(metric("roc_auc", 0.78, seeds, lucky=True))
    assert lucky.endswith("The seed is a lucky one: with another, expect about 0.750, not 0.780.")
    same = metric_words(
        metric("mae", 0.75, [0.75, 0.75], recipe_change("release", 0.1, 0.01, 100, draws(0.75, 0.75, 0.75)))
    )
    assert same.startswith(
        "Training again with 2 other seeds gives the same mean absolute error; this change of +0.1 is"
    )
    open_ = metric_words(metric("roc_auc", 0.75, seeds, recipe_change("release", 0.03, 0.03, 1_000, own)))
    assert "more than that, but too few test rows tell whether the recipe changed" in open_


def test_the_line_of_a_report_is_of_the_first_change():
    plain, changed = metric("mae", 0.1, [0.1, 0.2]), metric("roc_auc", 0.7, [0.7, 0.8])
    plain, changed = plain.model_copy(update={"words": "a"}), changed.model_copy(update={"words": "b"})
    with_change = changed.model_copy(update={"changes": (recipe_change("r", 0.1, 0.1, 9, draws(0.7, 0.7, 0.8)),)})
    assert recipe_words([plain, with_change]) == "b"
    assert recipe_words([plain, changed]) == "a"
    assert recipe_words([]) == ""
    assert model_only("why") == "Judges this model, not the recipe that made it: why."
    assert model_only() == "Judges this model, not the recipe that made it."


@pytest.mark.slow
@pytest.mark.statistics
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize(("seeds", "noise"), [(3, 0.002), (3, 0.02), (5, 0.01), (5, 0.05)])
def test_the_interval_holds_the_recipes_change_in_95_of_100(seeds, noise, known):
    """Accuracy on real rows: each model is right on a row with a probability of its own, which its seed moves.

    2,000 histories: Monte-Carlo standard error .5 points at 95 %. Rows are discordant by chance, so that the spread
    over seeds holds part of the sampling of rows: the interval may be too wide by that, and is never too narrow by
    more than three standard errors.
    """
    rng = np.random.default_rng([seeds, round(1e4 * noise), known])
    histories, n, truth = 2_000, 1_500, 0.02
    difficulty = rng.beta(8, 2, size=n)

    def right(level, models):
        moved = difficulty + level + rng.normal(0, noise, size=(models, 1))
        return rng.random((models, n)) < np.clip(moved, 0, 1)

    shift = np.mean([np.clip(difficulty + truth + e, 0, 1) - np.clip(difficulty + e, 0, 1)
                     for e in rng.normal(0, noise, 400)])  # fmt: skip
    held = 0
    for _ in range(histories):
        new, old = right(truth, seeds + 1), right(0.0, seeds + 1)
        change = new[0].mean() - old[0].mean()
        error = np.std(new[0].astype(float) - old[0], ddof=1) / math.sqrt(n)
        mine = draws(new[0].mean(), *new[1:].mean(axis=1))
        theirs = draws(old[0].mean(), *old[1:].mean(axis=1)) if known else None
        found = recipe_change("release", change, error, n, mine, theirs)
        held += found.low <= shift <= found.high
    assert held / histories > 0.95 - 3 * math.sqrt(0.95 * 0.05 / histories)


@pytest.mark.slow
@pytest.mark.statistics
def test_the_interval_of_the_spread_and_the_lucky_seed_keep_their_levels():
    rng = np.random.default_rng(3)
    sets = rng.normal(0.7, 0.01, size=(4_000, 6))
    found = [spread(values[1:]) for values in sets]
    error = math.sqrt(0.95 * 0.05 / len(sets))
    held = np.mean([each.low <= 0.01 <= each.high for each in found])
    lucky = np.mean([is_lucky(Draws(values[0], each), "up") for values, each in zip(sets, found, strict=True)])
    assert held == pytest.approx(0.95, abs=3 * error)
    assert lucky == pytest.approx(0.05, abs=3 * error)
