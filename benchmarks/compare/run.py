"""Time `mlci compare` on a million predictions, 50 slices and 6 metrics, beside the naive way.

    python benchmarks/compare/run.py --rows 1_000_000 --slices 3

The naive way is what people write by hand: pandas `groupby`, scikit-learn's metrics, and `scipy.stats.bootstrap` for
the intervals, with 999 resamples. It is too slow to be run whole: it is timed for the points of all rows and slices,
and for the intervals of some slices; the intervals of the other slices, and of all rows, are extrapolated in proportion
to their rows. That favours the naive way, whose time grows a little faster than the rows.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from benchmarks.common import DOCS, OURS, ROOT, Job, about, in_turns, machine, ours, rows_of, write

HERE = Path(__file__).parent
CACHE = ROOT / ".cache" / "bench" / "compare"
POINTS, LIMIT = "naive: points only, no interval", 2_000
COLUMNS, VALUES = 5, 10
POLICY = """\
mlci:
  model: {name: big, label: label, id: id, cost: {false_negative: 4, false_positive: 1}}
  gate:
    test: test.parquet
    predictions: predictions.parquet
    metrics:
      accuracy: {drop: 0.01}
      roc_auc: {drop: 0.01}
      f1: {drop: 0.01}
      log_loss: {rise: 0.01}
      brier: {rise: 0.01}
      cost: {rise: 0.02}
    slices: {by: [c0, c1, c2, c3, c4]}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default=1_000_000, type=lambda text: int(text.replace("_", "")))
    parser.add_argument("--slices", default=2, type=int, help="of how many slices the naive way's intervals are run")
    parser.add_argument("--resamples", default=99, type=int, help="run of the naive 999; the rest is extrapolated")
    parser.add_argument("--f1-resamples", default=60, type=int, help="the same of the naive 10,000 of F1 alone")
    parser.add_argument("--repeat", default=5, type=int, help="turns of mlci and of the naive points")
    parser.add_argument("--out", default=DOCS, type=Path, help="folder of compare.json, compare.md and compare.svg")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    folder = CACHE / str(options.rows)
    _generate(folder, options.rows)
    jobs = [
        Job(OURS, ours("compare"), folder),
        Job(POINTS, [sys.executable, str(HERE / "naive.py"), str(folder), "0", "1"], folder),
    ]
    runs = in_turns(jobs, options.repeat)
    checks = _checks(folder)
    naive = _script("naive.py", folder, options.slices, options.resamples)
    f1 = _script("f1.py", folder, options.f1_resamples)
    result = {
        "machine": machine(),
        "load_before": load,
        "repeat": options.repeat,
        "rows": options.rows,
        "checks": checks,
        "runs": runs,
        "naive": naive,
        "f1": f1,
    }
    write("compare", result, _markdown(result), {f"{options.rows:,} predictions": runs}, options.out)


def _generate(folder: Path, rows: int) -> None:
    """A repository whose last commit holds the old predictions, with the new ones beside it."""
    if not (folder / ".git").exists():
        # In a process of its own: a child's peak memory is never below its parent's at the fork.
        subprocess.run([sys.executable, HERE / "generate.py", folder, str(rows)], check=True)


def _checks(folder: Path) -> int:
    """How many checks the last run of mlci made."""
    findings = json.loads((folder / "reports" / "verdict.json").read_text())["findings"]
    checks = sum(finding["area"] == "gate" for finding in findings)
    if checks != 6 * (1 + COLUMNS * VALUES):
        sys.exit(f"mlci made {checks} checks")
    return checks


def _script(name: str, *arguments: object) -> dict[str, float]:
    """What a script beside this one says, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, HERE / name, *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def _markdown(result: dict) -> str:
    runs, naive, whole = result["runs"], result["naive"], result["naive"]["extrapolated"]
    times = f"{whole / median(runs[OURS]['wall']):,.0f}"
    memory = max(runs[OURS]["memory"])
    f1 = result["f1"]
    told, other = ([f"{100 * end:+.3f}" for end in f1[name]] for name in ("interval", "naive_interval"))
    table = "\n".join(rows_of(runs))
    return f"""\
# Comparing two models: speed and memory

{result["rows"]:,} predictions, 50 slices, 6 metrics: {
        result["checks"]
    } checks, each with its test, its interval and the
correction for all. Whole processes, in turns; **mlci** is `mlci compare`, with its report.
{about(result["machine"], result["load_before"], result["repeat"])}

![Seconds of each way](compare.svg)

{table}

With intervals, the naive way takes about {whole:,.0f} s: {times} times as long as mlci. That is extrapolated.

- {_held(median(runs[OURS]["wall"]) / whole, 0.1)}: time of the naive way with intervals: {
        median(runs[OURS]["wall"]) / whole:.2g}, target at most 0.1
- {_held(memory, LIMIT)}: peak memory in MB: {memory:,.0f}, target at most {LIMIT:,}

Naive is pandas `groupby`, scikit-learn and `scipy.stats.bootstrap` (999 resamples, percentile, paired). Its points were
timed whole. Its intervals were timed on {naive["timed_slices"]} of 50 slices with {naive["timed_resamples"]} resamples
({naive["timed"]:.1f} s for {naive["timed_rows"]:,} rows) and extrapolated in proportion to rows and resamples. It
corrects for nothing, joins nothing and checks nothing.

## One change of F1

The paired bootstrap of a change of F1 on {f1["rows"]:,} rows, {
        f1["resamples"]:,} resamples, rows already in memory. mlci counts the
eight cells (label, old, new) once and draws from their multinomial; that is the same as drawing rows.

| what | CPU seconds | times mlci | change of F1, points, 90 % |
|---|---|---|---|
| mlci | {f1["ours"]:.3f} | 1 | {told[0]} to {told[1]} |
| `scipy.stats.bootstrap` of scikit-learn's `f1_score` (extrapolated) | {f1["extrapolated"]:,.0f} | {
        f1["extrapolated"] / f1["ours"]:,.0f} | {other[0]} to {other[1]} |

The latter was timed on {f1["timed_resamples"]} resamples ({f1["timed"]:.1f} s), on which its interval rests too.
CPU seconds, because the machine had other work: {f1["load"]:.1f} processes a core.
"""


def _held(value: float, limit: float) -> str:
    return "held" if value <= limit else "**missed**"


if __name__ == "__main__":
    main()
