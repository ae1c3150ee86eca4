"""Small parts of Vega-Lite specifications, and the look that all charts share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

Spec = dict[str, Any]
"""A Vega-Lite specification or a part of one: JSON, whose shape Vega-Lite's own schema describes."""

INK = "#1f2328"
MUTED = "#59636e"
GRID = "#e3e6ea"
OLD = "#868e96"
NEW = "#0072b2"
BAD = "#d55e00"
OPEN = "#bf8700"
TINT = "#fdeee4"
COLOURS = {"ink": INK, "muted": MUTED, "grid": GRID, "old": OLD, "new": NEW, "bad": BAD, "open": OPEN, "tint": TINT}
"""Every colour that a chart uses, by the name under which a page may translate it."""

_FONT = "system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"
_LETTER = 7
"""Pixels of a letter of a wide font."""
_CONFIG: Spec = {
    "font": _FONT,
    "background": None,
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED,
        "titleColor": INK,
        "titleFontWeight": "normal",
        "labelFontSize": 11,
        "titleFontSize": 12,
        "titlePadding": 8,
        "gridColor": GRID,
        "domain": False,
        "ticks": False,
        "labelPadding": 6,
    },
}

BESIDE: Spec = {"left": 4, "right": 40, "top": 6, "bottom": 4}
"""Padding of a chart with a legend beside it: a page's own font may be wider than the one it was measured by."""


class Chart(NamedTuple):
    """A chart with its words.

    Attributes:
        name: Its key, such as `roc`.
        title: What it shows, as a heading.
        caption: How to read it, in a sentence.
        spec: The Vega-Lite specification.
        wide: Whether it takes the full width of a page.
    """

    name: str
    title: str
    caption: str
    spec: Spec
    wide: bool = False


def chart(spec: Spec) -> Spec:
    """A whole specification with the shared look."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "padding": {"left": 4, "right": 12, "top": 6, "bottom": 4},
        "config": _CONFIG,
        **spec,
    }


def axis(title: str | None, form: str | None = None, *, grid: bool = True, count: int = 6) -> Spec:
    """An axis with a title in words; `%` writes shares as percent."""
    parts: Spec = {"title": title, "grid": grid, "tickCount": count, "labelLimit": 260, "titleLimit": 400}
    return {**parts, "format": form} if form else parts


def signed_axis(title: str | None, count: int) -> Spec:
    """An axis of changes; the number format of an axis would write 10 as 1e+1 where its ticks are whole tens."""
    return {**axis(title, count=count), "labelExpr": "datum.value == 0 ? '0' : format(datum.value, '+~g')"}


def names(labels: Sequence[str]) -> Spec:
    """An axis of names, with room for the longest in whichever font the page has."""
    longest = max((len(label) for label in labels), default=0)
    return {**axis(None, grid=False), "minExtent": min(_LETTER * longest, 260)}


def scale(field: str, names: Sequence[str], colours: Sequence[str]) -> Spec:
    """Fixed colours for fixed names, without a legend: names stand beside what they name."""
    return {
        "field": field,
        "type": "nominal",
        "legend": None,
        "scale": {"domain": list(names), "range": list(colours)},
    }


def dashed(points: Sequence[dict[str, float]]) -> Spec:
    """A dashed reference line through points with `x` and `y`."""
    return {
        "data": {"values": list(points)},
        "mark": {"type": "line", "strokeDash": [4, 3], "color": MUTED, "strokeWidth": 1},
        "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
    }


def legend(names: Sequence[str], colours: Sequence[str], width: int, height: int, corner: str) -> Spec:
    """Names in their own colours in the right corner at the `top` or the `bottom`, `above` or `beside` the chart."""
    step = 16
    tall = step * (len(names) - 1)
    first = {"bottom": height - 10 - tall, "above": -10 - tall}.get(corner, 10)
    beside = corner == "beside"
    layers = [
        {
            "data": {"values": [{"name": name}]},
            "mark": {
                "type": "text",
                "align": "left" if beside else "right",
                "fontSize": 12,
                "fontWeight": 600,
                "color": colour,
            },
            "encoding": {
                "x": {"value": width + 10 if beside else width - 6},
                "y": {"value": first + step * place},
                "text": {"field": "name"},
            },
        }
        for place, (name, colour) in enumerate(zip(names, colours, strict=True))
    ]
    return {"layer": layers}
