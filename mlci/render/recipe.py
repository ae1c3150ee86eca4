"""What training again showed: a fold of the comment, and a strip of dots for each metric."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.nouns import units
from mlci.render import view
from mlci.render.tables import MOST_CELL, MOST_NAME, MOST_WORDS, Fold, line, table
from mlci.render.text import clean, markdown_prose, markdown_text
from mlci.render.vega import INK, NEW, OLD, Spec, axis, chart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.nouns.report import Report, SeedDots
    from mlci.nouns.training import RecipeChange, RecipeMetric

_WIDTH = 480
_STRIP = 34
_MOST_STRIPS = 8


def recipe_fold(report: Report) -> Fold:
    """Every metric over seeds, with its changes."""
    found = report.recipe.metrics if report.recipe is not None else ()
    items = tuple(_row(item, change) for item in found for change in (item.changes or (None,)))
    head = table("metric", ">this model", ">other seeds", ">change", ">of the recipe", "in words")
    return Fold("recipe", 3, "The recipe: this model beside others of other seeds; told, not judged", head, items)


def _row(item: RecipeMetric, change: RecipeChange | None) -> str:
    return line(
        markdown_text(units.metric_name(item.metric), MOST_NAME),
        units.value(item.metric, item.new),
        over_seeds(item),
        units.signed(item.metric, change.change) if change is not None else "",
        of_recipe(item, change) if change is not None else "",
        markdown_prose(item.words, MOST_WORDS),
    )


def over_seeds(item: RecipeMetric) -> str:
    """`0.758 ± 0.0018 (3)`: mean, sample standard deviation and number of other seeds."""
    size = units.with_unit(item.metric, units.amount(item.metric, item.spread.sd))
    return f"{units.value(item.metric, item.spread.mean)} ± {size} ({item.spread.count})"


def of_recipe(item: RecipeMetric, change: RecipeChange) -> str:
    """`+0.027 (+0.02 to +0.033)`: the change of the recipe with its 95 % interval."""
    ends = (units.signed(item.metric, end) for end in (change.low, change.high))
    return f"{units.signed(item.metric, change.recipe)} ({' to '.join(ends)})"


def against(change: RecipeChange) -> str:
    """What was compared with, for a cell."""
    return clean(view.baseline_name(change.baseline), MOST_CELL)


def seeds_spec(items: Sequence[SeedDots]) -> Spec:
    """A strip for each metric: other seeds hollow, this model filled, earlier models grey diamonds."""
    return chart({"vconcat": [_strip(item) for item in items[:_MOST_STRIPS]], "spacing": 18})


def _strip(item: SeedDots) -> Spec:
    factor = 100.0 if units.is_share(item.metric) else 1.0
    name = clean(units.metric_name(item.metric), MOST_NAME)
    rows = [_dot(item.metric, value, factor, "other seeds", f"seed {seed}") for seed, value in item.seeds.items()]
    rows += [
        _dot(item.metric, old, factor, "earlier", view.baseline_name(baseline)) for baseline, old in item.old.items()
    ]
    rows.append(_dot(item.metric, item.new, factor, "this model", "this model"))
    unit = " (%)" if units.is_share(item.metric) else ""
    better = "less" if units.less_is_better(item.metric, item.good) else "more"
    across = axis(f"{name}{unit}; {better} is better", "~g", count=6)
    x = {
        "field": "value",
        "type": "quantitative",
        "axis": across,
        "scale": {"zero": False, "nice": True, "padding": 12},
    }
    said = {"description": {"field": "said"}}
    layers = [
        _points("other seeds", {"filled": False, "stroke": NEW, "strokeWidth": 1.5, "size": 70}, x, said),
        _points("earlier", {"filled": True, "color": OLD, "shape": "diamond", "size": 90}, x, said),
        _points("this model", {"filled": True, "color": NEW, "size": 80, "stroke": INK, "strokeWidth": 0.5}, x, said),
    ]
    return {"data": {"values": rows}, "layer": layers, "width": _WIDTH, "height": _STRIP}


def _points(kind: str, mark: Spec, x: Spec, said: Spec) -> Spec:
    return {
        "transform": [{"filter": f"datum.kind == '{kind}'"}],
        "mark": {"type": "point", "opacity": 1, **mark},
        "encoding": {"x": x, "y": {"value": _STRIP / 2}, **said},
    }


def _dot(metric: str, value: float, factor: float, kind: str, name: str) -> dict[str, object]:
    said = f"{clean(name, MOST_CELL)}: {units.value(metric, value, None)}"
    return {"value": round(factor * value, 9), "kind": kind, "said": said}
