"""The benchmark's result as a Markdown page, with the targets that it must hold."""

from __future__ import annotations

from statistics import median

from benchmarks.common import OURS, about, ratios, rows_of

TARGETS = (
    # contestant, how much of its time mlci may take, rows from which the target holds
    ("best design by hand", 1.25, 10_000_000),
    ("Polars by hand", 1, 10_000_000),
    ("naive SQL", 0.6, 10_000_000),
    ("Pandera on Polars", 1 / 1.6, 10_000_000),
    ("Soda 4", 1 / 2, 10_000_000),
    ("Great Expectations", 1 / 10, 10_000_000),
    ("Evidently", 1 / 10, 10_000_000),
)
MEMORY, MEMORY_BEYOND = 512, 1000
LARGE = 10_000_000
GROWTH = 1.2
"""The most that ten times the rows may take, of ten times the time."""
NAMES = {"parquet": "Parquet", "csv": "CSV"}
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
        "![Seconds of each contestant](checks.svg)",
    ]
    for size in result["sizes"]:
        told = about(size["machine"], size["load_before"], size["repeat"])
        lines += [
            "",
            f"## {size['rows']:,} rows, {NAMES[size['format']]}",
            "",
            told,
            "",
            *rows_of(size["runs"]),
            *_targets(size),
        ]
        lines += [f"- skipped {name}: {reason}" for name, reason in size["skipped"].items()]
    return "\n".join([*lines, *_growth(result["sizes"])]) + "\n"


def _targets(size: dict) -> list[str]:
    runs = size["runs"]
    if OURS not in runs:
        return []
    lines = [""]
    for name, limit, rows in TARGETS:
        if name in runs and size["rows"] >= rows:
            lines.append(_line(f"time of {name}", median(ratios(runs, OURS, name)), limit))
    if VIOLATING in runs:
        lines.append(_line("time when all checks fail, of passing", median(ratios(runs, VIOLATING)), VIOLATING_LIMIT))
    memory = max(run for name in (OURS, VIOLATING) if name in runs for run in runs[name]["memory"])
    return [*lines, _line("peak memory in MB", memory, MEMORY if size["rows"] <= LARGE else MEMORY_BEYOND)]


def _growth(sizes: list[dict]) -> list[str]:
    """How time grows from ten to a hundred million rows."""
    wall = {size["rows"]: median(size["runs"][OURS]["wall"]) for size in sizes if size["format"] == "parquet"}
    if not {LARGE, 10 * LARGE} <= set(wall):
        return []
    ratio = wall[10 * LARGE] / (10 * wall[LARGE])
    return ["", _line("time of 100,000,000 rows, of ten times that of 10,000,000", ratio, GROWTH)]


def _line(what: str, value: float, limit: float) -> str:
    return f"- {'held' if value <= limit else '**missed**'}: {what}: {value:.3g}, target at most {limit:.3g}"
