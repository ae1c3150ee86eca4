"""How much of a change is training's own noise: what the policy asks, what was measured, what a report says."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from mlci.nouns.base import Noun

MOST_SEEDS = 100


class Train(Noun):
    """How often to train again, to tell a better recipe from a lucky seed, and a gate from an open door."""

    seeds: int = Field(0, ge=0, le=MOST_SEEDS, description="how many more times to train, each with another seed")
    seed: str = Field("train.seed", description="the parameter that seeds the training; `file.yaml:key` outside params")
    shuffled_labels: bool = Field(False, description="train once on shuffled labels: the gate must refuse that model")
    table: str | None = Field(None, description="the table whose labels are shuffled; default: `gate.train`")
    shuffled: str = Field("models/shuffled.parquet", description="where the predictions of that model are kept")

    @model_validator(mode="after")
    def _a_spread(self) -> Train:
        if self.seeds == 1:
            raise ValueError("seeds: one more seed has no spread; take 2 or more (5 tell it well)")
        return self


class Retrained(Noun):
    """One training with another seed: the value of every metric on the test rows; null where it has none."""

    seed: int
    metrics: dict[str, float | None]


class Shuffled(Noun):
    """The training on shuffled labels.

    Attributes:
        table: The training table whose labels were shuffled.
        predictions: SHA-256 of the predictions of its model.
        metrics: The value of every metric on the test rows.
    """

    table: str
    predictions: str
    metrics: dict[str, float | None]


class Seeds(Noun):
    """What training again showed: `reports/seeds.json`. The same files give the same bytes.

    Attributes:
        schema_version: Of this noun; a reader refuses one that it does not know.
        project: Name of the model.
        tool: Name and version of the tool that wrote it.
        predictions: SHA-256 of the predictions of the model that this is about.
        predictions_md5: The same as DVC knows them.
        test: SHA-256 of the test table.
        parameter: The parameter that was changed.
        seed: Its value for the model that this is about; None where no other seed was tried.
        stages: Stages of the pipeline that were run again.
        metrics: The value of every metric of the model that this is about.
        retrained: One entry for each other seed.
        shuffled: The training on shuffled labels, where one was asked for.
    """

    schema_version: Literal[1] = 1
    project: str
    tool: str
    predictions: str
    predictions_md5: str
    test: str
    parameter: str
    seed: int | None = None
    stages: tuple[str, ...] = ()
    metrics: dict[str, float | None] = {}
    retrained: tuple[Retrained, ...] = ()
    shuffled: Shuffled | None = None

    def by_seed(self, metric: str) -> dict[str, float]:
        """The metric with every other seed, as far as it has a value."""
        found = ((str(item.seed), item.metrics.get(metric)) for item in self.retrained)
        return {seed: value for seed, value in found if value is not None}


class Spread(Noun):
    """How a metric spreads over seeds.

    Attributes:
        count: Seeds.
        mean: Mean over them.
        sd: Sample standard deviation.
        low: Lower end of its 95 % interval.
        high: Upper end of it.
    """

    count: int
    mean: float
    sd: float
    low: float
    high: float


class RecipeChange(Noun):
    """A change against a baseline, for the recipe rather than for the one model that it made.

    Attributes:
        baseline: What was compared with.
        change: New minus old model.
        recipe: The same for the recipes: each model's luck with its seed, as far as it is known, taken out.
        low: Lower end of the 95 % interval of `recipe`.
        high: Upper end of it.
        times: How many times the spread of retraining the change is; None where training has no spread.
        old_seeds: Seeds of the baseline that are known; 0 where its spread is taken to be the candidate's.
        told: `recipe` where the interval excludes 0; `seed` where another seed explains the change; `rows` where it
            does not, but too few test rows tell whether there is one.
    """

    baseline: str
    change: float
    recipe: float
    low: float
    high: float
    times: float | None
    old_seeds: int
    told: Literal["recipe", "seed", "rows"]


class RecipeMetric(Noun):
    """A metric over seeds, and its changes.

    Attributes:
        metric: Its name.
        good: Which way is good, where the metric is one of the project's own.
        new: The candidate's value, in the evidence.
        seeds: The value with every other seed, by seed.
        spread: Of those values.
        lucky: Whether the candidate is better than 95 of 100 models of its recipe would be.
        changes: One for each baseline against which a change of it is promised.
        words: What this means, in a sentence or two.
    """

    metric: str
    good: Literal["up", "down"] | None = None
    new: float
    seeds: dict[str, float]
    spread: Spread
    lucky: bool = False
    changes: tuple[RecipeChange, ...] = ()
    words: str = ""


class Recipe(Noun):
    """What a report says of the recipe.

    Attributes:
        judged: The model alone, or its recipe too.
        words: In one line; why the recipe is not judged, where it isn't.
        metrics: The metrics of the gate, over seeds.
    """

    judged: Literal["model", "recipe"] = "model"
    words: str = ""
    metrics: tuple[RecipeMetric, ...] = ()
