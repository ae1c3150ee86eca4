"""The report as one page that needs nothing else: no script, no network, light and dark, narrow and printed."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from mlci.nouns import units
from mlci.render import recipe, told, view
from mlci.render.charts import charts
from mlci.render.run_folds import parts
from mlci.render.svg import inline
from mlci.render.text import clean, spans
from mlci.render.told_charts import told_charts
from mlci.render.vega import COLOURS, Chart

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlci.nouns.report import Report

_MOST_CELL = 200


def render_html(report: Report, svgs: Mapping[str, str]) -> str:
    """The whole report as a page.

    Args:
        report: What to show; every text in it is escaped.
        svgs: The drawn charts by the names that `charts.specs` gave them; what is absent is not shown.

    Raises:
        ValueError: A chart is no SVG.
    """
    drawn, told_drawn = (
        [(item, _drawing(item, svgs[item.name])) for item in every if item.name in svgs]
        for every in (charts(report.charts), told_charts(report))
    )
    css = stylesheet()
    rows = view.ordered(report.verdict.findings)
    page = (
        templates()
        .get_template("report.html.jinja")
        .render(
            report=report,
            verdict=report.verdict,
            tone=view.VERDICT_TONES[report.verdict.outcome],
            rows=rows,
            matter=view.matter(rows),
            data_rows=[row for row in rows if row.finding.area == "data"],
            gate_rows=[row for row in rows if row.finding.area == "gate"],
            pipeline_rows=[row for row in rows if row.finding.area == "pipeline"],
            ended=[row for row in rows if row.finding.output],
            parts=parts(report.timing),
            broken=[row for row in rows if row.finding.data is not None and row.finding.data.examples],
            baselines=list(dict.fromkeys(name for row in report.metrics for name in row.old)),
            charts=drawn,
            told_charts={item.name: (item, svg) for item, svg in told_drawn},
            told=told,
            css=Markup(css),  # noqa: S704 - our own file
            # A hash allows this one style and no other, so that no inline style can be smuggled in.
            style_hash=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
            recipe=recipe,
            view=view,
            units=units,
        )
    )
    return page.strip() + "\n"


def _drawing(chart: Chart, svg: str) -> Markup:
    return Markup(inline(svg, chart.name, chart.title))  # noqa: S704 - only drawing elements are left


@cache
def templates() -> Environment:
    """The templates, which come with the package; everything is escaped unless we say otherwise."""
    environment = Environment(
        loader=PackageLoader("mlci.render"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"clean": _shown, "prose": _prose, "count": units.count}
    return environment


def stylesheet() -> str:
    """The style, with a rule for each colour of the charts, so that they follow the page into the dark."""
    rules = [
        f'svg [{paint}="{colour}"] {{ {paint}: var(--{name}); }}'
        for name, colour in COLOURS.items()
        for paint in ("fill", "stroke")
    ]
    source = templates().get_template("report.css").render()
    return "\n" + "\n".join([source.strip(), *rules]) + "\n"


def _shown(text: object) -> str:
    return clean(str(text), _MOST_CELL)


def _prose(text: str) -> Markup:
    """A sentence in which names between backticks are code."""
    parts = (Markup("<code>{}</code>").format(part) if code else escape(part) for code, part in spans(clean(text)))
    return Markup("").join(parts)
