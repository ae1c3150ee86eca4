"""What training again says of a comparison: the recipe's change, and whether the gate refuses a model of nothing."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import ValidationError

from mlci.edges.files import digest
from mlci.edges.row_digests import read_row_digests
from mlci.errors import MlciError
from mlci.flows.beats import beats
from mlci.flows.data_findings import SEEDS, table_digest
from mlci.flows.seeds import answering
from mlci.judge.asks import ask_changes, ask_values
from mlci.judge.gate import settle
from mlci.judge.recipe import Draws, is_lucky, recipe_change, spread
from mlci.judge.recipe_words import metric_words, model_only, recipe_words
from mlci.judge.sanity import leak, refusal, unmeasured
from mlci.nouns.change import Change
from mlci.nouns.report import SeedDots
from mlci.nouns.sample import Answers
from mlci.nouns.training import Recipe, RecipeMetric, Seeds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from mlci.edges.git import History
    from mlci.edges.revisions import Revisions
    from mlci.judge.asks import Ask
    from mlci.nouns.change import Good
    from mlci.nouns.finding import Comparison, Finding
    from mlci.nouns.policy import PolicyFile
    from mlci.nouns.sample import Sample

_SEEDS = "train.seeds"
_LIMIT = 10_000_000
"""Bytes of evidence that are read from another commit."""


class Evidence(NamedTuple):
    """What training again showed, as far as it is about the model that is judged.

    Attributes:
        seeds: It; None where there is none for this model.
        why: Why not, as the end of a sentence.
    """

    seeds: Seeds | None
    why: str = ""


def read_evidence(root: Path, policy: PolicyFile) -> Evidence:
    """Read `reports/seeds.json`, unless it speaks of another model or other test rows."""
    gate = policy.policy.gate
    file = root / SEEDS
    if gate is None or not file.is_file():
        return Evidence(None, "nobody trained it again with other seeds")
    try:
        found = Seeds.model_validate_json(file.read_bytes())
    except ValidationError:
        return Evidence(None, f"{SEEDS} is none of this version of mlci")
    if found.predictions != digest(root / gate.predictions):
        return Evidence(None, f"{SEEDS} is stale: it speaks of another model")
    if found.test != table_digest(root, gate.test):
        return Evidence(None, f"{SEEDS} is stale: it speaks of other test rows")
    return Evidence(found)


def sanity_findings(
    root: Path,
    policy: PolicyFile,
    alone: Sample,
    met: Iterable[tuple[Comparison, Sample | None]],
    say: Callable[[str], None],
) -> tuple[Finding, ...]:
    """What the policy asks of training again: the spread is known, and a model of shuffled labels is refused.

    Args:
        root: Folder of the project.
        policy: What is asked.
        alone: The candidate's answers.
        met: The same beside each baseline's, where there is one.
        say: Told what is being done.
    """
    train = policy.policy.train
    if train is None:
        return ()
    known, found = read_evidence(root, policy), []
    if train.seeds:
        why = known.why or _too_little(known.seeds, train.seeds, train.seed)
        found += [unmeasured(why, policy, _SEEDS)] if why else []
    if train.shuffled_labels:
        found += _shuffled(root, policy, known, alone, list(met), say)
    return tuple(found)


def _too_little(known: Seeds | None, wanted: int, parameter: str) -> str:
    if known is None or (len(known.retrained) >= wanted and known.parameter == parameter):
        return ""
    return (
        f"{SEEDS} has {len(known.retrained)} other values of `{known.parameter}`; the policy asks for {wanted} "
        f"of `{parameter}`"
    )


def _shuffled(
    root: Path,
    policy: PolicyFile,
    known: Evidence,
    alone: Sample,
    met: list[tuple[Comparison, Sample | None]],
    say: Callable[[str], None],
) -> list[Finding]:
    gate, model, train = policy.policy.gate, policy.policy.model, policy.policy.train
    assert gate is not None and model is not None and train is not None  # noqa: PT018, S101 - the policy sees to it
    evidence = known.seeds.shuffled if known.seeds is not None else None
    table = train.table or gate.train
    if evidence is None or evidence.table != table:
        return [unmeasured(known.why or f"{SEEDS} has no training on shuffled labels of {table}", policy)]
    file = root / train.shuffled
    if not file.is_file():
        return [unmeasured(f"{train.shuffled} is not there: `dvc pull` it, or make it again", policy)]
    if digest(file) != evidence.predictions:
        return [unmeasured(f"{train.shuffled} is not the one that {SEEDS} speaks of", policy)]
    manifest = root / gate.trained_on
    trained_on = [read_row_digests(manifest)] if manifest.is_file() else []
    files = answering(root, policy, file)
    try:
        sample = files.load(trained_on=trained_on).sample
    except MlciError as error:
        return [unmeasured(f"{train.shuffled} cannot be judged: {error.problem}", policy)]
    asks = list(ask_values(sample, gate, model))
    for comparison, other in met:
        beside = _beside(sample, other, alone if comparison.status == "unchanged" else None)
        if beside is not None:
            asks += ask_changes(beside, gate, model, comparison.baseline)
    beaten = beats(files, trained_on, say)
    judged = (*settle([*asks, *beaten.asks], gate, policy), *beaten.failed)
    found = [refusal(judged, sample, _matching(alone, sample), policy)]
    suspected = leak(sample, _matching(alone, sample), policy)
    return [*found, *([suspected] if suspected is not None else [])]


def _beside(shuffled: Sample, other: Sample | None, unchanged: Sample | None) -> Sample | None:
    """The rows of a comparison, with the model of shuffled labels in the candidate's place.

    A model that did not change is its own baseline here: it is what the shuffled one would take the place of.
    """
    if unchanged is not None:
        return replace(shuffled, old=_matching(unchanged, shuffled))
    if other is None or other.old is None:
        return None
    return replace(other, new=_recoded(_at(shuffled, other), shuffled.classes, other.classes))


def _matching(one: Sample, rows: Sample) -> Answers:
    """What the first sample's model says of the second's rows, in the second's classes."""
    return _recoded(_at(one, rows), one.classes, rows.classes)


def _at(one: Sample, rows: Sample) -> Answers:
    """The answers to some of the rows; both are in the order of their ids, and the first holds all of the second's."""
    if one.size == rows.size:
        return one.new
    return one.new.only(np.searchsorted(np.asarray(one.ids, dtype=str), np.asarray(rows.ids, dtype=str)))


def _recoded(answers: Answers, own: tuple[str, ...], other: tuple[str, ...]) -> Answers:
    """The same in the class codes of another sample; a class that it has not is -1, which is always wrong."""
    if own == other:
        return answers
    place = {name: i for i, name in enumerate(other)}
    codes = np.array([place.get(name, -1) for name in own])
    score = None
    if answers.score is not None:
        score = np.zeros((len(answers.decision), len(other)))
        for i, code in enumerate(codes):
            if code >= 0:
                score[:, code] = answers.score[:, i]
    return Answers(codes[answers.decision], score)


def recipe_of(
    root: Path,
    policy: PolicyFile,
    asks: Sequence[Ask],
    comparisons: Iterable[Comparison],
    *,
    history: History,
    revisions: Revisions,
) -> Recipe:
    """What the report says of the recipe: the spread over seeds, and every promised change beside it.

    Args:
        root: Folder of the project.
        policy: Names the metrics.
        asks: The checks of the run; the changes on all rows are looked at.
        comparisons: The run's.
        history: To read what baselines say of their own recipes.
        revisions: To see that it is theirs.
    """
    gate = policy.policy.gate
    known = read_evidence(root, policy)
    if gate is None or known.seeds is None or len(known.seeds.retrained) == 0:
        return Recipe(words=model_only(known.why or "nobody trained it again with other seeds"))
    before = {
        item.baseline: _evidence_at(item.commit, policy, history, revisions) if item.commit else None
        for item in comparisons
    }
    metrics = [
        found
        for name, promise in gate.metrics.items()
        if (found := _metric(name, promise.good, known.seeds, asks, before)) is not None
    ]
    return Recipe(judged="recipe", words=recipe_words(metrics), metrics=tuple(metrics))


def _metric(
    name: str, own: Good | None, known: Seeds, asks: Sequence[Ask], before: dict[str, Seeds | None]
) -> RecipeMetric | None:
    draws = _draws(known, name)
    if draws is None:
        return None
    changes = []
    for ask in asks:
        if ask.metric != name or ask.part is not None or not isinstance(ask.seen, Change):
            continue
        if ask.baseline is None or ask.baseline not in before:
            continue
        old = before[ask.baseline]
        changes.append(
            recipe_change(
                ask.baseline,
                ask.seen.change,
                math.sqrt(ask.seen.variance / ask.seen.n),
                ask.seen.n,
                draws,
                _draws(old, name) if old is not None else None,
            )
        )
    up = next((ask.up for ask in asks if ask.metric == name), own != "down")
    found = RecipeMetric(
        metric=name,
        good=own,
        new=draws.model,
        seeds=known.by_seed(name),
        spread=draws.spread,
        lucky=is_lucky(draws, "up" if up else "down"),
        changes=tuple(changes),
    )
    return found.model_copy(update={"words": metric_words(found, _named)})


def seed_dots(recipe: Recipe) -> tuple[SeedDots, ...]:
    """The same for a chart."""
    return tuple(
        SeedDots(
            metric=item.metric,
            good=item.good,
            new=item.new,
            seeds=item.seeds,
            old={change.baseline: item.new - change.change for change in item.changes},
        )
        for item in recipe.metrics
    )


def _draws(known: Seeds, metric: str) -> Draws | None:
    found, own = spread(tuple(known.by_seed(metric).values())), known.metrics.get(metric)
    return Draws(own, found) if found is not None and own is not None else None


def _named(baseline: str) -> str:
    return {"merge-base": "the merge base", "release": "the last release", "previous": "the previous model"}.get(
        baseline, baseline
    )


def _evidence_at(commit: str, policy: PolicyFile, history: History, revisions: Revisions) -> Seeds | None:
    """What a baseline's commit says of its own recipe; None where it says nothing, or speaks of another model."""
    gate = policy.policy.gate
    content = history.read(commit, SEEDS) if gate is not None else None
    if gate is None or content is None or len(content) > _LIMIT:
        return None
    try:
        found = Seeds.model_validate_json(content)
    except ValidationError:
        return None
    version = revisions.version(commit, gate.predictions)
    if version.startswith("git:"):
        kept = revisions.at_hand(commit, gate.predictions)
        return found if kept is not None and digest(kept) == found.predictions else None
    return found if version == f"md5:{found.predictions_md5}" else None
