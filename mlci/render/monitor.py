"""What a look found, for terminals, as Markdown, and as Prometheus text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.nouns import units
from mlci.render.text import clean, markdown_code, markdown_prose, markdown_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlci.nouns.alarm import Alarm, Cause
    from mlci.nouns.monitoring import Monitoring, Shown

_MOST = 12
_BAR = 10
TITLES: dict[Cause, str] = {
    "performance": "performance has changed",
    "calibration": "scores no longer mean what they say",
    "score": "scores have drifted",
    "drift": "inputs have drifted",
    "data": "inputs break what the policy promises",
    "staleness": "something is older than it may be",
    "software": "the service is out of its limits",
}
SIGNS = {"block": "\N{CROSS MARK}", "warn": "\N{WARNING SIGN}", "info": "\N{INFORMATION SOURCE}"}
WHAT_TO_DO: dict[Cause, str] = {
    "performance": "See slices and inputs below for what changed. If production is right, retrain on newer labels.",
    "calibration": "Decisions rest on what scores mean: retrain or calibrate anew before you trust them.",
    "score": "Other scores come from other inputs or another model: compare with the inputs that drifted.",
    "drift": "Drift alone is no loss of performance. See whether the source is right; retrain if labels show a loss.",
    "data": "See whether the source has changed or broken. Correct it, or change the promise in the policy.",
    "staleness": "See whether predictions and labels still reach the log, and whether the model is due for retraining.",
    "software": "Look at the service: its log, its load and what calls it.",
}


def sign(found: Monitoring) -> str:
    """One character for the state."""
    levels = [each.level for each in found.alarms]
    return next((SIGNS[level] for level in ("block", "warn") if level in levels), "\N{WHITE HEAVY CHECK MARK}")


def render_terminal(found: Monitoring) -> str:
    """The state in a few lines."""
    lines = [f"{sign(found)} {clean(found.headline)}", ""]
    lines.append(f"{found.since[:10]} to {found.until[:10]}: {counts(found)}")
    for each in found.alarms:
        lines += ["", f"{SIGNS[each.level]} {TITLES[each.cause]}, since {each.since[:10]}"]
        lines += [f"    {clean(one.message)}" for one in each.raised[:_MOST]]
        if len(each.raised) > _MOST:
            lines.append(f"    and {len(each.raised) - _MOST} more")
        lines.append(f"    mend: {WHAT_TO_DO[each.cause]}")
    if found.streams:
        lines += ["", "nearest to an alarm:"]
        width = max(len(clean(each.name)) for each in found.streams[:5])
        lines += [f"    {clean(each.name):{width}} {bar(each)} {_full(each)}" for each in found.streams[:5]]
    lines += ["", *(clean(line) for line in footer(found))]
    return "\n".join(lines) + "\n"


def counts(found: Monitoring) -> str:
    """How much was counted, in words."""
    told = f"{units.count(found.rows)} predictions, {units.count(found.labels)} with a label"
    if found.due:
        told += f"; of those that are due {100 * found.due_labels / found.due:.0f} %"
    return told + (f"; {units.count(found.late)} came too late to be counted" if found.late else "")


def bar(shown: Shown) -> str:
    """How much of the evidence that an alarm takes is there."""
    filled = min(max(round(_BAR * shown.full), 0), _BAR)
    return "\N{FULL BLOCK}" * filled + "\N{LIGHT SHADE}" * (_BAR - filled)


def _full(shown: Shown) -> str:
    if shown.alarmed:
        return "alarm"
    return f"{max(100 * shown.full, 0):.0f} % of the evidence of an alarm"


def footer(found: Monitoring) -> tuple[str, ...]:
    """What the look promises."""
    days = found.horizon
    promised = (
        f"Where nothing changes, any of these {len(found.streams)} streams alarms in at most {100 * found.alpha:g} of "
        f"100 spans of {days:g} days, however often one looks."
    )
    return (promised,)


def render_markdown(found: Monitoring) -> str:
    """The whole report."""
    lines = [f"## {sign(found)} {markdown_prose(found.headline)}", ""]
    lines += [f"{found.since[:10]} to {found.until[:10]}: {counts(found)}.", ""]
    for each in found.alarms:
        lines += [f"### {SIGNS[each.level]} {TITLES[each.cause].capitalize()}, since {each.since[:10]}", ""]
        lines += [*raised(each), "", WHAT_TO_DO[each.cause], ""]
    lines += tables(found)
    lines += [f"<sub>{markdown_text(line)}</sub>" for line in footer(found)]
    return "\n".join(lines).rstrip() + "\n"


def raised(alarm: Alarm) -> list[str]:
    """What raised an alarm, as a list."""
    lines = [f"- {markdown_prose(one.message, 500)} (since {one.since[:10]})" for one in alarm.raised[:_MOST]]
    if len(alarm.raised) > _MOST:
        lines.append(f"- and {len(alarm.raised) - _MOST} more")
    return lines


def tables(found: Monitoring) -> list[str]:
    """What explains the alarms, folded."""
    return [
        *_table(
            "What is nearest to an alarm",
            ("stream", "evidence", "explained by", "reference", "now"),
            (
                (
                    markdown_code(each.name, 80),
                    f"{bar(each)} {markdown_text(_full(each))}",
                    markdown_code(each.part, 60) if each.part and each.part != each.name else "",
                    _number(each.reference),
                    _number(each.now),
                )
                for each in found.streams[:_MOST]
            ),
        ),
        *_table(
            f"Where {found.metric} changed most",
            ("slice", "rows with a label", "reference", "now", "standard errors"),
            (
                (
                    markdown_code(each.slice, 80),
                    units.count(each.rows),
                    _number(each.reference),
                    _number(each.now),
                    f"{each.z:+.1f}",
                )
                for each in found.slices[:_MOST]
                if abs(each.z) >= 1
            ),
        ),
        *_table(
            "Which inputs moved most",
            ("input", "effect", "at least", "tolerated"),
            (
                (
                    markdown_code(each.column, 80),
                    f"{each.measure.upper()} {each.value:.3g}",
                    f"{each.low:.3g}",
                    f"{each.tolerance:g}",
                )
                for each in found.drift[:_MOST]
            ),
        ),
        *_estimates(found),
    ]


def _estimates(found: Monitoring) -> list[str]:
    """The last periods, estimated before their labels came, and what it really was."""
    known = [each for each in found.seen if each.estimate is not None][-7:]
    return _table(
        f"{found.metric} before and after labels came",
        ("period", "predictions", "labels", "estimated", "really", "inside"),
        (
            (
                each.start[:10],
                units.count(each.rows),
                units.count(each.labels),
                f"{each.estimate.value:.3g} ({each.estimate.low:.3g} to {each.estimate.high:.3g})",
                _number(each.realised),
                ""
                if each.realised is None
                else "yes"
                if each.estimate.low <= each.realised <= each.estimate.high
                else "no",
            )
            for each in known
            if each.estimate is not None
        ),
    )


def _table(title: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        return []
    head = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    return ["<details>", f"<summary>{markdown_text(title)}</summary>", "", *head, *lines, "", "</details>", ""]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def webhook_text(title: str, said: str, url: str) -> str:
    """What a channel is told: plain text in which nobody finds a mention, link or markup but ours.

    Args:
        title: Of the issue.
        said: What has happened; names in it may be hostile.
        url: Of the issue, by the forge.
    """
    lines = [_inert(title), _inert(said)]
    return "\n".join([*lines, url] if url.startswith("https://") and " " not in url else lines)


def _inert(text: str) -> str:
    shown = clean(text, 600).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # A mention, a mark or an address needs its sign next to a letter.
    return "".join(f"{letter}\N{ZERO WIDTH NON-JOINER}" if letter in "@*_~`/." else letter for letter in shown)


def render_prometheus(found: Monitoring) -> str:
    """Gauges for the textfile collector of Prometheus' node exporter."""
    model = _label(found.model)
    lines = [
        *_gauge(
            "mlci_monitor_healthy", "Whether no alarm that blocks is on.", [(f"model={model}", int(found.healthy))]
        ),
        *_gauge("mlci_monitor_predictions", "Predictions counted.", [(f"model={model}", found.rows)]),
        *_gauge("mlci_monitor_labels", "Labels known of them.", [(f"model={model}", found.labels)]),
        *_gauge(
            "mlci_monitor_alarm",
            "Alarms that are on.",
            [(f'model={model},cause="{each.cause}",level="{each.level}"', 1) for each in found.alarms],
        ),
        *_gauge(
            "mlci_monitor_evidence",
            "How much of the evidence that an alarm takes is there, on a log scale.",
            [(f"model={model},stream={_label(each.name)}", round(each.full, 6)) for each in found.streams],
        ),
    ]
    for each in found.seen[-1:]:
        lines += _gauge(
            "mlci_monitor_metric",
            "Means over the labels that came in the last period.",
            [(f"model={model},metric={_label(name)}", value) for name, value in sorted(each.means.items())],
        )
    return "\n".join(lines) + "\n"


def _gauge(name: str, told: str, values: list[tuple[str, float]]) -> list[str]:
    if not values:
        return []
    return [
        f"# HELP {name} {told}",
        f"# TYPE {name} gauge",
        *(f"{name}{{{labels}}} {value:g}" for labels, value in values),
    ]


def _label(text: str) -> str:
    escaped = clean(text).replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'
