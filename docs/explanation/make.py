"""Fill the tables of guarantees.md and draw its plots, out of simulations.json: `python docs/explanation/make.py`.

`MLCI_UPDATE_DOCS=1 pytest tests/judge -m statistics` writes that file; each later run of those tests must find the same
numbers again.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tables import LAYOUTS, TABLES, Cell, Numbers, between, filled

from mlci.render.vega import BAD, COLOURS, INK, NEW, OLD, Spec, axis, chart, dashed, legend, scale

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["PAGE", "PLOTS", "TABLES", "filled", "main", "mark_of", "spec_text"]

HERE = Path(__file__).parent
PAGE, FILE, IMAGES = HERE / "guarantees.md", HERE / "simulations.json", HERE.parent / "images"
CSS = HERE.parents[1] / "mlci/render/templates/report.css"
ALPHA = 0.05
WIDTH, HEIGHT = 560, 260


def _points(rows: Iterable[tuple[str, float, Cell]]) -> list[dict[str, object]]:
    return [
        {"name": name, "x": x, "y": cell[0] / cell[1], "low": between(cell)[0], "high": between(cell)[1]}
        for name, x, cell in rows
    ]


def _lines(
    points: list[dict[str, object]],
    names: Sequence[str],
    x: Spec,
    y: str,
    ends: tuple[float, float],
    top: int = 0,
    most: float = 1.0,
) -> Spec:
    """Lines with their Monte-Carlo intervals, the names in a corner, and alpha dashed."""
    colours = (NEW, OLD, BAD)[: len(names)]
    across = {"field": "x", "type": "quantitative", **x}
    up = {"field": "y", "type": "quantitative", "axis": axis(y, "%"), "scale": {"domain": [0, most]}}
    colour = scale("name", names, colours)
    bars = {"low": {"field": "low", "type": "quantitative"}, "high": {"field": "high"}}
    return chart(
        {
            "width": WIDTH,
            "height": HEIGHT,
            "layer": [
                dashed([{"x": end, "y": ALPHA} for end in ends]),
                {
                    "data": {"values": points},
                    "encoding": {"x": across, "color": colour},
                    "layer": [
                        {
                            "mark": {"type": "rule", "strokeWidth": 1.5},
                            "encoding": {"y": bars["low"] | {"title": y}, "y2": bars["high"]},
                        },
                        {"mark": {"type": "line", "strokeWidth": 2}, "encoding": {"y": up}},
                        {"mark": {"type": "point", "filled": True, "size": 22, "opacity": 1}, "encoding": {"y": up}},
                    ],
                },
                legend(names, colours, WIDTH, top + 52, "bottom"),
            ],
        }
    )


def power_plot(numbers: Numbers) -> Spec:
    names = {"fails": "mlci", "compared": "new >= old", "threshold": "drop > 1 point"}
    rows = [
        (words, 100 * float(case.split(", ")[2]), cells[name])
        for case, cells in numbers["power"].items()
        if case.startswith("2000, 0.05, ")
        for name, words in names.items()
    ]
    x = {"axis": axis("true change of the accuracy, in points", count=8), "scale": {"domain": [-3, 2], "nice": False}}
    return _lines(_points(sorted(rows)), [*names.values()], x, "blocked", (-3, 2))


def retries_plot(numbers: Numbers) -> Spec:
    names = {"budget": "critical, 50 planned", "without": "ordinary", "threshold": "drop > 1 point"}
    rows = [
        (words, float(case.split(", ")[2]), cells[name])
        for case, cells in numbers["retries"].items()
        if case.startswith("2000, 0.05, ")
        for name, words in names.items()
    ]
    x = {"axis": axis("tries of models that are a point worse"), "scale": {"domain": [0, 50]}}
    return _lines(_points(sorted(rows)), [*names.values()], x, "at least one passed", (0, 50), top=120)


def looks_plot(numbers: Numbers) -> Spec:
    names = {"counted": "each look spends half", "uncounted": "each look at 5 %"}
    rows = [
        (words, float(case.split(", ")[1]), cells[name])
        for case, cells in numbers["looks"].items()
        if case.startswith("new models, ")
        for name, words in names.items()
    ]
    x = {"axis": axis("looks of one pull request", count=10), "scale": {"domain": [1, 10], "nice": False}}
    return _lines(_points(sorted(rows)), [*names.values()], x, "blocked at least once", (1, 10), most=0.4)


def slices_plot(numbers: Numbers) -> Spec:
    """False blocks of every layout with their Monte-Carlo intervals against alpha."""
    found = numbers["false discoveries"]["5 of 20 slices bad"]
    rows = [(words, 0.0, numbers["slices"][name]["ours"]) for name, words in LAYOUTS.items()]
    bad = "a good slice beside 5 bad ones"
    rows += [(bad, 0.0, found["ours"]), ("the same, by Benjamini–Hochberg", 0.0, found["theirs"])]
    points = _points(rows)
    order = [row[0] for row in rows]
    y = {"field": "name", "type": "nominal", "sort": order, "axis": axis(None, grid=False) | {"labelLimit": 400}}
    x = {
        "type": "quantitative",
        "axis": axis("at least one slice is blocked falsely", "%"),
        "scale": {"domain": [0, 0.25]},
    }
    colour = {"condition": {"test": "datum.low > 0.05", "value": BAD}, "value": NEW}
    return chart(
        {
            "width": 360,
            "height": 200,
            "layer": [
                {
                    "data": {"values": [{"alpha": ALPHA}]},
                    "mark": {"type": "rule", "strokeDash": [4, 3], "color": INK},
                    "encoding": {"x": {"field": "alpha", "type": "quantitative"}},
                },
                {
                    "data": {"values": points},
                    "encoding": {"y": y, "color": colour},
                    "layer": [
                        {
                            "mark": {"type": "rule", "strokeWidth": 2},
                            "encoding": {"x": {"field": "low", **x}, "x2": {"field": "high"}},
                        },
                        {
                            "mark": {"type": "point", "filled": True, "size": 50, "opacity": 1},
                            "encoding": {"x": {"field": "y", **x}},
                        },
                    ],
                },
            ],
        }
    )


PLOTS = {
    "gate-power": power_plot,
    "gate-slices": slices_plot,
    "gate-retries": retries_plot,
    "gate-looks": looks_plot,
}


def spec_text(name: str, numbers: Numbers) -> str:
    return json.dumps(PLOTS[name](numbers), sort_keys=True)


def mark_of(spec: str) -> str:
    """What a drawing says of the numbers that it was made of."""
    return f"<!-- of {hashlib.sha256(spec.encode()).hexdigest()} -->"


def themed(svg: str) -> str:
    """A drawing with a ground of its own that follows the reader's system into the dark, as the HTML report does."""
    of_the_report = CSS.read_text(encoding="utf-8").split("prefers-color-scheme: dark", 1)[1].split("}", 1)[0]
    dark = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+)", of_the_report))
    rules = [
        f'[{paint}="{colour}"]{{{paint}:{dark[name]}}}'
        for name, colour in COLOURS.items()
        for paint in ("fill", "stroke")
    ]
    night = f".ground{{fill:{dark['page']}}}{''.join(rules)}"
    style = f"<style>.ground{{fill:#fff}}@media (prefers-color-scheme:dark){{{night}}}</style>"
    ground = '<rect class="ground" width="100%" height="100%"/>'
    return re.sub(r"(<svg[^>]*>)", lambda found: f"{found[1]}{style}{ground}", svg, count=1)


def main() -> None:
    """Write the page and the plots."""
    from mlci.edges.vega import render_svgs  # noqa: PLC0415 - the tables need no drawing engine

    numbers = json.loads(FILE.read_text(encoding="utf-8"))
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), numbers), encoding="utf-8")
    specs = {name: spec_text(name, numbers) for name in PLOTS}
    for name, svg in render_svgs(specs).items():
        (IMAGES / f"{name}.svg").write_text(f"{themed(svg)}\n{mark_of(specs[name])}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
