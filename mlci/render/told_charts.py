"""Charts of what is told and not judged: how much worse weak slices are, and how far groups are apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlci.nouns import units
from mlci.render import told
from mlci.render.text import clean
from mlci.render.vega import INK, MUTED, NEW, OLD, OPEN, Chart, Spec, chart, names, scale, signed_axis

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlci.nouns.report import GroupRate, Report, WeakSlice

_WIDTH = 420
_STEP = 22
_MOST = 40
_MOST_NAME = 60
_WORSE, _APART, _SAME = "worse", "differs", "no difference seen"
_COLOURS = {_WORSE: OPEN, _APART: NEW, _SAME: OLD}
_SHAPES = ["diamond", "diamond", "circle"]


def told_charts(report: Report) -> tuple[Chart, ...]:
    """The charts that there is data for, in reading order."""
    return tuple(_weak_charts(report.weak)) + tuple(_groups_charts(report.fairness))


def _weak_charts(weak: Sequence[WeakSlice]) -> Iterable[Chart]:
    for place, items in enumerate(told.weak_groups(weak)):
        yield Chart(
            f"weak-{place}",
            f"Worse than {'elsewhere' if items[0].baseline is None else f'before, with {told.weak_than(items[0])}'}",
            "A dot is how much worse the slice is, its line the interval.",
            weak_spec(items),
            wide=True,
        )


def _groups_charts(rates: Sequence[GroupRate]) -> Iterable[Chart]:
    if rates:
        yield Chart(
            "groups",
            "Each group beside all others",
            "A dot is how far the group's rate is from that of all other groups, its line the interval; the number is "
            "the rate itself. Where a line crosses zero, there may be no difference.",
            groups_spec(told.by_kind(rates)),
            wide=True,
        )


def weak_spec(items: Sequence[WeakSlice]) -> Spec:
    """Dots with intervals: how much worse each slice is. All of one measure, compared with the same."""
    factor, unit = (100.0, " (points)") if items[0].measure == "wrong rows" else (1.0, "")
    name = "share of wrong rows" if items[0].measure == "wrong rows" else "mean absolute error"
    rows = [
        {
            "name": clean(item.slice, _MOST_NAME),
            "at": round(factor * item.excess, 9),
            "low": round(factor * item.low, 9),
            "high": round(factor * item.high, 9),
            "state": _WORSE,
            "shown": told.excess(item).split(" (")[0],
            "note": units.rows(item.rows),
            "said": f"{clean(item.slice, _MOST_NAME)}: {told.excess(item)} on {units.rows(item.rows)}",
        }
        for item in items[:_MOST]
    ]
    than = "on all rows" if items[0].baseline is None else f"with {clean(told.weak_than(items[0]), 40)}"
    return _chart(_dots(rows, f"{name}: more than {than}{unit}"))


def groups_spec(kinds: dict[str, tuple[GroupRate, ...]]) -> Spec:
    """Dots with intervals: how far each group is from all others, a panel for each kind of rate, on one scale."""
    every = {kind: [_group(item) for item in rates[:_MOST]] for kind, rates in kinds.items()}
    all_rows = [row for rows in every.values() for row in rows]
    last = list(every)[-1]
    title = "points from all other groups"
    panels = [
        {"title": _title(kind), **_dots(rows, title if kind == last else None, all_rows)}
        for kind, rows in every.items()
    ]
    return _chart({"vconcat": panels, "spacing": 14})


def _title(text: str) -> Spec:
    return {"text": text, "anchor": "start", "fontSize": 12, "color": INK, "fontWeight": "normal"}


def _group(item: GroupRate) -> dict[str, Any]:
    name = clean(item.group, _MOST_NAME)
    state = _APART if told.differs(item) else _SAME
    return {
        "name": name,
        "at": round(100 * item.difference, 9),
        "low": round(100 * item.difference_low, 9),
        "high": round(100 * item.difference_high, 9),
        "state": state,
        "shown": told.percent(item.rate),
        "note": f"{units.rows(item.rows)}, {state}",
        "said": f"{name}: {item.kind} {told.percent(item.rate)}, {told.difference(item)}, {units.rows(item.rows)}",
    }


def _dots(rows: Sequence[dict[str, Any]], title: str | None, beside: Sequence[dict[str, Any]] = ()) -> Spec:
    """One panel; `beside` are the rows of all panels that share its scale."""
    labels = [row["name"] for row in beside or rows]
    ends = [row[end] for row in beside or rows for end in ("low", "high")]
    low, high = min(0.0, *ends), max(0.0, *ends)
    room = 0.05 * (high - low) or 1.0
    slices = {"field": "name", "type": "nominal", "sort": None, "axis": names(labels)}
    across = {"domain": [low - room if low < 0 else 0.0, high + room], "nice": False}
    x = {"field": "at", "type": "quantitative", "axis": signed_axis(title, 6), "scale": across}
    state = scale("state", list(_COLOURS), list(_COLOURS.values()))
    shape = {**state, "scale": {"domain": list(_COLOURS), "range": _SHAPES}}
    layers = [
        {
            "data": {"values": [{"at": 0.0}]},
            "mark": {"type": "rule", "color": MUTED, "strokeWidth": 1.2},
            "encoding": {"x": {"field": "at", "type": "quantitative"}},
        },
        {
            "mark": {"type": "rule", "strokeWidth": 2},
            "encoding": {"y": slices, "x": {**x, "field": "low"}, "x2": {"field": "high"}, "color": state},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
            "encoding": {"y": slices, "x": x, "color": state, "shape": shape, "description": {"field": "said"}},
        },
        *_columns(slices),
    ]
    return {"data": {"values": list(rows)}, "layer": layers, "width": _WIDTH, "height": {"step": _STEP}}


def _columns(slices: Spec) -> Iterable[Spec]:
    """Two columns of text to the right."""
    for field, offset, align, colour in (("shown", 64, "right", INK), ("note", 76, "left", MUTED)):
        yield {
            "mark": {"type": "text", "align": align, "color": colour, "fontSize": 11},
            "encoding": {"y": slices, "x": {"value": _WIDTH + offset}, "text": {"field": field}},
        }


def _chart(spec: Spec) -> Spec:
    # The texts to the right may be wider in the page's font than in the one that they were measured in.
    return {**chart(spec), "padding": {"left": 4, "right": 40, "top": 6, "bottom": 4}}
