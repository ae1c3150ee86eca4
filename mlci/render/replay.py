"""What a replay found: a page in Markdown, a chart, and a few lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.nouns import units
from mlci.render.monitor import TITLES
from mlci.render.text import clean, markdown_code, markdown_prose
from mlci.render.vega import BAD, BESIDE, NEW, OLD, axis, chart, legend, scale

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlci.nouns.replay import Judged, Period, Replayed, Strategy
    from mlci.render.vega import Spec

NAMES: dict[Strategy, str] = {"mlci": "mlci", "never": "never", "always": "every time"}
_COLOURS = (NEW, OLD, BAD)
_PER = 1_000
_WIDTH, _HEIGHT = 640, 280
_MADE = (
    "Made by `mlci replay`; every number is measured by that run. "
    "[How it is done, and how to repeat it](../how-to/replay.md)."
)
_LOOP = (
    "In each later period the model in service answers its rows, labels come, `mlci monitor` looks, `mlci retrain` "
    "decides at the end, and the gate says whether the challenger serves from then on. Beside it: never training "
    "again, and training every time without asking a gate."
)
_DRIFT = (
    "The inputs that moved farthest from what the model in service was tested on. Drift without a loss of performance "
    "asks for nothing."
)
_RIVAL = (
    "The gate was asked about it at the end of every period, whether or not a model was asked for; it never serves."
)
_SIGN = {"pass": "\N{WHITE HEAVY CHECK MARK}", "inconclusive": "\N{WARNING SIGN}", "fail": "\N{CROSS MARK}"}


def amount(metric: str, value: float) -> str:
    """A metric for a reader; a cost is told for 1,000 rows."""
    return f"{_PER * value:,.0f}" if metric == "cost" else f"{value:.3f}"


def unit(metric: str) -> str:
    """What is told, in words."""
    return "cost per 1,000 rows" if metric == "cost" else units.NAMES.get(metric, metric)


def render_terminal(found: Replayed) -> str:
    """The table of costs and what happened, in plain text."""
    metric = found.metric
    lines = [f"{clean(found.model)}: {unit(metric)}, {found.periods[0].name} to {found.periods[-1].name}", ""]
    lines.append(f"{'':10}" + "".join(f"{name:>12}" for name in NAMES.values()) + "  what happened")
    for each in found.periods:
        numbers = "".join(f"{amount(metric, each.served[name].metrics[metric]):>12}" for name in NAMES)
        lines.append(f"{each.name:10}{numbers}  {clean(happened(each))}")
    lines.append(f"{'all':10}" + "".join(f"{amount(metric, found.totals[name]):>12}" for name in NAMES))
    lines.append(f"{'trainings':10}" + "".join(f"{found.trainings[name]:>12}" for name in NAMES))
    return "\n".join(lines) + "\n"


def happened(period: Period) -> str:
    """What the loop did in a period, in a few words."""
    causes = dict.fromkeys(each.cause for each in period.alarms if each.level != "info")
    told = [f"alarm: {' and '.join(causes)}"] if causes else []
    if period.challenger is not None:
        told.append("trained, accepted" if period.accepted else "trained, refused")
    elif period.decision.action == "wait":
        told.append(f"held back: {period.decision.held[0].guard}")
    elif period.drift and period.drift[0].low > period.drift[0].tolerance:
        told.append(f"{period.drift[0].column} drifted, which asks for nothing")
    return "; ".join(told) or "nothing"


def render_markdown(found: Replayed) -> str:
    """The whole page, next to `replay.svg`."""
    metric = found.metric
    first, last = found.periods[0].name, found.periods[-1].name
    lines = [
        f"# {found.model}: {first} to {last}, replayed",
        "",
        _MADE,
        "",
        f"The first model reaches up to {found.first}. {_LOOP}",
        "",
        "![](replay.svg)",
        "",
        _sum(found),
        "",
        *_table(
            ("", *NAMES.values(), "model of mlci", "what happened"),
            [
                (
                    each.name,
                    *(amount(metric, each.served[name].metrics[metric]) for name in NAMES),
                    f"up to {each.served['mlci'].model}",
                    happened(each),
                )
                for each in found.periods
            ]
            + [("**all**", *(f"**{amount(metric, found.totals[name])}**" for name in NAMES), "", "")],
        ),
        "",
        "## What was alarmed",
        "",
        *_alarms(found),
        "",
        "## What was decided",
        "",
        *[f"- **{each.name}**: {markdown_prose(each.decision.headline, 600).rstrip('.')}." for each in found.periods],
        "",
        "## What the gate said",
        "",
        *_gate(found, [(each.name, each.challenger) for each in found.periods]),
        "",
        *_rival(found),
        "## What drifted",
        "",
        _DRIFT,
        "",
        *_table(
            ("", "input", "effect", "at least", "tolerance", "a new model was asked for"),
            [
                (each.name, markdown_code(bar.column), f"{bar.measure.upper()} {bar.value:.2f}", f"{bar.low:.2f}",
                 f"{bar.tolerance:g}", "yes" if each.decision.triggers else "no")
                for each in found.periods
                for bar in each.drift[:1]
            ],
        ),
    ]  # fmt: skip
    return "\n".join(lines).rstrip() + "\n"


def _sum(found: Replayed) -> str:
    told = ", ".join(
        f"{NAMES[name]} {amount(found.metric, found.totals[name])}{_trainings(found, name)}" for name in NAMES
    )
    rows = units.count(sum(each.rows for each in found.periods))
    return f"**{unit(found.metric).capitalize()} over all {rows} rows:** {told}."


def _trainings(found: Replayed, name: Strategy) -> str:
    count = found.trainings[name]
    return f" with {count} training{'' if count == 1 else 's'}" if count else ""


def _alarms(found: Replayed) -> list[str]:
    rows = [
        (
            period.name,
            TITLES[each.cause],
            each.since[:10],
            each.seen[:10],
            "yes" if each.on else "no",
            markdown_prose(each.headline, 400),
        )
        for period in found.periods
        for each in period.alarms
        if each.level != "info"
    ]
    if not rows:
        return ["Nothing."]
    return _table(("", "alarm", "since", "seen", "on at the end", "in words"), rows)


def _gate(found: Replayed, asked: Sequence[tuple[str, Judged | None]]) -> list[str]:
    judged = [(name, each) for name, each in asked if each is not None]
    if not judged:
        return ["Nothing was asked."]
    metric = found.metric
    return _table(
        ("", "", "trained on", f"{unit(metric)}: in service → challenger", "why"),
        [
            (
                name,
                f"{_SIGN[each.outcome]} {'accepted' if each.accepted else 'refused'}",
                f"{units.count(each.trained_rows)} rows",
                f"{amount(metric, each.against[metric])} → {amount(metric, each.metrics[metric])}",
                markdown_prose(each.headline, 400),
            )
            for name, each in judged
        ],
    )


def _rival(found: Replayed) -> list[str]:
    asked = [(each.name, each.rival) for each in found.periods]
    if not any(each for _, each in asked):
        return []
    values = ", ".join(f"`{name}: {value}`" for name, value in found.parameters.items())
    return [
        "## What the gate says of another challenger",
        "",
        f"Made with {values}. {_RIVAL}",
        "",
        *_gate(found, asked),
        "",
    ]


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(header)} |",
        f"|{'---|' * len(header)}",
        *(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows),
    ]


def spec(found: Replayed) -> Spec:
    """The strategies over time, with alarms and what was accepted and refused."""
    metric = found.metric
    scaled = _PER if metric == "cost" else 1
    points = [
        {"name": NAMES[name], "x": each.name, "y": scaled * each.served[name].metrics[metric]}
        for each in found.periods
        for name in NAMES
    ]
    marks = [
        {"x": each.name, "y": scaled * each.served["mlci"].metrics[metric], "what": what}
        for each in found.periods
        for what in _marks(each)
    ]
    kinds = {"alarm": "! alarm", "accepted": "\N{CHECK MARK} accepted", "refused": "\N{MULTIPLICATION X} refused"}
    x = {"field": "x", "type": "ordinal", "axis": {**axis(None, grid=False), "labelAngle": 0}}
    y = {"field": "y", "type": "quantitative", "axis": axis(unit(metric)), "scale": {"zero": False}}
    return chart(
        {
            "width": _WIDTH,
            "height": _HEIGHT,
            "padding": BESIDE,
            "layer": [
                {
                    "data": {"values": points},
                    "encoding": {"x": x, "y": y, "color": scale("name", list(NAMES.values()), _COLOURS)},
                    "layer": [
                        {"mark": {"type": "line", "strokeWidth": 2}},
                        {"mark": {"type": "point", "filled": True, "size": 26, "opacity": 1}},
                    ],
                },
                *(
                    {
                        "data": {"values": [mark for mark in marks if mark["what"] == kind]},
                        "mark": {
                            "type": "text",
                            "fontSize": 12,
                            "fontWeight": 600,
                            "color": NEW,
                            "dy": -12 - 14 * min(place, 1),
                        },
                        "encoding": {"x": x, "y": y, "text": {"value": letter}},
                    }
                    for place, (kind, letter) in enumerate(kinds.items())
                ),
                legend(list(NAMES.values()), _COLOURS, _WIDTH, _HEIGHT, "beside"),
            ],
        }
    )


def _marks(period: Period) -> list[str]:
    found = ["alarm"] if any(each.level == "block" for each in period.alarms) else []
    if period.challenger is not None:
        found.append("accepted" if period.accepted else "refused")
    return found
