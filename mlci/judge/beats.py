"""Whether the candidate is better than a simple model on the metric that matters most."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from mlci.judge.asks import Ask, p_below
from mlci.judge.contrast import Terms, change_of
from mlci.judge.words_beats import untrained_message
from mlci.nouns.change import Change
from mlci.nouns.finding import Finding
from mlci.nouns.sample import Part

if TYPE_CHECKING:
    from mlci.nouns.policy import Gate, MetricGate, Model, PolicyFile
    from mlci.nouns.sample import Sample
    from mlci.nouns.simple import SimpleName

LEAST_P, LEAST_OF_FEW = 1e-9, 1e-4
"""No smaller p-values are claimed; of few discordant rows, Tango's tail is too light for more."""
_FEW_DISCORDANT = 1_000
_HALVINGS, _HALVINGS_OF_OWN = 10, 5
"""To 1 % and to 20 % of the p-value; a function of the project's own may be slow."""


def main_metric(gate: Gate) -> tuple[str, MetricGate]:
    """The metric that simple models are beaten on.

    It is the first critical one with an allowed change, because that says which difference matters; without any, the
    first with an allowed change, then the first critical one, then the first.
    """
    return min(gate.metrics.items(), key=lambda item: (item[1].change is None, not item[1].critical))


def ask_beats(sample: Sample, gate: Gate, model: Model, name: SimpleName, trained: tuple[int, int]) -> Ask:
    """Measure the candidate's advantage over a simple model, whose answers are the sample's old ones.

    To fail, 'the candidate is better by the tolerance' must be rejected: the p-value is the smallest alpha at which
    the upper bound of the advantage is below the tolerance. It takes part in the correction for all checks. To pass,
    'the candidate is no better' must be rejected at beta.

    Args:
        sample: Both models' answers.
        gate: Which metric, and the error rates.
        model: Costs.
        name: Which simple model.
        trained: Rows that it was trained on, of how many.
    """
    metric, promise = main_metric(gate)
    promise = promise.model_copy(update={"critical": False, "level": "block"})
    terms = Terms.of(gate, model.cost)
    seen = change_of(metric, sample, terms)
    ask = replace(
        Ask.of(sample, Part(None, None, ("gate", "beats"), {}), metric, promise, seen, None),
        beats=name,
        trained=trained,
    )
    if not isinstance(seen, Change):
        return ask
    ask = replace(ask, better=_better(metric, sample, seen, terms))
    if ask.tolerance == 0:
        return ask
    few = seen.discordant is not None and sum(seen.discordant) < _FEW_DISCORDANT
    least = LEAST_OF_FEW if few else LEAST_P
    halvings = _HALVINGS_OF_OWN if metric in sample.own else _HALVINGS
    p = p_below(partial(change_of, metric, sample), seen, ask.tolerance, terms, least, halvings)
    return replace(ask, p=p, least=least)


def _better(metric: str, sample: Sample, seen: Change, terms: Terms) -> float:
    """The p-value of 'the candidate is no better'; 1 where the bound already says that it may not be.

    For counts the bound alone is not enough: with few discordant rows Tango's is too sure.
    """
    if not seen.lower_bound > 0:
        return 1.0
    if seen.discordant is None:
        return 0.0
    turned = change_of(metric, replace(sample, old=sample.new, new=sample.old or sample.new), terms)
    return turned.p if isinstance(turned, Change) else math.nan


def untrained_finding(name: SimpleName, why: str, mend: str, policy: PolicyFile) -> Finding:
    """A simple model that could not be trained or asked: what was not measured does not pass."""
    return Finding(
        check=f"gate.beats.{name}",
        title=f"beats {name}",
        area="gate",
        outcome="not_measured",
        message=untrained_message(why),
        mend=f"{mend[:1].upper()}{mend[1:]}." if mend else "",
        place=policy.place("gate", "beats"),
    )
