"""The chart of a metric's change in every slice, with intervals and the loss that the policy allows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlci.nouns import units
from mlci.render.text import clean
from mlci.render.vega import BAD, INK, MUTED, NEW, OLD, OPEN, TINT, Spec, chart, names, scale, signed_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.nouns.report import SliceChange

_WIDTH = 480
_STEP = 22
_STATES = {"blocked": BAD, "not enough data": OPEN, "safe": NEW, "too small to tell": OLD}
_WORDS = {"fail": "blocked", "inconclusive": "not enough data", "pass": "safe"}
_SHAPES = ["square", "diamond", "circle", "circle"]


def slice_spec(items: Sequence[SliceChange]) -> Spec:
    """Dots with intervals, one row a slice, in the order given; all of one metric."""
    metric = items[0].metric
    factor = 100.0 if units.is_share(metric) else 1.0
    decimals = _decimals([factor * item.change for item in items if item.outcome in _WORDS])
    rows = [_row(item, factor, decimals) for item in items]
    reach = factor * reach_of(items)
    across = {"domain": [-reach, reach], "nice": False, "clamp": True}
    unit = " (points)" if units.is_share(metric) else ""
    better = "less" if units.less_is_better(metric, items[0].good) else "more"
    title = f"change of {units.metric_name(metric)}{unit}; {better} is better"
    slices = {"field": "slice", "type": "nominal", "sort": None, "axis": names([str(row["slice"]) for row in rows])}
    x = {"field": "change", "type": "quantitative", "axis": signed_axis(title, 7), "scale": across}
    state = scale("state", list(_STATES), list(_STATES.values()))
    layers = [
        *(_tinted(items, factor, reach) or _ticks(items, factor)),
        _rule([0.0], [1, 0], MUTED),
        {
            "mark": {"type": "rule", "strokeWidth": 2},
            "encoding": {"y": slices, "x": {**x, "field": "low"}, "x2": {"field": "high"}, "color": state},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
            "encoding": {
                "y": slices,
                "x": x,
                "color": state,
                "shape": {
                    **scale("state", list(_STATES), _SHAPES),
                    "scale": {"domain": list(_STATES), "range": _SHAPES},
                },
                "description": {"field": "said"},
            },
        },
        _column("shown", slices, 56, "right", INK),
        _column("rows", slices, 70, "left", MUTED),
    ]
    spec: Spec = {"data": {"values": rows}, "layer": layers, "width": _WIDTH, "height": {"step": _STEP}}
    # The texts to the right may be wider in the page's font than in the one that they were measured in.
    return {**chart(spec), "padding": {"left": 4, "right": 40, "top": 6, "bottom": 4}}


def _decimals(changes: Sequence[float]) -> int:
    """Three significant digits of the largest change."""
    largest = max((abs(change) for change in changes), default=0.0)
    return min(5, max(0, 2 - math.floor(math.log10(largest)))) if largest > 0 else 2


def _row(item: SliceChange, factor: float, decimals: int) -> dict[str, object]:
    low, high = units.signed(item.metric, item.low), units.signed(item.metric, item.high)
    change = units.signed(item.metric, item.change)
    state = _WORDS.get(item.outcome, "too small to tell")
    name = clean(item.slice, 60)
    return {
        "slice": name,
        "change": round(factor * item.change, 9),
        "low": round(factor * item.low, 9),
        "high": round(factor * item.high, 9),
        "state": state,
        "shown": f"{factor * item.change:+.{decimals}f}".replace("-", units.MINUS),
        "rows": f"{units.rows(item.rows)}, {state}",
        "said": f"{name}: {change} ({low} to {high}) on {units.rows(item.rows)}, {state}",
    }


def reach_of(items: Sequence[SliceChange]) -> float:
    """Half the width of the axis: all judged changes, and the intervals but for the widest fifth, which are cut."""
    judged = [item for item in items if item.outcome in _WORDS] or list(items)
    ends = sorted(max(abs(item.low), abs(item.high)) for item in judged)
    needed = [abs(item.change) for item in judged] + [item.tolerance or 0.0 for item in judged]
    needed += [max(abs(item.low), abs(item.high)) for item in judged if item.outcome == "fail"]
    return 1.1 * max(ends[int(0.8 * (len(ends) - 1))], 1.2 * max(needed)) or 1.0


def _tinted(items: Sequence[SliceChange], factor: float, reach: float) -> list[Spec]:
    """The part beyond the allowed loss, where all slices allow the same."""
    allowed = {item.tolerance for item in items}
    tolerance = allowed.pop()
    if tolerance is None or allowed:
        return []
    limit = factor * tolerance * (1 if units.less_is_better(items[0].metric, items[0].good) else -1)
    part: Spec = {
        "data": {"values": [{"from": limit, "to": reach if limit > 0 else -reach}]},
        "mark": {"type": "rect", "color": TINT, "opacity": 1},
        "encoding": {"x": {"field": "from", "type": "quantitative"}, "x2": {"field": "to"}},
    }
    return [part, _rule([limit], [4, 3], BAD)]


def _ticks(items: Sequence[SliceChange], factor: float) -> list[Spec]:
    """A tick for each slice where they allow different losses, such as 2 % of the old value."""
    towards = factor * (1 if units.less_is_better(items[0].metric, items[0].good) else -1)
    limits = [
        {"slice": clean(item.slice, 60), "limit": round(towards * item.tolerance, 9)}
        for item in items
        if item.tolerance is not None
    ]
    tick: Spec = {
        "data": {"values": limits},
        "mark": {"type": "tick", "color": BAD, "thickness": 1.5, "bandSize": 16},
        "encoding": {
            "y": {"field": "slice", "type": "nominal", "sort": None},
            "x": {"field": "limit", "type": "quantitative"},
        },
    }
    return [tick] if limits else []


def _rule(places: list[float], dash: list[int], colour: str) -> Spec:
    return {
        "data": {"values": [{"at": place} for place in places]},
        "mark": {"type": "rule", "strokeDash": dash, "color": colour, "strokeWidth": 1.2},
        "encoding": {"x": {"field": "at", "type": "quantitative"}},
    }


def _column(field: str, slices: Spec, offset: int, align: str, colour: str) -> Spec:
    """A column of text to the right of the chart."""
    return {
        "mark": {"type": "text", "align": align, "color": colour, "fontSize": 11},
        "encoding": {"y": slices, "x": {"value": _WIDTH + offset}, "text": {"field": field}},
    }
