"""The benchmark's result as a Markdown page and a plot, with the targets that it must hold."""

from __future__ import annotations

import json
from statistics import median
from typing import TYPE_CHECKING

from contestants import HELLO, OURS

from mlci.edges.vega import render_svgs
from mlci.render.vega import NEW, OLD, axis, chart, names

if TYPE_CHECKING:
    from collections.abc import Sequence

BUSY = "32"
TICKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]
TARGETS = (
    # whose requests per second, as a multiple of whose, at least
    (OURS, "FastAPI", 4.0),
    (OURS, "MLServer", 10.0),
    (OURS, "KServe", 10.0),
    ("mlci, log before reply", OURS, 0.4),
)


def markdown(result: dict) -> str:
    """The whole page."""
    runs = result["runs"]
    busy = result["load_before"]
    lines = [
        "# Serving a model: requests per second and latency",
        "",
        "Made by `make bench` (`benchmarks/serve/run.py`). Every server answers one row of the reference project's",
        "model (19 inputs, 3 of them texts) per request, over HTTP on the loopback, with one worker and one thread for",
        "the model. All run at once and are loaded in turns, in an order that is turned around from turn to turn;",
        "ratios are taken within a turn. Shown are medians over the turns, smallest and largest in brackets.",
        "Before it was timed, each server gave the same scores to 64 rows.",
        "",
        f"Machine: {result['machine']}; load before: {busy:.1f}; turns: {result['turns']}, each of",
        f"{result['seconds']:g} s per server and concurrency.",
    ]
    if busy > 1:
        lines += [
            "",
            "**The machine was busy with other work**, so rates and latencies say more of that than of the servers.",
            "Believe the CPU time of a request: what a core that is free would spend on it, and a little more, because",
            "the others' work empties its caches.",
        ]
    lines += ["", "![Requests per second at 32 connections](../images/serve.svg)"]
    for concurrency in next(iter(runs.values())):
        plural = "s" if concurrency != "1" else ""
        lines += ["", f"## {concurrency} connection{plural}", "", *_table(runs, concurrency)]
    lines += ["", "## Targets, at 32 connections", "", *_targets(runs)]
    lines += ["", "## Where our time goes", "", *_parts(result)]
    lines += ["", "## Who took part", "", *_who(result)]
    return "\n".join(lines) + "\n"


def _table(runs: dict, concurrency: str) -> list[str]:
    lines = [
        "| server | requests/s | mlci's / theirs | p50 ms | p99 ms | mlci's p99 / theirs | CPU µs | theirs / mlci's |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name in sorted(runs, key=lambda name: -median(_of(runs, name, concurrency, "rate"))):
        shown = f"**{name}**" if name == OURS else name
        cells = [
            _spread(_of(runs, name, concurrency, "rate"), ",.0f"),
            "" if name == OURS else _spread(_ratios(runs, OURS, name, concurrency, "rate"), ".2f"),
            *(f"{median(_of(runs, name, concurrency, key)) * 1e3:.2f}" for key in ("p50", "p99")),
            "" if name == OURS else _spread(_ratios(runs, OURS, name, concurrency, "p99"), ".2f"),
            f"{median(_of(runs, name, concurrency, 'cpu')) * 1e6:,.0f}",
            "" if name == OURS else _spread(_ratios(runs, name, OURS, concurrency, "cpu"), ".2f"),
        ]
        lines.append(f"| {shown} | {' | '.join(cells)} |")
    return lines


def _of(runs: dict, name: str, concurrency: str, key: str) -> list[float]:
    return [turn[key] for turn in runs[name][concurrency]]


def _ratios(runs: dict, name: str, of: str, concurrency: str, key: str) -> list[float]:
    """Of `name` divided by that of `of`, turn by turn."""
    mine, theirs = _of(runs, name, concurrency, key), _of(runs, of, concurrency, key)
    return [one / other for one, other in zip(mine, theirs, strict=True)]


def _spread(values: Sequence[float], form: str) -> str:
    return f"{median(values):{form}} ({min(values):{form}}-{max(values):{form}})"


def _targets(runs: dict) -> list[str]:
    lines = []
    for name, of, least in TARGETS:
        if name not in runs or of not in runs:
            continue
        for what, ratios in (
            ("requests/s", _ratios(runs, name, of, BUSY, "rate")),
            ("requests per CPU second", _ratios(runs, of, name, BUSY, "cpu")),
        ):
            value = median(ratios)
            held = "held" if value >= least else "**missed**"
            lines.append(f"- {held}: {what} of {name}, as a multiple of {of}: {value:.2f}; target: {least:g}")
    return lines


def _parts(result: dict) -> list[str]:
    """Steps by themselves, and what is left of a request's CPU time."""
    found = {name: median(values) * 1e6 for name, values in result["parts"].items()}
    lines = [
        "CPU time of each step, measured by itself in a process of its own.",
        "",
        "| step | µs per request |",
        "|---|---:|",
        *(f"| {name} | {micro:.1f} |" for name, micro in found.items()),
        "",
        "The whole, as the servers' processes took it while they were loaded:",
        "",
        "| | µs per request, 1 connection | 32 connections |",
        "|---|---:|---:|",
    ]
    runs = result["runs"]
    whole = {name: [_micro(runs, name, at) for at in ("1", BUSY)] for name in runs}
    steps = found["read and check the row"] + found["write the answer"] + found["id and counts"]
    around = [name for name in found if name.startswith("the model and around it")]
    inside = [steps + found[name] for name in around]
    rest = [one - step for one, step in zip(whole[OURS], inside, strict=True)]
    before, behind = whole["mlci, log before reply"], whole["mlci, log behind"]
    lines += [
        _line("the steps above, but for the log's", inside),
        _line("the rest: HTTP, the socket, limits of time and size, waiting together, context switches", rest),
        _line(f"**{OURS}**", whole[OURS]),
        _line("to compare: the bare server, which has a task for each request, as we have none", whole[HELLO]),
        _line("the log behind, on top", [one - two for one, two in zip(behind, whole[OURS], strict=True)]),
        _line("the log before the reply, on top", [one - two for one, two in zip(before, whole[OURS], strict=True)]),
    ]
    return lines


def _micro(runs: dict, name: str, concurrency: str) -> float:
    return median(_of(runs, name, concurrency, "cpu")) * 1e6


def _line(what: str, micros: Sequence[float]) -> str:
    return f"| {what} | {' | '.join(f'{each:,.0f}' for each in micros)} |"


def _who(result: dict) -> list[str]:
    packages = result["packages"]
    lines = [
        f"- {name}{f' (`{packages[name]}`)' if name in packages else ''}: {what}"
        for name, what in result["what"].items()
    ]
    return [*lines, *(f"- skipped {name}: {reason}" for name, reason in result["skipped"].items())]


def plot(result: dict) -> str:
    """Requests per second at 32 connections as a multiple of FastAPI's, or of the bare server's."""
    runs = result["runs"]
    by = "FastAPI" if "FastAPI" in runs else HELLO
    points = []
    for name in runs:
        ratios = _ratios(runs, name, by, BUSY, "rate")
        points.append({"name": name, "low": min(ratios), "high": max(ratios), "middle": median(ratios)})
    order = [each["name"] for each in sorted(points, key=lambda each: -each["middle"])]
    y = {"field": "name", "type": "nominal", "sort": order, "axis": names(order)}
    ends = [min(each["low"] for each in points) * 0.9, max(each["high"] for each in points) * 1.1]
    marks = axis(f"requests/s at {BUSY} connections, as a multiple of {by}'s") | {"values": TICKS, "format": "~g"}
    x = {"type": "quantitative", "axis": marks, "scale": {"type": "log", "domain": ends, "nice": False}}
    colour = {"condition": {"test": f"indexof(datum.name, '{OURS}') == 0", "value": NEW}, "value": OLD}
    spec = chart(
        {
            "background": "white",
            "width": 380,
            "height": 22 * len(points),
            "data": {"values": points},
            "encoding": {"y": y, "color": colour},
            "layer": [
                {
                    "mark": {"type": "rule", "strokeWidth": 2},
                    "encoding": {"x": {"field": "low", **x}, "x2": {"field": "high"}},
                },
                {
                    "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
                    "encoding": {"x": {"field": "middle", **x}},
                },
            ],
        }
    )
    return render_svgs({"serve": json.dumps(spec, sort_keys=True)})["serve"]
