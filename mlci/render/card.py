"""The model card: what a model is for, how good it is, of what it was made, where it ends."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mlci.nouns import units
from mlci.render import view
from mlci.render.html import stylesheet, templates
from mlci.render.text import clean, markdown_code, markdown_fence, markdown_prose, markdown_text

if TYPE_CHECKING:
    from mlci.nouns.bundle import Card, DataUse, DataVersion
    from mlci.nouns.finding import GateEvidence
    from mlci.nouns.report import MetricRow

_LONG = 2_000
_MOST_SLICES = 60
_USES: dict[DataUse, str] = {
    "training": "trained on",
    "testing": "tested on",
    "predictions": "its answers to the test",
    "data": "",
}


class _MetricLine(NamedTuple):
    name: str
    value: str
    interval: str


class _SliceLine(NamedTuple):
    name: str
    rows: str
    metric: str
    value: str
    interval: str
    change: str


class _DataLine(NamedTuple):
    path: str
    use: str
    version: str
    sha256: str
    rows: str
    since: str
    until: str


def folder_name(name: str, version: str) -> str:
    """What a bundle's folder is called: `flights-v1.2.0`; of a model in a folder, without that folder."""
    return f"{name.rpartition(':')[2].replace('/', '-')}-{version}"


def render_card(card: Card) -> str:
    """The card as Markdown, with the front matter that Hugging Face reads."""
    page = _markdown().get_template("card.md.jinja").render(_told(card), front=_front(card))
    return page.strip() + "\n"


def render_card_page(card: Card) -> str:
    """The card as one HTML page that needs nothing else."""
    css = stylesheet()
    environment = templates()
    page = environment.overlay()
    page.filters = {**environment.filters, "clean_long": lambda text: clean(str(text), _LONG)}
    rendered = page.get_template("card.html.jinja").render(
        _told(card),
        css=Markup(css),  # noqa: S704 - our own file
        style_hash=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
        tone=view.VERDICT_TONES[card.verdict.outcome],
    )
    return rendered.strip() + "\n"


def _told(card: Card) -> dict[str, Any]:
    about = card.manifest
    return {
        "about": about,
        "verdict": card.verdict,
        "previous": card.previous,
        "page_size": f"{card.page_bytes / 1e6:.1f} MB" if card.page_bytes else "",
        "notes": card.notes,
        "metrics": [_metric(row) for row in card.metrics if row.new is not None],
        "slices": _slices(card),
        "more_slices": max(len(card.slices) - _MOST_SLICES, 0),
        "data": [_data(one) for one in about.data],
        "example": _example(card),
        "limits": limits_of(card),
        "folder": folder_name(about.name, about.version),
    }


def _metric(row: MetricRow) -> _MetricLine:
    return _MetricLine(
        units.metric_name(row.metric), units.value(row.metric, row.new or 0.0), _interval(row.metric, row.low, row.high)
    )


def _interval(metric: str, low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{units.value(metric, low)} to {units.value(metric, high)}"


def _slices(card: Card) -> list[_SliceLine]:
    """Every slice that the policy names, with what changed since the model before where that was judged."""
    changes = {
        (found.slice, found.metric): found
        for one in card.verdict.findings
        if (found := one.gate) is not None and found.slice is not None and found.kind == "change"
    }
    return [
        _SliceLine(
            one.slice,
            units.count(one.rows),
            units.metric_name(one.metric),
            units.value(one.metric, one.new),
            _interval(one.metric, one.low, one.high),
            _change(changes.get((one.slice, one.metric))),
        )
        for one in card.slices[:_MOST_SLICES]
    ]


def _change(found: GateEvidence | None) -> str:
    if found is None or found.new is None or found.old is None:
        return ""
    said = units.signed(found.metric, found.new - found.old)
    if found.low is None or found.high is None:
        return said
    return f"{said} ({units.signed(found.metric, found.low)} to {units.signed(found.metric, found.high)})"


def _data(one: DataVersion) -> _DataLine:
    rows = units.count(one.rows) if one.rows is not None else ""
    return _DataLine(one.path, _USES[one.use], one.version, one.sha256[:16], rows, one.since[:10], one.until[:10])


def _example(card: Card) -> str:
    """A row and its answer, as JSON."""
    if not card.manifest.examples:
        return ""
    first = card.manifest.examples[0]
    told = {"row": first.inputs, "answer": {"prediction": first.prediction, **first.outputs}}
    return json.dumps(told, indent=2, ensure_ascii=False)


def limits_of(card: Card) -> list[str]:
    """What a reader must know before using it, a sentence each."""
    verdict = card.verdict
    lines = [
        f"Made for: {card.manifest.population}." if card.manifest.population else "For whom it was made is not said."
    ]
    unknown = [one.title for one in verdict.findings if one.outcome in {"inconclusive", "too_small", "not_comparable"}]
    if unknown:
        shown = "; ".join(unknown[:10])
        more = f" and {len(unknown) - 10} more" if len(unknown) > 10 else ""  # noqa: PLR2004 - as many as are shown
        lines.append(f"The test set could not tell: {shown}{more}.")
    lines += [f"Waived: {one.title} ({one.waived})." for one in verdict.findings if one.waived]
    warned = [one.title for one in verdict.findings if one.warns and one.outcome == "fail"]
    if warned:
        lines.append(f"Known not to hold, without blocking: {'; '.join(warned[:10])}.")
    noted = [one.title for one in verdict.findings if one.level == "info" and one.outcome == "fail"]
    if noted:
        lines.append(f"Noted: {'; '.join(noted[:10])}.")
    lines += _weakest(card)
    lines += [
        f"Tested on rows from {one.since[:10]} to {one.until[:10]}: what it does at other times was not tested."
        for one in card.manifest.data
        if one.use == "testing" and one.since
    ]
    needed = [each.name for each in card.manifest.signature.inputs if not each.nullable]
    if needed:
        lines.append(
            f"It answers no row in which one of these is missing: {', '.join(f'`{name}`' for name in needed)}."
        )
    if not any(one.use == "training" for one in card.manifest.data):
        lines.append("What it was trained on is not said: `gate.train` in the policy names the table.")
    lines.append(verdict.footer)
    return [line for line in lines if line]


def _weakest(card: Card) -> list[str]:
    """Of the first metric that slices are measured by, where the model is worst."""
    metric = card.slices[0].metric if card.slices else ""
    whole = next((row.new for row in card.metrics if row.metric == metric), None)
    sign = -1 if units.less_is_better(metric) else 1
    worst = min((one for one in card.slices if one.metric == metric), key=lambda one: sign * one.new, default=None)
    if worst is None or whole is None or sign * worst.new >= sign * whole:
        return []
    interval = _interval(metric, worst.low, worst.high)
    told = f"{units.metric_name(metric)} {units.value(metric, worst.new)}{f' ({interval})' if interval else ''}"
    return [f"Weakest named part: {worst.slice}, {told} against {units.value(metric, whole)} on all rows."]


def _front(card: Card) -> str:
    about = card.manifest
    results = [
        {"type": row.metric, "value": round(row.new, 6), "name": units.metric_name(row.metric)}
        for row in card.metrics
        if row.new is not None
    ]
    kind = "tabular-regression" if about.signature.task == "regression" else "tabular-classification"
    told = {
        "library_name": "onnx",
        "pipeline_tag": kind,
        "tags": ["tabular", "onnx", "mlci"],
        "model-index": [
            {
                "name": f"{about.name} {about.version}",
                "results": [{"task": {"type": kind}, "dataset": {"name": "test", "type": "test"}, "metrics": results}],
            }
        ],
    }
    # JSON is YAML, and needs no thought about what a name may hold.
    return "\n".join(f"{key}: {json.dumps(value, ensure_ascii=True)}" for key, value in told.items())


@cache
def _markdown() -> Environment:
    environment = Environment(  # noqa: S701 - Markdown; every value goes through a filter that makes it inert
        loader=PackageLoader("mlci.render"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "text": lambda text: markdown_text(str(text), _LONG),
        "prose": lambda text: markdown_prose(str(text), _LONG),
        "code": lambda text: markdown_code(str(text)),
        "fence": lambda text: markdown_fence(tuple(str(text).splitlines()), "json"),
    }
    return environment
