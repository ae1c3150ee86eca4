"""Charts as Vega-Lite specifications: pure data, drawn by whoever has a renderer.

Old is always grey, new always blue; red and blue differ for colour-blind readers too (Okabe and Ito 2008), and no
meaning hangs on colour alone. Nothing needs a legend to be looked up: names stand beside what they name.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlci.nouns import units
from mlci.render import view
from mlci.render.recipe import seeds_spec
from mlci.render.slice_chart import slice_spec
from mlci.render.text import clean
from mlci.render.told_charts import told_charts
from mlci.render.vega import BAD, INK, MUTED, NEW, OLD, Chart, Spec, axis, chart, dashed, legend, names, scale

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mlci.nouns.report import Charts, Curve, DriftBar, Histogram, Report, SliceChange

_SIDE = 300
_WIDTH = 340
_BAR = 20
_MOST_BARS = 40
_MOST_SLICE_CHARTS = 6


def specs(report: Report) -> dict[str, str]:
    """Every chart that there is data for, by name, as Vega-Lite JSON."""
    every = (*charts(report.charts), *told_charts(report))
    return {item.name: json.dumps(item.spec, sort_keys=True) for item in every}


def charts(data: Charts) -> tuple[Chart, ...]:
    """Every chart that there is data for, in reading order."""
    return (*_slices(data), *_curves(data), *_scores(data.scores), *_seeds(data), *_drift(data.drift))


def _slices(data: Charts) -> Iterable[Chart]:
    for place, ((metric, baseline), items) in enumerate(view.slice_changes(data).items()):
        if place == _MOST_SLICE_CHARTS:
            return
        name = units.metric_name(metric)
        more = f" The {_MOST_BARS} worst of {len(items)} slices." if len(items) > _MOST_BARS else ""
        yield Chart(
            name=f"slices-{place}",
            title=f"Change of {name} per slice, against {view.baseline_name(baseline)}",
            caption=f"A dot is the change, its line the interval; one that meets the edge goes on beyond it."
            f"{_allowed(items)}{more}",
            spec=slice_spec(items[:_MOST_BARS]),
            wide=True,
        )


def _seeds(data: Charts) -> Iterable[Chart]:
    if data.seeds:
        yield Chart(
            "seeds",
            "The recipe, over seeds",
            "Each hollow dot is a model of the same recipe with another seed; the filled one is this model, a grey "
            "diamond an earlier one. A change smaller than the spread of the dots says nothing of the recipe.",
            seeds_spec(data.seeds),
            wide=True,
        )


def _allowed(items: Sequence[SliceChange]) -> str:
    word, limits = units.bad_word(items[0].metric, items[0].good), {item.tolerance for item in items}
    if limits == {None}:
        return ""
    where = "In the tinted part" if len(limits) == 1 else "Beyond its red tick"
    return f" {where} a {word} is bigger than you allow."


def _curves(data: Charts) -> Iterable[Chart]:
    kinds: dict[str, list[Curve]] = {}
    for curve in data.curves:
        kinds.setdefault(curve.kind, []).append(curve)
    if "roc" in kinds:
        yield Chart(
            "roc",
            "ROC curve",
            "How many positives are found, for how many false alarms. Nearer to the upper left is better; on the "
            "dashed line a model guesses.",
            _square(kinds["roc"], "false alarms, share of negatives", "found, share of positives", corner="bottom"),
        )
    if "pr" in kinds:
        yield Chart(
            "pr",
            "Precision and recall",
            "Of the rows that a model calls positive, how many are. Higher is better.",
            _square(kinds["pr"], "found, share of positives", "right, share of alarms", "top", diagonal=False),
        )
    if "calibration" in kinds:
        yield Chart(
            "calibration",
            "Calibration",
            "Whether a score means what it says: on the dashed line, of the rows that score 30 %, 30 % are positive.",
            _square(kinds["calibration"], "mean score", "share of positives", "bottom", points=True),
        )


def _square(
    curves: Sequence[Curve], x: str, y: str, corner: str, *, diagonal: bool = True, points: bool = False
) -> Spec:
    """Lines in the unit square."""
    rows = [
        {
            "model": _model(curve.model),
            "x": round(across, 5),
            "y": round(up, 5),
            "order": place,
            "said": f"{_model(curve.model)}: {100 * across:.1f} % across, {100 * up:.1f} % up"
            + (f", {units.rows(curve.weight[place])}" if place < len(curve.weight) else ""),
        }
        for curve in curves
        for place, (across, up) in enumerate(zip(curve.x, curve.y, strict=False))
    ]
    models = list(dict.fromkeys(_model(curve.model) for curve in curves))
    unit = {"domain": [0, 1], "nice": False}
    encoding = {
        "x": {"field": "x", "type": "quantitative", "axis": axis(x, "%"), "scale": unit},
        "y": {"field": "y", "type": "quantitative", "axis": axis(y, "%"), "scale": unit},
        "color": scale("model", models, [_colour(model) for model in models]),
    }
    line: Spec = {
        "mark": {"type": "line", "strokeWidth": 2, "interpolate": "linear", "clip": True},
        "encoding": {**encoding, "order": {"field": "order"}, "strokeDash": _dashes(models)},
    }
    layers: list[Spec] = [dashed([{"x": 0, "y": 0}, {"x": 1, "y": 1}])] if diagonal else []
    layers.append(line)
    if points:
        size = {"mark": {"type": "point", "filled": True, "size": 45, "opacity": 1}}
        layers.append({**size, "encoding": {**encoding, "description": {"field": "said"}}})
    layers.append(legend(models, [_colour(model) for model in models], _SIDE, _SIDE, corner))
    return chart({"data": {"values": rows}, "layer": layers, "width": _SIDE, "height": _SIDE})


def _model(name: str) -> str:
    return clean(view.baseline_name(name).removeprefix("the "), 30)


def _colour(model: str) -> str:
    return NEW if model == "new" else OLD


def _dashes(models: Sequence[str]) -> Spec:
    """Solid for the new and the first old model, dashed for further ones."""
    old = [model for model in models if model != "new"]
    shapes = [[1, 0] if model == "new" or model == old[0] else [4, 3] for model in models]
    return {"field": "model", "type": "nominal", "scale": {"domain": list(models), "range": shapes}, "legend": None}


def _scores(scores: Sequence[Histogram]) -> Iterable[Chart]:
    if not scores:
        return
    labels = list(dict.fromkeys(item.label for item in scores))[:6]
    models = list(dict.fromkeys(_model(item.model) for item in scores))
    panels = [
        _score_panel(
            [item for item in scores if item.label == label],
            label,
            models,
            first=label == labels[0],
            last=label == labels[-1],
        )
        for label in labels
    ]
    yield Chart(
        "scores",
        "Scores",
        "How the scores of each label are spread. The further apart the labels, the better a model tells them apart.",
        chart({"vconcat": panels, "spacing": 14}),
    )


def _score_panel(scores: Sequence[Histogram], label: str, models: Sequence[str], *, first: bool, last: bool) -> Spec:
    rows: list[dict[str, Any]] = []
    for item in scores:
        model, total = _model(item.model), sum(item.counts) or 1
        shares = [count / total for count in item.counts]
        for low, high, share in zip(item.edges, item.edges[1:], shares, strict=False):
            said = f"{model}: {100 * share:.1f} % score {low:.2f} to {high:.2f}"
            rows += [{"model": model, "x": round(low, 6), "y": round(share, 6), "end": round(high, 6), "said": said}]
        if rows and model == "new":
            # A step holds to the right of its edge, so the last one needs an end.
            rows.append({**rows[-1], "x": rows[-1]["end"]})
    colours = [_colour(model) for model in models]
    encoding: Spec = {
        "x": {"field": "x", "type": "quantitative", "axis": axis("score" if last else None), "scale": {"nice": False}},
        "x2": {"field": "end"},
        "y": {"field": "y", "type": "quantitative", "axis": axis("share of rows", "%", count=3)},
        "color": scale("model", list(models), colours),
        "description": {"field": "said"},
    }
    bars: Spec = {
        "transform": [{"filter": "datum.model != 'new'"}],
        "mark": {"type": "rect", "opacity": 0.35},
        "encoding": {**encoding, "y2": {"datum": 0}},
    }
    steps: Spec = {
        "transform": [{"filter": "datum.model == 'new'"}],
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2},
        "encoding": {key: item for key, item in encoding.items() if key not in {"x2", "description"}},
    }
    title = {
        "text": f"label: {clean(label, 40)}",
        "anchor": "start",
        "fontSize": 12,
        "color": INK,
        "fontWeight": "normal",
    }
    layers = [bars, steps]
    if first:
        # Bars may fill every corner.
        layers.append(legend(models, colours, _WIDTH, _SIDE // 3, "above"))
    return {"title": title, "data": {"values": rows}, "layer": layers, "width": _WIDTH, "height": _SIDE // 3}


_MEASURES: Mapping[str, tuple[str, str]] = {
    "ks": ("Drift of numbers", "KS distance"),
    "psi": ("Drift of categories", "population stability index (PSI)"),
}


def _drift(drift: Sequence[DriftBar]) -> Iterable[Chart]:
    several = len({item.table for item in drift}) > 1
    for measure, (title, words) in _MEASURES.items():
        bars = sorted((item for item in drift if item.measure == measure), key=lambda item: (-item.value, item.column))
        if bars:
            yield Chart(
                f"drift-{measure}",
                title,
                "How far a column has moved from the reference. It is an alarm only where even the lower bound (the "
                "upright tick) is beyond the dashed line.",
                _drift_spec(bars[:_MOST_BARS], words, several=several),
            )


def _drift_spec(bars: Sequence[DriftBar], words: str, *, several: bool) -> Spec:
    rows: list[dict[str, Any]] = [
        {
            "column": clean(f"{item.table}: {item.column}" if several else item.column, 40),
            "value": round(item.value, 6),
            "low": round(item.low, 6),
            "state": "alarm" if item.low > item.tolerance else "no alarm",
            "said": f"{clean(item.column, 40)}: {item.value:.3f}, at least {item.low:.3f} (limit {item.tolerance:.3g})",
            "shown": f"{item.value:.3f}",
        }
        for item in bars
    ]
    columns = {"field": "column", "type": "nominal", "sort": None, "axis": names([row["column"] for row in rows])}
    values = {"field": "value", "type": "quantitative", "axis": axis(words, count=4)}
    bar: Spec = {
        "mark": {"type": "bar", "height": {"band": 0.62}, "cornerRadiusEnd": 2},
        "encoding": {
            "y": columns,
            "x": values,
            "color": scale("state", ["alarm", "no alarm"], [BAD, OLD]),
            "description": {"field": "said"},
        },
    }
    tick: Spec = {
        "transform": [{"filter": "datum.low > 0"}],
        "mark": {"type": "tick", "thickness": 2, "color": INK, "bandSize": 12},
        "encoding": {"y": columns, "x": {"field": "low", "type": "quantitative"}},
    }
    number: Spec = {
        "mark": {"type": "text", "align": "left", "color": MUTED, "fontSize": 11},
        "encoding": {"y": columns, "x": {"value": _WIDTH - 72}, "text": {"field": "shown"}},
    }
    limits = sorted({item.tolerance for item in bars})
    rule: Spec = {
        "data": {"values": [{"limit": limit} for limit in limits]},
        "mark": {"type": "rule", "strokeDash": [4, 3], "color": INK, "strokeWidth": 1.2},
        "encoding": {"x": {"field": "limit", "type": "quantitative"}},
    }
    body: dict[str, Any] = {"data": {"values": rows}, "layer": [bar, tick, number, rule]}
    return chart({**body, "width": _WIDTH - 80, "height": {"step": _BAR}})
