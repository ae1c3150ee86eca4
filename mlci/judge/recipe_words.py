"""What training again means for a change, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.nouns import units

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlci.nouns.training import RecipeChange, RecipeMetric

MODEL_ONLY = "Judges this model, not the recipe that made it"
_MANY = 10


def recipe_words(metrics: Sequence[RecipeMetric]) -> str:
    """The line of a report: of the metric that the gate names first, a change before a spread."""
    first = next((item for item in metrics if item.changes), metrics[0] if metrics else None)
    return first.words if first is not None else ""


def model_only(why: str = "") -> str:
    """The line of a report that knows nothing of the recipe."""
    return f"{MODEL_ONLY}: {why}." if why else f"{MODEL_ONLY}."


def metric_words(found: RecipeMetric, name: Callable[[str], str] = str) -> str:
    """One metric over seeds, and what that says of each change.

    Args:
        found: The metric; its words are not looked at.
        name: What people call a baseline.
    """
    what, spread = units.metric_name(found.metric), found.spread
    if spread.sd == 0:
        start = f"Training again with {spread.count} other seeds gives the same {what}"
    else:
        size = units.with_unit(found.metric, units.amount(found.metric, spread.sd))
        start = f"Retraining alone moves the {what} by about ±{size} ({spread.count} seeds)"
    said = [f"{start}." if not found.changes else f"{start}; {_change(found, found.changes[0], name)}."]
    said += [f"{_change(found, item, name).capitalize()}." for item in found.changes[1:]]
    if found.lucky:
        usual = units.value(found.metric, spread.mean)
        said.append(f"The seed is a lucky one: with another, expect about {usual}, not {_value(found)}.")
    return " ".join(said)


def _value(found: RecipeMetric) -> str:
    return units.value(found.metric, found.new)


def _change(found: RecipeMetric, item: RecipeChange, name: Callable[[str], str]) -> str:
    size = units.signed(found.metric, item.change)
    against = f" against {name(item.baseline)}" if len(found.changes) > 1 else ""
    change = f"this change of {size}{against}"
    if item.told == "seed":
        return f"{change} is within what another seed does: it says nothing of the recipe"
    span = f"{units.signed(found.metric, item.low)} to {units.signed(found.metric, item.high)}"
    if item.told == "rows":
        return f"{change} is more than that, but too few test rows tell whether the recipe changed ({span})"
    if item.times is None:
        return f"{change} is the recipe's ({span})"
    return f"{change} is {_times(item.times)} that: the recipe changed by {span} (95 % sure)"


def _times(times: float) -> str:
    return f"{times:.0f} times" if times >= _MANY else f"{times:.1f} times"
