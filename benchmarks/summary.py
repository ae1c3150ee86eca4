"""One table of all suites, out of the numbers that they left: `python benchmarks/summary.py [FOLDER]`.

It writes `README.md` in the folder, which is `docs/benchmarks` unless another is named.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median

from benchmarks.common import DOCS, OURS, ratios, spread

WHAT = {
    "checks": "28 checks on a table of 12 columns",
    "drift": "drift of 12 columns against a stored reference",
    "compare": "two models: 50 slices, 6 metrics, with intervals",
    "score": "a table scored by a model",
    "start": "`--help`",
    "loop": "a pull request that changes a parameter",
}
OWN = ("mlci", "python -c pass", "dvc repro, nothing changed", "floor")
"""How names begin that are no rival's: what is ours, and floors that answer nothing."""


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS
    lines = [
        "# Benchmarks",
        "",
        "Made by `benchmarks/summary.py` out of what each suite left here. Every suite is one command, and runs mlci",
        "beside the tools that you might take instead, each in an environment of its own: whole processes, in turns,",
        "so that a busy machine is busy for all. The figures are from different machines and loads: compare within a",
        "page, not between pages. `make bench` runs all suites on your machine.",
        "",
        "Times are medians over the turns, with the smallest and the largest. Below a factor of 1 mlci loses. The",
        "load is the machine's before the suite began: above 1, trust a page's CPU seconds more than its clock.",
        "",
        "| what | mlci: s | peak MB | quickest other | times mlci's | slowest other | times mlci's | turns | load |",
        "|---|---:|---:|---|---:|---|---:|---:|---:|",
    ]
    for name, what in WHAT.items():
        if (file := folder / f"{name}.json").exists():
            result = json.loads(file.read_text())
            lines += [_line(name, what, {**result, **size}) for size in result.get("sizes", [result])]
    if (folder / "serve.json").exists():
        lines += ["", "[A server under load](serve.md) has a page of its own."]
    lines += ["", "Where the time goes, and what was tried and dropped: [Performance](../explanation/performance.md)."]
    (folder / "README.md").write_text("\n".join(lines) + "\n")


def _line(name: str, what: str, size: dict) -> str:
    runs = size["runs"]
    others = sorted((one for one in runs if not one.startswith(OWN)), key=lambda one: median(ratios(runs, one)))
    told = [f"{size['rows']:,} rows"] if "rows" in size else []
    told += ["CSV"] if size.get("format") == "csv" else []
    cells = [
        f"[{what}]({name}.md){': ' if told else ''}{', '.join(told)}",
        spread(runs[OURS]["wall"]),
        f"{max(runs[OURS]['memory']):,.0f}",
    ]
    for other in (others[0], others[-1]) if others else ():
        cells += [other, spread(ratios(runs, other))]
    load = f"{size['load_before']:.1f}" if "load_before" in size else "?"
    return f"| {' | '.join([*cells, str(len(runs[OURS]['wall'])), load])} |"


if __name__ == "__main__":
    main()
