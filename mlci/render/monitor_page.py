"""What a look found as a page that needs nothing else, with plots over time."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING

from markupsafe import Markup

from mlci.render import monitor as words
from mlci.render.html import stylesheet, templates
from mlci.render.svg import inline
from mlci.render.text import clean
from mlci.render.vega import BAD, BESIDE, MUTED, NEW, OLD, Chart, Spec, axis, chart, legend, scale

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlci.nouns.monitoring import Monitoring

_WIDTH, _HEIGHT = 860, 190
_MOST_STREAMS = 6


def specs(found: Monitoring) -> dict[str, str]:
    """Every plot that there is data for, by name, as Vega-Lite JSON."""
    return {each.name: json.dumps(each.spec, sort_keys=True) for each in charts(found)}


def charts(found: Monitoring) -> tuple[Chart, ...]:
    """Every plot that there is data for, in reading order."""
    return (*_performance(found), *_evidence(found), *_volume(found))


def render_html(found: Monitoring, svgs: Mapping[str, str]) -> str:
    """The page; every text in it is escaped.

    Args:
        found: The look.
        svgs: The drawn plots by name; what is absent is not shown.
    """
    css = stylesheet()
    levels = {each.level for each in found.alarms}
    page = (
        templates()
        .get_template("monitor.html.jinja")
        .render(
            found=found,
            words=words,
            tone="bad" if "block" in levels else "open" if "warn" in levels else "good",
            charts=[
                (each, Markup(inline(svgs[each.name], each.name, each.title)))  # noqa: S704 - only drawing elements
                for each in charts(found)
                if each.name in svgs
            ],
            css=Markup(css),  # noqa: S704 - our own file
            style_hash=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
            broken=[each for each in found.findings if each.outcome == "fail"],
        )
    )
    return page.strip() + "\n"


def _performance(found: Monitoring) -> Iterable[Chart]:
    """The headline metric by period: estimated before labels came, and by labels as far as they are there."""
    real = [
        {"x": each.start, "y": each.realised, "kind": "by labels", "said": f"{each.start[:10]}: {each.realised:.4g}"}
        for each in found.seen
        if each.realised is not None
    ]
    guesses = [
        {
            "x": each.start,
            "y": each.estimate.value,
            "low": each.estimate.low,
            "high": each.estimate.high,
            "kind": "estimated",
            "said": f"{each.start[:10]}: {each.estimate.low:.4g} to {each.estimate.high:.4g}",
        }
        for each in found.seen
        if each.estimate is not None
    ]
    if not real and not guesses:
        return
    head = next((each for each in found.streams if each.name == found.metric), None)
    colour = scale("kind", ["by labels", "estimated"], [NEW, OLD])
    x: Spec = {"field": "x", "type": "temporal", "axis": axis(None, "%b %d")}
    y: Spec = {
        "field": "y",
        "type": "quantitative",
        "axis": axis(clean(found.metric), count=5),
        "scale": {"zero": False},
    }
    layers: list[Spec] = []
    if guesses:
        band: Spec = {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}
        layers.append(
            {"data": {"values": guesses}, "mark": {"type": "area", "color": OLD, "opacity": 0.25}, "encoding": band}
        )
        line = {"type": "line", "strokeWidth": 1.5, "strokeDash": [4, 3]}
        layers.append({"data": {"values": guesses}, "mark": line, "encoding": {"x": x, "y": y, "color": colour}})
    if real:
        dots: Spec = {"x": x, "y": y, "color": colour, "description": {"field": "said"}}
        layers.append({"data": {"values": real}, "mark": {"type": "line", "strokeWidth": 1.5}, "encoding": dots})
        layers.append(
            {"data": {"values": real}, "mark": {"type": "point", "filled": True, "size": 26}, "encoding": dots}
        )
    if head is not None and head.reference is not None:
        rule = {"type": "rule", "color": MUTED, "strokeDash": [2, 2]}
        layers.append(
            {
                "data": {"values": [{"y": head.reference}]},
                "mark": rule,
                "encoding": {"y": {"field": "y", "type": "quantitative"}},
            }
        )
    layers += _since(found)
    layers.append(legend(["by labels", "estimated"], [NEW, OLD], _WIDTH, _HEIGHT, "beside"))
    yield Chart(
        "performance",
        f"{clean(found.metric)} by period",
        "Blue is what labels say of the predictions of each period; grey, with its 95 % interval, what scores said "
        "before labels came. The dotted line is the reference; a red line the start of an alarm.",
        chart({"layer": layers, "width": _WIDTH, "height": _HEIGHT, "padding": BESIDE}),
        wide=True,
    )


def _evidence(found: Monitoring) -> Iterable[Chart]:
    """The streams that are, or were, nearest to an alarm."""
    top = sorted(
        {name for each in found.seen for name in each.full},
        key=lambda name: -max(each.full.get(name, 0.0) for each in found.seen),
    )[:_MOST_STREAMS]
    rows = [
        {"x": each.start, "y": max(each.full[name], -0.2), "stream": clean(name, 40)}
        for each in found.seen
        for name in top
        if name in each.full
    ]
    if not rows:
        return
    colours = [NEW, BAD, "#009e73", "#cc79a7", OLD, "#bf8700"][: len(top)]
    names = [clean(name, 40) for name in top]
    x: Spec = {"field": "x", "type": "temporal", "axis": axis(None, "%b %d")}
    layers: list[Spec] = [
        {
            "data": {"values": rows},
            "mark": {"type": "line", "strokeWidth": 1.8},
            "encoding": {
                "x": x,
                "y": {"field": "y", "type": "quantitative", "axis": axis("evidence of a change", "%", count=5)},
                "color": scale("stream", names, colours),
            },
        },
        {
            "data": {"values": [{"y": 1}]},
            "mark": {"type": "rule", "color": BAD, "strokeDash": [4, 3]},
            "encoding": {"y": {"field": "y", "type": "quantitative"}},
        },
        legend(names, colours, _WIDTH, _HEIGHT, "beside"),
    ]
    yield Chart(
        "evidence",
        "Evidence of a change",
        "What has come nearest to an alarm, on a log scale: at 100 %, the dashed line, it is raised.",
        chart({"layer": layers, "width": _WIDTH, "height": _HEIGHT, "padding": BESIDE}),
        wide=True,
    )


def _volume(found: Monitoring) -> Iterable[Chart]:
    if not found.seen:
        return
    rows = [
        {"x": each.start, "y": count, "kind": kind}
        for each in found.seen
        for kind, count in (("predictions", each.rows), ("with a label", each.labels))
    ]
    names, colours = ["predictions", "with a label"], [OLD, NEW]
    encoding: Spec = {
        "x": {"field": "x", "type": "temporal", "axis": axis(None, "%b %d")},
        "y": {"field": "y", "type": "quantitative", "axis": axis("rows", count=4)},
        "color": scale("kind", names, colours),
    }
    lines: Spec = {"data": {"values": rows}, "mark": {"type": "line", "strokeWidth": 1.8}, "encoding": encoding}
    yield Chart(
        "volume",
        "Predictions and their labels",
        "How many predictions each period has, and of how many the label is known by now.",
        chart(
            {
                "layer": [lines, legend(names, colours, _WIDTH, 120, "beside")],
                "width": _WIDTH,
                "height": 120,
                "padding": BESIDE,
            }
        ),
        wide=True,
    )


def _since(found: Monitoring) -> list[Spec]:
    starts = sorted({each.since for each in found.alarms if each.cause in {"performance", "calibration"}})
    if not starts:
        return []
    return [
        {
            "data": {"values": [{"x": start} for start in starts]},
            "mark": {"type": "rule", "color": BAD, "strokeWidth": 1.5},
            "encoding": {"x": {"field": "x", "type": "temporal"}},
        }
    ]
