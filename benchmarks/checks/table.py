"""The benchmark's result as a Markdown page, with the targets that it must hold."""

from __future__ import annotations

from statistics import median

OURS = "mlci"
TARGETS = (
    # contestant, how much of its time mlci may take, rows from which the target holds
    ("best design by hand", 1.5, 10_000_000),
    ("naive SQL", 0.6, 10_000_000),
    ("Pandera on Polars", 1 / 1.6, 10_000_000),
    ("Soda 4", 1 / 2, 10_000_000),
    ("Great Expectations", 1 / 10, 10_000_000),
    ("Evidently", 1 / 10, 10_000_000),
)
MEMORY = 512
VIOLATING, VIOLATING_LIMIT = "mlci, all violating", 1.3


def markdown(result: dict) -> str:
    """The whole page."""
    lines = [
        "# 28 checks on a table of 12 columns",
        "",
        "Made by `make bench` (`benchmarks/checks/run.py`). Every contestant is a whole process, from its start to",
        "its answer; all take turns, and a ratio is the median over the turns of its time divided by mlci's in the",
        "same turn (smallest to largest in brackets). Before it was timed, each gave the right answers on a passing",
        "table and on one that breaks all 28 checks.",
        "",
        f"Machine: {result['machine']}; load before: {result['load_before']:.1f}; turns: {result['repeat']}.",
    ]
    for size in result["sizes"]:
        lines += ["", f"## {size['rows']:,} rows", "", *_table(size), *_targets(size)]
        lines += [f"- skipped {name}: {reason}" for name, reason in size["skipped"].items()]
    return "\n".join(lines) + "\n"


def _table(size: dict) -> list[str]:
    runs = size["runs"]
    lines = ["| contestant | seconds | CPU seconds | peak MB | times mlci's |", "|---|---:|---:|---:|---:|"]
    for name in sorted(runs, key=lambda name: median(runs[name]["wall"])):
        run = runs[name]
        wall = f"{median(run['wall']):.2f} ({min(run['wall']):.2f}-{max(run['wall']):.2f})"
        shown = f"**{name}**" if name == OURS else name
        lines.append(
            f"| {shown} | {wall} | {median(run['cpu']):.2f} | {max(run['memory']):,.0f} | {_ratio_text(runs, name)} |"
        )
    return lines


def _ratios(runs: dict, name: str, of: str = OURS) -> list[float]:
    """Time of `name` divided by that of `of`, turn by turn."""
    return [mine / theirs for mine, theirs in zip(runs[name]["wall"], runs[of]["wall"], strict=True)]


def _ratio_text(runs: dict, name: str) -> str:
    if OURS not in runs or name == OURS:
        return ""
    ratios = _ratios(runs, name)
    return f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"


def _targets(size: dict) -> list[str]:
    runs = size["runs"]
    if OURS not in runs:
        return []
    lines = [""]
    for name, limit, rows in TARGETS:
        if name in runs and size["rows"] >= rows:
            lines.append(_line(f"time of {name}", median(_ratios(runs, OURS, name)), limit))
    if VIOLATING in runs:
        lines.append(_line("time when all checks fail, of passing", median(_ratios(runs, VIOLATING)), VIOLATING_LIMIT))
    memory = max(run for name in (OURS, VIOLATING) if name in runs for run in runs[name]["memory"])
    return [*lines, _line("peak memory in MB", memory, MEMORY)]


def _line(what: str, value: float, limit: float) -> str:
    return f"- {'held' if value <= limit else '**missed**'}: {what}: {value:.3g}, target at most {limit:.3g}"
